/** What a tab remembers of a popup from page to page: whether it was open, and that it has opened by itself. */
import { get, put, session } from "../sdk/storage.ts";
import type { Options } from "./options.ts";

/** Whose memory it is. */
export interface Remembering {
	readonly server: string;
	readonly options: Options;
}

/** The panel was open on the page before this one, and the site wants it back (`persistOpen`). */
export function wasOpen(popup: Remembering): boolean {
	return popup.options.persistOpen === true && get(session(), key(popup, "open")) === "1";
}

export function rememberOpen(popup: Remembering, open: boolean): void {
	if (popup.options.persistOpen) put(session(), key(popup, "open"), open ? "1" : "0");
}

/** True the first time in this tab; never where that cannot be remembered. */
export function firstVisit(popup: Remembering): boolean {
	const storage = session();
	const first = storage !== undefined && get(storage, key(popup, "auto")) === undefined;
	put(storage, key(popup, "auto"), "1");
	return first;
}

const key = ({ server, options }: Remembering, what: string) =>
	`carillon.${what} ${server} ${options.destination ?? ""}`;
