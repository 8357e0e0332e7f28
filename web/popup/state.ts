/** What the popup shows beside what the SDK knows: `next(state, message)` is the only way it changes. */
import type { ConversationRef, Media, Ring } from "../sdk/index.ts";

export type Screen = { readonly kind: "list" } | { readonly kind: "chat"; readonly ref: ConversationRef };

export type Panel =
	/** The screen is where it opens again. */
	| { readonly kind: "closed"; readonly screen: Screen }
	| { readonly kind: "open"; readonly screen: Screen; readonly devices: boolean };

/** A click on its way to becoming a call. */
export type Pending =
	| { readonly kind: "none" }
	| { readonly kind: "starting"; readonly ref: ConversationRef; readonly media: Media }
	| { readonly kind: "answering"; readonly ring: Ring }
	| { readonly kind: "moving"; readonly call: string };

export type Notice =
	/** Something failed and the visitor should know. */
	| { readonly kind: "error"; readonly text: string }
	/** State of a call that is no longer on screen. */
	| { readonly kind: "status"; readonly text: string };

export interface State {
	readonly panel: Panel;
	readonly pending: Pending;
	readonly notice: Notice | undefined;
	/** Of the panel during a call. */
	readonly large: boolean;
}

export type Change =
	| { readonly type: "open" }
	| { readonly type: "close" }
	| { readonly type: "show"; readonly screen: Screen }
	| { readonly type: "devices" } // opens or closes the menu
	| { readonly type: "pending"; readonly pending: Pending }
	| { readonly type: "settled" } // the click became a call, or failed
	| { readonly type: "notice"; readonly notice: Notice }
	| { readonly type: "dismiss"; readonly notice?: Notice } // this one, or whichever
	| { readonly type: "resize" };

export function initial(destination: string | undefined): State {
	const screen: Screen = destination ? { kind: "chat", ref: { to: destination } } : { kind: "list" };
	return { panel: { kind: "closed", screen }, pending: { kind: "none" }, notice: undefined, large: false };
}

export function next(state: State, change: Change): State {
	const { panel } = state;
	switch (change.type) {
		case "open":
			if (panel.kind === "open") return state;
			return { ...state, panel: { kind: "open", screen: panel.screen, devices: false } };
		case "close":
			if (panel.kind === "closed") return state;
			return { ...state, panel: { kind: "closed", screen: panel.screen }, large: false };
		case "show":
			if (panel.kind === "closed") return { ...state, panel: { kind: "closed", screen: change.screen } };
			return { ...state, panel: { kind: "open", screen: change.screen, devices: false } };
		case "devices":
			if (panel.kind === "closed") return state;
			return { ...state, panel: { ...panel, devices: !panel.devices } };
		case "pending": {
			// Whoever rings has seen and chosen: the menu has done its work.
			const after = panel.kind === "open" ? { ...panel, devices: false } : panel;
			return { ...state, panel: after, pending: change.pending, notice: undefined };
		}
		case "settled":
			return { ...state, pending: { kind: "none" } };
		case "notice":
			return { ...state, notice: change.notice };
		case "dismiss":
			if (change.notice && change.notice !== state.notice) return state; // a newer one took its place
			return { ...state, notice: undefined };
		case "resize":
			return { ...state, large: !state.large };
	}
}
