/**
 * When to restart ICE: a decision from counters. The network is silent when nothing at all was heard for 2 s – no packet, no
 * STUN answer – although this connection usually hears something more often than that.
 */
export interface Ear {
	/** Bytes, packets, STUN answers: anything that grows when something arrives. It falls when counters are dropped. */
	readonly count: number;
	/** When it last grew. */
	readonly heardAt: number;
	/** Longest pause between two sounds lately, forgotten slowly. */
	readonly pause: number;
	/** When ICE was last restarted for silence, and how often since something was heard. */
	readonly restartedAt: number;
	readonly restarts: number;
}

/** "ICE restart after 2 s of silence" */
export const silenceMs = 2000;
/** What a restart gets to show an effect; a slow way through a relay gets more. */
const patienceMs = 3000;

export const listening = (now: number): Ear => ({
	count: -1,
	heardAt: now,
	pause: 0,
	restartedAt: 0,
	restarts: 0,
});

/** Call it about twice a second. `lost`: the browser itself says that the connection is gone. */
export function hear(ear: Ear, count: number, lost: boolean, now: number): { ear: Ear; restart: boolean } {
	if (count > ear.count && !lost) {
		const pause = ear.restarts > 0 ? ear.pause : Math.max(now - ear.heardAt, ear.pause * 0.9);
		return { ear: { count, heardAt: now, pause, restartedAt: ear.restartedAt, restarts: 0 }, restart: false };
	}
	// A call in which all are muted hears little more than an answer to its own STUN checks.
	const limit = Math.max(silenceMs, 1.5 * ear.pause);
	const silent = now - ear.heardAt >= limit || lost;
	const wait = ear.restarts < 3 ? patienceMs : 2 * patienceMs;
	const due = ear.restarts === 0 || now - ear.restartedAt >= wait;
	if (!silent || !due) return { ear: { ...ear, count }, restart: false };
	return { ear: { ...ear, count, restartedAt: now, restarts: ear.restarts + 1 }, restart: true };
}

export const silent = (ear: Ear, now: number): boolean =>
	now - ear.heardAt >= Math.max(silenceMs, 1.5 * ear.pause);
