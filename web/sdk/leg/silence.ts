/**
 * When to restart ICE: a decision from counters. The network is silent when nothing at all arrived for 2 s, no packet and
 * no answer to a STUN check, although something usually arrives on this connection more often than that.
 */
export interface Arrivals {
	/** Bytes, packets, STUN answers: anything that grows when something arrives. It falls when counters are dropped. */
	readonly count: number;
	/** When the count last grew. */
	readonly grewAt: number;
	/** The longest pause between two arrivals lately. It is forgotten slowly. */
	readonly longestPause: number;
	/** When ICE was last restarted for silence. */
	readonly restartedAt: number;
	/** How often ICE was restarted since something arrived. */
	readonly restarts: number;
}

/** After this long without anything ICE is restarted. */
export const silenceMs = 2000;
/** A restart has this long to show an effect. From the third on it has twice as long, for a slow way through a relay. */
const restartEffectMs = 3000;

export const nothingArrivedYet = (now: number): Arrivals => ({
	count: -1,
	grewAt: now,
	longestPause: 0,
	restartedAt: 0,
	restarts: 0,
});

/** Call it about twice a second. `lost`: the browser itself says that the connection is gone. */
export function observe(
	before: Arrivals,
	count: number,
	lost: boolean,
	now: number,
): { arrivals: Arrivals; restart: boolean } {
	if (count > before.count && !lost) {
		const pause = now - before.grewAt;
		const longestPause =
			before.restarts > 0 ? before.longestPause : Math.max(pause, before.longestPause * 0.9);
		return { arrivals: { ...before, count, grewAt: now, longestPause, restarts: 0 }, restart: false };
	}
	const wait = before.restarts < 3 ? restartEffectMs : 2 * restartEffectMs;
	const due = before.restarts === 0 || now - before.restartedAt >= wait;
	if (!due || !(lost || isSilent(before, now))) return { arrivals: { ...before, count }, restart: false };
	return { arrivals: { ...before, count, restartedAt: now, restarts: before.restarts + 1 }, restart: true };
}

/** Nothing arrived for too long. In a call in which all are muted little arrives beside answers to STUN checks. */
export const isSilent = (a: Arrivals, now: number): boolean =>
	now - a.grewAt >= Math.max(silenceMs, 1.5 * a.longestPause);
