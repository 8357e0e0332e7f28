/** The part that connects. Loaded when idle if the visitor is known to the server, else when they come near. */
import { Controller } from "./controller.ts";
import type { Popup } from "./shell.ts";

export function attach(popup: Popup): Controller {
	return new Controller(popup);
}
