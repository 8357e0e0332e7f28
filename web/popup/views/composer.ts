/** Where one writes. Enter sends, Shift+Enter breaks the line, and the field grows with the text. */

import { live } from "lit/directives/live.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Preview } from "../../sdk/index.ts";
import type { PanelActions } from "../actions.ts";
import { icon } from "../icons.ts";
import type { Words } from "../strings/index.ts";
import { card } from "./card.ts";

/** `sent`: a message has gone. */
export function composer(
	words: Words,
	draft: string,
	actions: PanelActions,
	sent: () => void,
): TemplateResult {
	const send = () => {
		if (actions.send()) sent();
	};
	const input = (event: InputEvent) => {
		const area = event.target as HTMLTextAreaElement;
		actions.write(area.value);
		grow(area);
	};
	const key = (event: KeyboardEvent) => {
		if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
		event.preventDefault();
		send();
	};
	return html`<form
		class="composer"
		@submit=${(event: Event) => {
			event.preventDefault();
			send();
		}}
	>
		<textarea
			rows="1"
			dir=${draft ? "auto" : nothing}
			enterkeyhint="send"
			autocomplete="off"
			aria-label=${words.say("message")}
			placeholder=${words.say("placeholder")}
			.value=${live(draft)}
			@input=${input}
			@keydown=${key}
		></textarea>
		<button class="button send" aria-label=${words.say("send")} aria-disabled=${draft.trim() === "" ? "true" : "false"}>
			${icon("send", "mirrored")}
		</button>
	</form>`;
}

/** What the link in the draft leads to, as others will see it under the message. */
export function draftCard(
	words: Words,
	preview: Preview,
	server: string,
	actions: PanelActions,
): TemplateResult {
	return html`<div class="draft-card">
		${card(preview, server)}
		<button class="button plain" aria-label=${words.say("removePreview")} @click=${() => actions.dropPreview()}>${icon("close")}</button>
	</div>`;
}

/** Makes a field as tall as its text, up to the limit in the styles. */
export function grow(area: HTMLTextAreaElement): void {
	area.style.blockSize = "auto";
	area.style.blockSize = `${area.scrollHeight + 2}px`;
}
