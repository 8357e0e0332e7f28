/** What the popup remembers beside what the SDK knows. `next(state, change)` is the only way it changes. */
import type { ConversationRef, Media, Ring } from "../sdk/index.ts";

/** Where in the panel the visitor is: in the list of conversations, or in one of them. */
export type Place = { readonly kind: "list" } | { readonly kind: "chat"; readonly ref: ConversationRef };

export type Panel =
	/** Only the launcher shows. `place` is where the panel opens again. */
	| { readonly kind: "closed"; readonly place: Place }
	/** The panel shows `place`, and over it the menu of devices if `devices`. */
	| { readonly kind: "open"; readonly place: Place; readonly devices: boolean };

/** A click on its way to becoming a call. */
export type Pending =
	/** Nothing was clicked, or what was clicked has become a call or has failed. */
	| { readonly kind: "none" }
	/** A call button was clicked. Ends when the server has begun the call. */
	| { readonly kind: "starting"; readonly ref: ConversationRef; readonly media: Media }
	/** Answer was clicked. Ends when this tab hosts the call, or another tab was first. */
	| { readonly kind: "answering"; readonly ring: Ring }
	/** "Move call here" was clicked. Ends when this tab hosts the call. */
	| { readonly kind: "moving"; readonly call: string };

export type Notice =
	/** Something failed and the visitor should know. */
	| { readonly kind: "error"; readonly text: string }
	/** State of a call that is no longer on screen. */
	| { readonly kind: "status"; readonly text: string };

/** Why a ring could not be answered here. It is told on the card of the ring, which stays. */
export interface RingProblem {
	readonly call: string;
	readonly text: string;
	/** The microphone is to blame: the call can be answered without it. */
	readonly microphone: boolean;
}

export interface State {
	readonly panel: Panel;
	readonly pending: Pending;
	readonly notice: Notice | undefined;
	readonly ringProblem: RingProblem | undefined;
	/** Problems of the call that the visitor has read and put away. */
	readonly dismissedProblems: readonly object[];
	/** Of the panel during a call. */
	readonly large: boolean;
}

export type Change =
	| { readonly type: "open" }
	| { readonly type: "close" }
	| { readonly type: "show"; readonly place: Place }
	| { readonly type: "devices" } // opens or closes the menu
	| { readonly type: "pending"; readonly pending: Pending }
	| { readonly type: "settled" } // the click became a call, or failed
	| { readonly type: "notice"; readonly notice: Notice }
	| { readonly type: "dismiss"; readonly notice: Notice }
	| { readonly type: "ringProblem"; readonly problem: RingProblem }
	| { readonly type: "dismissProblem"; readonly problem: object }
	| { readonly type: "resize" };

export function initial(destination: string | undefined): State {
	const place: Place = destination ? { kind: "chat", ref: { to: destination } } : { kind: "list" };
	return {
		panel: { kind: "closed", place },
		pending: { kind: "none" },
		notice: undefined,
		ringProblem: undefined,
		dismissedProblems: [],
		large: false,
	};
}

export function next(state: State, change: Change): State {
	const { panel } = state;
	switch (change.type) {
		case "open":
			if (panel.kind === "open") return state;
			return { ...state, panel: { kind: "open", place: panel.place, devices: false } };
		case "close":
			if (panel.kind === "closed") return state;
			return { ...state, panel: { kind: "closed", place: panel.place }, large: false };
		case "show":
			if (panel.kind === "closed") return { ...state, panel: { kind: "closed", place: change.place } };
			return { ...state, panel: { kind: "open", place: change.place, devices: false } };
		case "devices":
			if (panel.kind === "closed") return state;
			return { ...state, panel: { ...panel, devices: !panel.devices } };
		case "pending": {
			// Whoever rings has seen and chosen: the menu has done its work.
			const after = panel.kind === "open" ? { ...panel, devices: false } : panel;
			return { ...state, panel: after, pending: change.pending, notice: undefined, ringProblem: undefined };
		}
		case "settled":
			return { ...state, pending: { kind: "none" } };
		case "notice":
			return { ...state, notice: change.notice };
		case "dismiss":
			if (change.notice !== state.notice) return state; // a newer one took its place
			return { ...state, notice: undefined };
		case "ringProblem":
			return { ...state, ringProblem: change.problem };
		case "dismissProblem":
			return { ...state, dismissedProblems: [...state.dismissedProblems, change.problem] };
		case "resize":
			return { ...state, large: !state.large };
	}
}
