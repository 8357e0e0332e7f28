/** The browser's own question about notifications: offered once, since its answer cannot be taken back. */
import { get, local, put } from "../sdk/storage.ts";

const asked = "carillon.notifications asked";

export function mayOfferNotifications(): boolean {
	return typeof Notification !== "undefined" && Notification.permission === "default" && !wasOffered();
}

/** The visitor has chosen: the browser asks now, or the popup never offers it again. */
export async function askForNotifications(wanted: boolean): Promise<void> {
	put(local(), asked, "1");
	if (wanted) await Notification.requestPermission();
}

function wasOffered(): boolean {
	const storage = local();
	// Where it could not be remembered it is not offered at all.
	return !storage || get(storage, asked) !== undefined;
}
