/** What somebody is called, with a mark that a long name never pushes out of sight if they are a guest. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Named, Words } from "../strings/index.ts";

export function nameView(words: Words, { name, guest }: Named): TemplateResult {
	return html`<span class="name-row"><span class="name"><bdi>${name}</bdi></span>${guest ? guestMark(words) : nothing}</span>`;
}

export function guestMark(words: Words): TemplateResult {
	return html`<span class="guest">${words.say("guest")}</span>`;
}
