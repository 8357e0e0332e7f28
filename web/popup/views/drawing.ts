/** What the call part draws into a shell that may be there without it. */
import type { ChatPanel } from "../screen.ts";
import type { Sheet } from "../styles/css.ts";

export interface CallDrawing {
	readonly styles: readonly Sheet[];
	/** A clock is on screen. */
	readonly ticking: boolean;
	/** The cards of those who call. */
	rings(): unknown;
	/** The call of the conversation on screen, or the click on its way to one. */
	stage(chat: ChatPanel): unknown;
	/** A call that is not on the stage. */
	bar(): unknown;
	/** The menu of devices, if open. */
	devices(): unknown;
	/** The sound of a call: outside the panel, so that closing it silences nobody. */
	sound(): unknown;
	/** Plays what the browser has refused to play, if it may now. */
	playRefused(root: ParentNode): void;
}
