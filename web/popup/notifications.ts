/** The browser's own question about notifications: offered once, since its answer cannot be taken back. */
const asked = "carillon.notifications asked";

export function mayOfferNotifications(): boolean {
	return typeof Notification !== "undefined" && Notification.permission === "default" && !wasOffered();
}

/** The visitor has chosen: the browser asks now, or the popup never offers it again. */
export async function askForNotifications(wanted: boolean): Promise<void> {
	rememberOffered();
	if (wanted) await Notification.requestPermission();
}

function wasOffered(): boolean {
	try {
		return localStorage.getItem(asked) !== null;
	} catch {
		return true; // it could not be remembered, so it is not offered at all
	}
}

function rememberOffered(): void {
	try {
		localStorage.setItem(asked, "1");
	} catch {
		// Storage is blocked.
	}
}
