/** A picture, or the initials on one of a few quiet colours that stay with the person. */
import { html, type TemplateResult } from "lit/html.js";
import type { Face } from "../people.ts";

export function avatar(face: Face, size: "small" | "medium" | "huge", state?: string): TemplateResult {
	return html`<span class="avatar ${size} hue${hue(face.id ?? face.name)}" data-state=${state ?? "none"} aria-hidden="true">
		${
			face.picture
				? html`<img src=${face.picture} alt="" referrerpolicy="no-referrer" loading="lazy" />`
				: html`<span>${initials(face.name)}</span>`
		}
	</span>`;
}

/** "Ada Lovelace" is AL, "bob" B, "Ada (guest)" A. Whole graphemes: an emoji or a letter with marks is one. */
export function initials(name: string): string {
	const words = name
		.replace(/ \([^()]*\)$/, "")
		.trim()
		.split(/\s+/);
	const picked = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
	return picked
		.map((word) => first(word ?? ""))
		.join("")
		.toLocaleUpperCase();
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function first(word: string): string {
	return graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
}

function hue(text: string): number {
	let sum = 0;
	for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 6;
	return sum;
}
