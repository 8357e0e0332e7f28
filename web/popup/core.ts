/**
 * The part that connects. Loaded when idle for a visitor whom the server knows, and by itself all there is until
 * something happens: it keeps the line, counts what is unread, and fetches the rest when that is needed.
 */
import type { Popup } from "./shell.ts";
import { Watch } from "./watch.ts";

export function attach(popup: Popup): void {
	// A reload during a call: its leg is waiting for this page.
	if (storedLegs()) popup.call();
	Watch.of(popup);
}

/** Whether the page before this one in the tab hosted a call. The SDK keeps legs under `carillon:<server>:<user>:legs`. */
function storedLegs(): boolean {
	try {
		return Object.keys(sessionStorage).some((key) => key.startsWith("carillon:") && key.endsWith(":legs"));
	} catch {
		return false; // storage is blocked, and nothing was kept
	}
}
