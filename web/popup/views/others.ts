/** The others in a call. */
import type { TemplateResult } from "lit/html.js";
import type { ParticipantView } from "../../sdk/index.ts";
import { namesOf } from "../calls/words.ts";
import type { Words } from "../strings/index.ts";
import { nameView } from "./name.ts";

export function othersView(words: Words, others: readonly ParticipantView[]): TemplateResult {
	const [only] = others;
	if (only && others.length === 1)
		return nameView(words, { name: only.name || only.user, guest: only.guest });
	return nameView(words, { name: namesOf(others, words) });
}
