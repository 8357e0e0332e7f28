/**
 * Whether a call rings, derived from what the call is now. Nothing is remembered here, so that a tab that slept comes to the
 * same conclusion as one that was awake.
 */
import type { CallPhase } from "../types.calls.ts";
import type { ParticipantView, Reason, Snapshot, Where } from "../wire.gen.ts";

/** A ring with less time left than this is not begun. */
export const tooShortMs = 3000;
/** The server ends a ring. A tab that does not hear of it ends the ring itself, this long after its time. */
export const watchdogMs = 3000;

/** A snapshot, and when it was true in `performance.now()` time: its durations count from then. */
export interface TimedSnapshot {
	readonly snapshot: Snapshot;
	readonly at: number;
}

/** Whether `a` is newer than `b`: it has a higher count of the same owner, or comes from a later owner. */
export function later(a: Snapshot, b: Snapshot): boolean {
	const ea = a.epoch ?? 0;
	const eb = b.epoch ?? 0;
	return ea !== eb ? ea > eb : a.cseq > b.cseq;
}

export const participant = (s: Snapshot, user: string): ParticipantView | undefined =>
	s.participants.find((p) => p.user === user);

const pending = (p: ParticipantView): boolean => p.state === "invited" || p.state === "ringing";
const present = (p: ParticipantView): boolean =>
	p.state === "joining" || p.state === "joined" || p.state === "reconnecting";

export type RingVerdict =
	| { readonly rings: true; readonly from: ParticipantView; readonly until: number }
	| { readonly rings: false; readonly reason: "answered" | Reason; readonly where?: Where };

/** Whether a call rings for the user `me` in a tab at the time `now`; if not, why not. */
export function ring(known: TimedSnapshot, me: string, tab: string, now: number): RingVerdict {
	const s = known.snapshot;
	const mine = participant(s, me);
	if (!mine) return { rings: false, reason: "removed" };
	if (s.state !== "ended" && pending(mine) && s.caller !== me) {
		const until = known.at + (s.remaining_ms ?? 0);
		const from = participant(s, s.caller);
		return from && now < until + watchdogMs
			? { rings: true, from, until }
			: { rings: false, reason: "no_answer" };
	}
	return { rings: false, ...whyNot(s, mine, tab) };
}

function whyNot(
	s: Snapshot,
	mine: ParticipantView,
	tab: string,
): { reason: "answered" | Reason; where?: Where } {
	const where = mine.acted_at;
	if (where && where.tab !== tab)
		return { reason: mine.state === "declined" ? "declined_elsewhere" : "answered_elsewhere", where };
	if (where) return { reason: mine.state === "declined" ? "declined" : "answered" };
	if (mine.state === "removed") return { reason: "removed" };
	return { reason: s.reason ?? (mine.state === "busy" ? "busy" : "no_answer") };
}

/** Whether enough time is left to begin to ring. */
export const worthRinging = (until: number, now: number): boolean => until - now >= tooShortMs;

/** What to show of a call; undefined when `me` takes no part in it. `away`: the leg here has lost its media. */
export function phase(s: Snapshot, me: string, away: boolean): CallPhase | undefined {
	const mine = participant(s, me);
	if (s.state === "ended" || !mine || !present(mine)) return undefined;
	if (s.state === "ringing") {
		const rings = s.participants.some((p) => p.user !== me && p.state === "ringing");
		return rings ? "ringing" : "calling";
	}
	if (mine.held) return "held";
	if (away || mine.state === "reconnecting") return "reconnecting";
	return s.state === "connecting" || mine.state === "joining" ? "connecting" : "active";
}
