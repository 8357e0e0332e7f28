/** What the visitor writes: drafts, typing and sending. */
import type { Client, Conversation, ConversationRef } from "../sdk/index.ts";
import { Drafts } from "./drafts.ts";
import { LinkPreview, type PreviewPopup } from "./linkpreview.ts";
import type { Notice } from "./state.ts";
import type { Words } from "./strings/index.ts";

/** What writing needs of the popup. */
export interface ComposingPopup extends PreviewPopup {
	readonly client: Client | undefined;
	readonly words: Words;
	/** The conversation on screen. */
	readonly ref: ConversationRef | undefined;
	readonly conversation: Conversation | undefined;
	/** Id of the call hosted here in the conversation on screen: what is written goes over it first. */
	readonly callOnScreen: string | undefined;
	notify(notice: Notice): void;
	/** The visitor has read all of this conversation. */
	hasRead(ref: ConversationRef): void;
}

export class Composing {
	readonly drafts = new Drafts();
	readonly preview: LinkPreview;
	readonly #popup: ComposingPopup;

	constructor(popup: ComposingPopup) {
		this.#popup = popup;
		this.preview = new LinkPreview(popup);
	}

	/** Puts a text into the composer. */
	prefill(text: string): void {
		const { ref } = this.#popup;
		if (ref) this.drafts.set(ref, text);
		this.preview.wrote(text);
		this.#popup.changed();
	}

	/** The composer holds this text now. */
	write(text: string): void {
		const { ref, client, conversation } = this.#popup;
		if (!ref) return;
		const before = this.drafts.get(ref);
		this.drafts.set(ref, text);
		this.preview.wrote(text);
		if (conversation) client?.messages.typing(conversation.id, text !== "");
		// The field shows by itself what is typed; only Send depends on whether there is anything.
		if ((before.trim() === "") !== (text.trim() === "")) this.#popup.changed();
	}

	/** Sends what the composer holds. False: there was nothing to send, or too much. */
	send(): boolean {
		const { ref, client, conversation, callOnScreen: call, words } = this.#popup;
		const text = ref ? this.drafts.get(ref).trim() : "";
		if (!ref || !client || !text) return false;
		const limit = client.limits?.message_bytes ?? Number.POSITIVE_INFINITY;
		if (new TextEncoder().encode(text).length > limit) {
			this.#popup.notify({ kind: "error", text: words.say("tooLong") });
			return false;
		}
		client.messages.send(ref, { text, preview: this.preview.wanted(text), ...(call && { call }) });
		if (conversation) client.messages.typing(conversation.id, false);
		this.drafts.set(ref, "");
		this.preview.sent();
		this.#popup.hasRead(ref); // whoever answers has read: the divider goes
		this.#popup.changed();
		return true;
	}
}
