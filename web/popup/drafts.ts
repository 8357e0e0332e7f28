/** Texts that were typed and not sent, by conversation. They live as long as the page. */
import type { ConversationRef } from "../sdk/index.ts";

export function refKey(ref: ConversationRef): string {
	return "to" in ref ? `to:${ref.to}` : ref.conversation;
}

export class Drafts {
	readonly #texts = new Map<string, string>();

	get(ref: ConversationRef): string {
		return this.#texts.get(refKey(ref)) ?? "";
	}

	set(ref: ConversationRef, text: string): void {
		if (text) this.#texts.set(refKey(ref), text);
		else this.#texts.delete(refKey(ref));
	}

	clear(): void {
		this.#texts.clear();
	}
}
