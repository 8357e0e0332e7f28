/** What the first link of a text that is being written leads to. The visitor sees it before others do, and may take it away. */
import { Refusal } from "../sdk/errors.ts";
import type { Client, Preview } from "../sdk/index.ts";
import { firstLink } from "./linkify.ts";

/** A link is complete when nothing was typed for so long. */
const pauseMs = 600;

export interface PreviewPopup {
	readonly client: Client | undefined;
	/** The site wants previews of links. */
	readonly linkPreviews: boolean;
	changed(): void;
}

export class LinkPreview {
	readonly #popup: PreviewPopup;
	/** The link that was asked about last, and what it leads to; without a card: nothing, or it is not known yet. */
	#found: { readonly link: string; readonly card?: Preview } | undefined;
	/** The link whose preview was taken away. */
	#unwanted: string | undefined;
	#asking = new AbortController();
	/** The server makes none. */
	#off = false;

	constructor(popup: PreviewPopup) {
		this.#popup = popup;
	}

	/** The composer holds this text now. */
	wrote(text: string): void {
		const link = this.#popup.linkPreviews && !this.#off ? firstLink(text) : undefined;
		if (link === this.#found?.link) return;
		const had = this.#found?.card;
		this.#asking.abort();
		this.#asking = new AbortController();
		this.#found = link === undefined ? undefined : { link };
		if (had) this.#popup.changed();
		if (link === undefined) return;
		const { signal } = this.#asking;
		const timer = setTimeout(() => void this.#ask(link, signal), pauseMs);
		signal.addEventListener("abort", () => clearTimeout(timer));
	}

	/** What is shown beside a text; undefined: nothing. */
	of(text: string): Preview | undefined {
		const { link, card } = this.#found ?? {};
		return card && this.wanted(text) && firstLink(text) === link ? card : undefined;
	}

	/** The preview of the link in a text was not taken away. */
	wanted(text: string): boolean {
		return this.#popup.linkPreviews && (this.#unwanted === undefined || firstLink(text) !== this.#unwanted);
	}

	takeAway(): void {
		this.#unwanted = this.#found?.link;
		this.#popup.changed();
	}

	/** The text was sent. */
	sent(): void {
		this.#unwanted = undefined;
		this.wrote("");
	}

	async #ask(link: string, signal: AbortSignal): Promise<void> {
		try {
			const card = await this.#popup.client?.messages.preview(link, signal);
			if (signal.aborted || !card) return;
			this.#found = { link, card };
			this.#popup.changed();
		} catch (err) {
			// It would have been nice to see; the message says as much without it.
			if (err instanceof Refusal && err.code === "not_allowed") this.#off = true;
		}
	}
}
