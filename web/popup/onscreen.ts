import type { Client, Conversation, ConversationRef } from "../sdk/index.ts";
import { refKey } from "./drafts.ts";
import type { People } from "./people.ts";
import type { State } from "./state.ts";

/** What a popup shows at this moment. */
interface Shown {
	readonly client: Client | undefined;
	readonly state: State;
	/** The conversation on screen; none: the list. */
	readonly ref: ConversationRef | undefined;
	readonly people: People;
}

/** Keeps fresh what is on screen: the transcript and the marks of a conversation, and the presence of its people. */
export class OnScreen {
	readonly #shown: Shown;
	/** By conversation: my read mark when it was opened. The divider stands after it. */
	readonly readTo = new Map<string, number>();
	/** What is watched now; aborted when something else is on screen. */
	#watched: { key: string; stop: AbortController } | undefined;

	constructor(shown: Shown) {
		this.#shown = shown;
	}

	/** Call it when something else may be on screen. Does nothing when that is watched already. */
	update(): void {
		const { client, ref, state, people } = this.#shown;
		const open = state.panel.kind === "open" && client;
		const users = open ? people.onScreen(ref) : [];
		const id = ref && client?.messages.transcript(ref).conversation?.id;
		const key = open ? `${id ?? (ref ? refKey(ref) : "list")} ${users.join(" ")}` : "";
		if (key === (this.#watched?.key ?? "")) return;
		this.stop();
		if (!open) return;
		const stop = new AbortController();
		this.#watched = { key, stop };
		client.presence.watch(users, stop.signal);
		if (!ref) return;
		if (id) client.conversations.watch([id], stop.signal);
		this.#divide(ref, client.messages.transcript(ref).conversation);
		client.messages.open(ref, stop.signal).then(
			(transcript) => {
				this.#divide(ref, transcript.conversation);
				this.update(); // now that its members are known
			},
			() => {}, // it is tried again by itself, and the connection bar says why nothing comes
		);
	}

	/** Nothing is watched any more, until the next update. */
	stop(): void {
		this.#watched?.stop.abort();
		this.#watched = undefined;
	}

	/** The visitor has read all of this conversation: it needs no divider. */
	hasRead(ref: ConversationRef): void {
		this.readTo.delete(refKey(ref));
	}

	/** The visitor has signed out. */
	forget(): void {
		this.readTo.clear();
	}

	#divide(ref: ConversationRef, conversation: Conversation | undefined): void {
		const key = refKey(ref);
		if (!conversation || this.readTo.has(key)) return;
		if (conversation.unread > 0) this.readTo.set(key, conversation.mine.read);
	}
}
