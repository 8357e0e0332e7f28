/**
 * What was begun and not sent, by conversation, in all tabs and devices of one user. A tab shows at once what is written in
 * another of the same browser; to the server it goes at most once in two seconds. Where both write, the later one wins.
 */
import type { Emitter } from "./emitter.ts";
import type { OwnStore } from "./own.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, Drafts } from "./types.ts";
import { ignore } from "./wait.ts";
import type { Draft } from "./wire.gen.ts";

const everyMs = 2000;

/** A draft on its way to the server: sent when the timer ends, with what it is by then. */
interface Waiting {
	timer: ReturnType<typeof setTimeout>;
	changed: boolean;
}

export interface DraftOptions {
	socket: TabSocket;
	events: Emitter<ClientEvents>;
	/** Tells the other tabs of this browser. */
	tell: (topic: string, data: unknown) => void;
}

export class DraftStore implements Drafts, OwnStore<Draft> {
	readonly #o: DraftOptions;
	readonly #known = new Map<string, Draft>();
	readonly #waiting = new Map<string, Waiting>();

	constructor(o: DraftOptions) {
		this.#o = o;
	}

	get(conversation: string): Draft | undefined {
		return this.#known.get(conversation);
	}

	set(conversation: string, text: string, replyTo = 0): void {
		const was = this.#known.get(conversation);
		if ((was?.text ?? "") === text && (was?.reply_to ?? 0) === replyTo) return;
		const draft: Draft = {
			conversation,
			...(text !== "" && { text }),
			...(replyTo > 0 && { reply_to: replyTo }),
			at: Date.now(),
		};
		this.#keep(draft);
		this.#o.tell("draft", draft);
		const waiting = this.#waiting.get(conversation);
		if (waiting) waiting.changed = true;
		else this.#send(conversation);
	}

	/** Another tab of this browser has written; it tells the server. */
	mirror(draft: Draft): void {
		this.#keep(draft);
		this.#o.events.emit("draft", draft);
	}

	apply(draft: Draft): void {
		if (this.#waiting.has(draft.conversation)) return; // what is written here is newer
		const was = this.#known.get(draft.conversation);
		this.#keep(draft);
		if ((was?.text ?? "") !== (draft.text ?? "") || (was?.reply_to ?? 0) !== (draft.reply_to ?? 0))
			this.#o.events.emit("draft", draft);
	}

	only(conversations: ReadonlySet<string>): void {
		for (const { conversation } of [...this.#known.values()])
			if (!conversations.has(conversation)) this.apply({ conversation, at: 0 });
	}

	clear(): void {
		for (const { timer } of this.#waiting.values()) clearTimeout(timer);
		this.#waiting.clear();
		this.#known.clear();
	}

	#keep(draft: Draft): void {
		if (draft.text || draft.reply_to) this.#known.set(draft.conversation, draft);
		else this.#known.delete(draft.conversation);
	}

	#send(conversation: string): void {
		const { text = "", reply_to = 0 } = this.#known.get(conversation) ?? {};
		ignore(this.#o.socket.request("draft.set", { conversation, text, reply_to }));
		const waiting: Waiting = {
			changed: false,
			timer: setTimeout(() => this.#sent(conversation, waiting), everyMs),
		};
		this.#waiting.set(conversation, waiting);
	}

	#sent(conversation: string, waiting: Waiting): void {
		this.#waiting.delete(conversation);
		if (waiting.changed) this.#send(conversation);
	}
}
