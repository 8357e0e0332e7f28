/** In place of a part that is not here yet: that it is loading, or that it could not be loaded and a way to try again. */
import { html } from "lit/html.js";
import type { Part } from "../part.ts";
import type { Words } from "../strings/index.ts";

/** Draws what a part has. Drawing it for the first time fetches it. */
export function partView<T>(words: Words, part: Part<T>, draw: (content: T) => unknown): unknown {
	if (part.content !== undefined) return draw(part.content);
	const load = () => void part.load().catch(() => {}); // it is drawn that it has failed
	if (!part.failed) {
		load();
		return html`<p class="part" role="status" tabindex="-1">${words.say("loadingPart")}</p>`;
	}
	return html`<div class="part" role="alert" tabindex="-1">
		<p>${words.say("partFailed")}</p>
		<button class="button soft" @click=${load}>${words.say("tryAgain")}</button>
	</div>`;
}
