/** What is said of calls. */
import type { CallView, ParticipantView, RingEnd } from "../../sdk/index.ts";
import { clock } from "../format.ts";
import type { Text, Words } from "../strings/index.ts";

/** A participant as the visitor reads them in a text. */
export function nameOf({ name, user, guest }: Participant, words: Words): string {
	return words.called({ name: name || user, guest });
}

export function namesOf(participants: readonly Participant[], words: Words): string {
	return words.list(participants.map(({ name, user, guest }) => ({ name: name || user, guest })));
}

type Participant = Pick<ParticipantView, "name" | "user" | "guest">;

/** The state of a call in one line. `now` is `performance.now()`. */
export function statusOf(view: CallView, now: number, words: Words): string {
	const other = view.others[0];
	switch (view.phase) {
		case "calling":
		case "ringing":
		case "connecting":
		case "reconnecting":
			return words.say(view.phase);
		case "held":
			return words.say("onHold");
		case "ended":
			return words.say("ended_completed");
		case "active":
			if (view.others.length === 1 && other?.state === "reconnecting") return words.say("reconnecting");
			if (view.others.length === 1 && other?.held)
				return words.say("heldByOther", { name: nameOf(other, words) });
			return clock(now - (view.activeSince ?? now));
	}
}

/** Whether the status is a clock, which a screen reader should not read out every second. */
export function ticks(view: CallView): boolean {
	const other = view.others[0];
	return (
		view.phase === "active" && !(view.others.length === 1 && (other?.state === "reconnecting" || other?.held))
	);
}

/** How long a call elsewhere is told as "Answered on another tab": after that everyone knows. */
const newsMs = 10_000;

/** Of a call in another tab. Whoever answered a ring wants to know where, and soon only how the call stands. */
export function elsewhereStatus(view: CallView, now: number, words: Words): string {
	const answered = view.call.caller !== view.me.user && view.me.acted_at;
	if (answered && now - (view.activeSince ?? now) < newsMs)
		return words.say(view.sameDevice ? "answeredOnTab" : "answeredOnDevice");
	return statusOf(view, now, words);
}

/** What a tab that rang says when it falls silent; undefined: nothing worth saying. */
export function ringEndText(end: RingEnd, words: Words): string | undefined {
	if (end.reason === "answered_elsewhere")
		return words.say(end.sameDevice ? "answeredOnTab" : "answeredOnDevice");
	if (end.reason === "declined_elsewhere")
		return words.say(end.sameDevice ? "declinedOnTab" : "declinedOnDevice");
	return undefined;
}

const endings: Record<string, Text> = {
	completed: "ended_completed",
	cancelled: "ended_cancelled",
	declined: "ended_declined",
	no_answer: "ended_no_answer",
	busy: "ended_busy",
	unreachable: "ended_unreachable",
	blocked: "ended_unreachable", // a block is not told to the blocked
	not_allowed: "ended_not_allowed",
	max_duration: "ended_max",
	failed_media: "ended_failed",
	failed_ice: "ended_failed",
	connection_lost: "ended_lost",
	removed: "ended_removed",
	replaced: "ended_moved",
	expired: "ended_no_answer",
	server_error: "ended_server",
};

/** How a call that was here ended. One that never was answered cannot have been completed: the visitor took it back. */
export function endText(view: CallView, reason: string, words: Words): string {
	const key = reason === "completed" && view.call.state === "ringing" ? "cancelled" : reason;
	const [other] = view.others;
	return words.say(endings[key] ?? "ended_completed", { name: other ? nameOf(other, words) : "" });
}
