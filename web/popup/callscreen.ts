/** What there is to see of calls, and the words for it. Pure. */
import type { CallView, Leg, ParticipantView, RingEnd } from "../sdk/index.ts";
import { clock } from "./format.ts";
import type { State } from "./state.ts";
import type { Text, Words } from "./strings/index.ts";

export type CallScreen =
	/** The visitor is in no call. */
	| { readonly kind: "none" }
	/** A click is on its way to the server or to the camera. `user` is who called, if it was an answer. */
	| { readonly kind: "pending"; readonly status: Text; readonly user?: string }
	/** This tab hosts a call, and perhaps others on hold. */
	| { readonly kind: "here"; readonly view: CallView; readonly leg: Leg; readonly held: readonly CallView[] }
	/** Another tab or device hosts the call. */
	| { readonly kind: "elsewhere"; readonly view: CallView };

export function callScreen(views: readonly CallView[], pending: State["pending"]): CallScreen {
	const here = views.filter((view) => view.here && view.leg);
	const shown = here.find((view) => !view.leg?.held) ?? here[0];
	if (pending.kind === "starting" && !shown) return { kind: "pending", status: "calling" };
	if (
		pending.kind !== "none" &&
		pending.kind !== "starting" &&
		!here.some((view) => view.id === idOf(pending))
	)
		return {
			kind: "pending",
			status: "connecting",
			...(pending.kind === "answering" && { user: pending.ring.from.user }),
		};
	if (shown?.leg)
		return { kind: "here", view: shown, leg: shown.leg, held: here.filter((view) => view !== shown) };
	const elsewhere = views.find((view) => !view.here);
	return elsewhere ? { kind: "elsewhere", view: elsewhere } : { kind: "none" };
}

function idOf(pending: Exclude<State["pending"], { kind: "none" | "starting" }>): string {
	return pending.kind === "answering" ? pending.ring.id : pending.call;
}

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
