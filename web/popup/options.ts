/** What a site may set, the same for the script tag, `carillon('boot', …)` and `createPopup(…)`. */
import type { Strings } from "./strings/en.ts";

export interface Options {
	/** Origin of the server. Default: where popup.js came from. */
	server?: string;
	/** A session token minted by the site's backend. */
	token?: string;
	/** Asked for a token when one is needed; prefer it to `token`, which cannot be renewed. */
	getToken?: (signal: AbortSignal, stale?: string) => Promise<string> | string;
	/** The user to talk to. Without one the popup opens with the list of conversations. */
	destination?: string;
	/** Shown for the destination until its profile is known. */
	name?: string;
	picture?: string;
	/** Which lower corner: the end of the line by default, right in English, left in Arabic. */
	position?: "end" | "start" | "right" | "left";
	/** Distance to the edges in CSS pixels. */
	offset?: number | { x?: number; y?: number };
	zIndex?: number;
	/** false: no round button; the page opens the popup with `open()`. */
	launcher?: boolean;
	/** BCP 47; default: the page's, else the browser's. */
	locale?: string;
	dir?: "ltr" | "rtl";
	/** Replaces single texts. */
	strings?: Partial<Strings>;
	theme?: Theme;
	features?: { audioCalls?: boolean; videoCalls?: boolean; linkPreviews?: boolean };
	/** false: no sound at all. */
	ringtone?: boolean;
	/** false: never asks for nor shows browser notifications, and leaves title and icon alone. */
	notifications?: boolean;
	/** Opens by itself once per tab. */
	autoOpen?: boolean;
	/** Remembers in this tab whether the panel was open. */
	persistOpen?: boolean;
	/** Where the popup is put: an element or a selector. Default: the body. */
	parent?: string | Element;
}

export interface Theme {
	mode?: "light" | "dark" | "auto";
	/** CSS colours. */
	colours?: { accent?: string; onAccent?: string };
	/** Of the panel, in CSS pixels. */
	radius?: number;
	/** A CSS font family. */
	font?: string;
}

/** Reads `data-…` attributes: `data-z-index="5"`, `data-launcher="false"`, `data-theme='{"mode":"dark"}'`. */
export function fromDataset(data: DOMStringMap): Options {
	const options: Record<string, unknown> = {};
	for (const key in data) {
		const text = data[key] ?? "";
		options[key] = text;
		if (/^(true|false|\d+|[{].*[}])$/.test(text) && !/^(destination|name|token)$/.test(key)) {
			try {
				options[key] = JSON.parse(text);
			} catch {
				// Not JSON after all: it stays the text that it is.
			}
		}
	}
	return options;
}
