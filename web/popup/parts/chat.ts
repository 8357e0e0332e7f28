/** The part with the SDK's stores and the controller. Loaded when the visitor nears the button, or when something happens. */
import "./common.ts";
import { Controller } from "../controller.ts";
import type { Popup } from "../popup.ts";

export function attach(popup: Popup): Controller {
	return new Controller(popup);
}
