/** The part that thinks: stores and controller. Loaded when the visitor comes near, or when something happens. */
import { Controller } from "../controller.ts";
import type { Popup } from "../popup.ts";

export function attach(popup: Popup): Controller {
	return new Controller(popup);
}
