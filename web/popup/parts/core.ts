/**
 * The part that connects. Loaded when idle for a visitor whom the server knows, and all there is until something happens:
 * it keeps the connection, counts what is unread, and fetches the other parts when they are needed.
 */
import { Account } from "../account.ts";
import type { Popup } from "../popup.ts";

export function attach(popup: Popup): void {
	// A reload during a call: its leg is waiting for this page.
	if (storedLegs()) popup.prepareCall();
	Account.join(popup);
}

/** Whether the page before this one in the tab hosted a call. The SDK keeps legs under `carillon:<server>:<user>:legs`. */
function storedLegs(): boolean {
	try {
		return Object.keys(sessionStorage).some((key) => key.startsWith("carillon:") && key.endsWith(":legs"));
	} catch {
		return false; // storage is blocked, and nothing was kept
	}
}
