/** What somebody is called, with a mark that a long name never pushes out of sight if they are a guest. */
import { html, nothing, type TemplateResult } from "lit";
import type { ParticipantView } from "../../sdk/index.ts";
import { namesOf } from "../callscreen.ts";
import type { Named, Words } from "../strings/index.ts";

export function nameView(words: Words, { name, guest }: Named): TemplateResult {
	return html`<span class="name-row"><span class="name"><bdi>${name}</bdi></span>${guest ? guestMark(words) : nothing}</span>`;
}

/** The others in a call. */
export function othersView(words: Words, others: readonly ParticipantView[]): TemplateResult {
	const [only] = others;
	if (only && others.length === 1)
		return nameView(words, { name: only.name || only.user, guest: only.guest });
	return nameView(words, { name: namesOf(others, words) });
}

export function guestMark(words: Words): TemplateResult {
	return html`<span class="guest">${words.say("guest")}</span>`;
}
