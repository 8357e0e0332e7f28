/** Transcripts: what the server stored, then what waits in the outbox; and what goes with them: marks, typing. */
import type { ConversationStore } from "./conversations.ts";
import type { Emitter } from "./emitter.ts";
import { Refusal, Unanswered } from "./errors.ts";
import type { QueuedMessage } from "./outbox.db.ts";
import type { Outbox } from "./outbox.ts";
import type { TabSocket } from "./socket.ts";
import { newest, nothing, oldest, type Run, withLatest, withMessage, withOlder } from "./transcript.ts";
import type {
	ClientEvents,
	ConversationRef,
	Delivery,
	Messages,
	Row,
	SendParams,
	Transcript,
} from "./types.ts";
import { ignore } from "./wait.ts";
import type { Conversation, Message } from "./wire.gen.ts";

const readDelayMs = 150;

export interface MessageStoreOptions {
	socket: TabSocket;
	events: Emitter<ClientEvents>;
	conversations: ConversationStore;
	outbox: Outbox;
	me: () => string;
	tab: () => string;
	id: () => string;
	tell: (topic: string, data: unknown) => void;
}

export class MessageStore implements Pick<Messages, "transcript" | "open" | "older" | "send" | "shown"> {
	readonly #o: MessageStoreOptions;
	readonly #runs = new Map<string, Run>();
	readonly #filling = new Map<string, Promise<void>>();
	/** Read marks that the server has not confirmed, by conversation. */
	readonly #marks = new Map<string, number>();
	#marking: ReturnType<typeof setTimeout> | undefined;
	/** Ends with sign-out: what is on its way then is not wanted any more. */
	#life = new AbortController();

	constructor(o: MessageStoreOptions) {
		this.#o = o;
	}

	transcript(ref: ConversationRef): Transcript {
		const conversation = this.#resolve(ref);
		const run = conversation && this.#runs.get(conversation.id);
		const rows = conversation && run ? run.messages.map((m) => this.#row(m, conversation)) : [];
		for (const { queued, state } of this.#o.outbox.for((w) => this.#belongs(w, ref, conversation)))
			if (!run?.messages.some((m) => m.client_id === queued.key)) rows.push(this.#pending(queued, state));
		const unknown = !conversation && this.#o.conversations.more;
		return {
			conversation,
			rows,
			more: run?.more ?? false,
			loading: conversation ? !run : unknown,
		};
	}

	async open(ref: ConversationRef, signal?: AbortSignal): Promise<Transcript> {
		const c =
			"to" in ref
				? await this.#o.conversations.find(ref.to, signal)
				: (this.#o.conversations.get(ref.conversation) ??
					(await this.#o.conversations.fetch(ref.conversation, signal)));
		if (c && !this.#runs.has(c.id)) await this.#fill(c.id);
		signal?.throwIfAborted();
		return this.transcript(ref);
	}

	async older(ref: ConversationRef, signal?: AbortSignal): Promise<Transcript> {
		const c = this.#resolve(ref);
		const run = c && this.#runs.get(c.id);
		if (!c || !run?.more) return this.transcript(ref);
		const before = oldest(run);
		const page = await this.#o.socket.requestUntilAnswered(
			"message.page",
			{ conversation: c.id, before },
			signal,
		);
		const now = this.#runs.get(c.id);
		// Another request was quicker, or the run was replaced meanwhile.
		if (now && oldest(now) === before) this.#set(c.id, withOlder(now, page.messages, page.more));
		return this.transcript(ref);
	}

	send(ref: ConversationRef, p: SendParams): Row {
		const c = this.#resolve(ref);
		const to = "to" in ref ? ref.to : c && this.#o.conversations.other(c)?.id;
		const w: QueuedMessage = {
			key: this.#o.id(),
			...(c && { conversation: c.id }),
			...(to !== undefined && { to }),
			kind: p.kind ?? "text",
			...(p.text !== undefined && { text: p.text }),
			...(p.data !== undefined && { data: p.data }),
			...(p.call !== undefined && { call: p.call }),
			tab: this.#o.tab(),
			at: Date.now(),
		};
		this.#o.outbox.add(w);
		this.#o.tell("outbox", w);
		return this.#pending(w, "queued");
	}

	shown(conversation: string, seq: number): void {
		const c = this.#o.conversations.get(conversation);
		if (!c || seq <= (this.#o.conversations.mine(c)?.read ?? 0)) return;
		this.#marks.set(conversation, Math.max(seq, this.#marks.get(conversation) ?? 0));
		this.#o.conversations.markRead(conversation, seq);
		this.#o.tell("read", { conversation, seq });
		this.#sendMarksIn(readDelayMs);
	}

	/** Sends the marks that are not confirmed yet; also after each welcome. */
	sendMarks(): void {
		clearTimeout(this.#marking);
		this.#marking = undefined;
		for (const [conversation, seq] of this.#marks) {
			const confirmed = () => this.#marks.get(conversation) === seq && this.#marks.delete(conversation);
			this.#o.socket
				.request("receipt.read", { conversation, seq }, this.#life.signal)
				.then(confirmed, (err) => {
					// A mark without an answer is sent after the next welcome.
					if (err instanceof Unanswered) return;
					if (err instanceof Refusal && err.retryMs > 0) this.#sendMarksIn(err.retryMs);
					else confirmed(); // it would be refused again
				});
		}
	}

	/** A message or a new revision, from an event or as the answer to a send. */
	apply(m: Message): void {
		if (m.sender === this.#o.me()) this.#o.outbox.settle(m.client_id);
		this.#o.conversations.applyMessage(m);
		// A conversation whose first message arrives now is known whole from there on.
		const run = this.#runs.get(m.conversation) ?? (m.seq === 1 ? { messages: [], more: false } : undefined);
		if (!run) return this.#changed(m.conversation);
		const { run: now, gap } = withMessage(run, m);
		if (gap) ignore(this.#fill(m.conversation));
		else this.#set(m.conversation, now);
	}

	/** What was missed is not replayed: compares by seq, and fills or replaces the runs. */
	refill(): void {
		for (const id of this.#runs.keys()) ignore(this.#fill(id));
	}

	/** Marks or names changed: the messages are the same, the ticks are not. */
	redraw(conversation: string): void {
		this.#changed(conversation);
	}

	queuedChanged(w: QueuedMessage): void {
		const c = w.conversation ?? (w.to && this.#o.conversations.direct(w.to)?.id);
		this.#changed(c ?? `to:${w.to}`);
		if (c && w.to && !this.#o.conversations.get(c)) this.#changed(`to:${w.to}`);
	}

	clear(): void {
		this.#life.abort();
		this.#life = new AbortController();
		clearTimeout(this.#marking);
		this.#marking = undefined;
		this.#marks.clear();
		this.#runs.clear();
	}

	#sendMarksIn(ms: number): void {
		this.#marking ??= setTimeout(() => this.sendMarks(), ms);
	}

	#fill(id: string): Promise<void> {
		let p = this.#filling.get(id);
		if (!p) {
			p = this.#page(id).finally(() => this.#filling.delete(id));
			this.#filling.set(id, p);
		}
		return p;
	}

	/** Loads the newest page. If it does not touch the run, up to five pages between them, to keep what the user reads. */
	async #page(id: string): Promise<void> {
		const { socket } = this.#o;
		const life = this.#life.signal;
		const latest = await socket.requestUntilAnswered("message.page", { conversation: id }, life);
		const first = latest.messages[0]?.seq ?? 0;
		for (let n = 0; n < 5; n++) {
			const run = this.#runs.get(id);
			if (!run || run.messages.length === 0 || newest(run) + 1 >= first) break;
			const page = await socket.requestUntilAnswered(
				"message.page",
				{ conversation: id, after: newest(run) },
				life,
			);
			if (page.messages.length === 0) break;
			this.#set(
				id,
				page.messages.reduce((r, m) => withMessage(r, m).run, run),
			);
		}
		life.throwIfAborted();
		this.#set(id, withLatest(this.#runs.get(id) ?? nothing, latest.messages, latest.more));
	}

	#set(id: string, run: Run): void {
		if (this.#runs.get(id) === run) return;
		this.#runs.set(id, run);
		this.#changed(id);
	}

	#changed(conversation: string): void {
		this.#o.events.emit("transcript", { conversation });
	}

	#resolve(ref: ConversationRef): Conversation | undefined {
		const { conversations } = this.#o;
		return "to" in ref ? conversations.direct(ref.to) : conversations.get(ref.conversation);
	}

	#belongs(w: QueuedMessage, ref: ConversationRef, c: Conversation | undefined): boolean {
		if ("to" in ref && w.to === ref.to) return true;
		if (w.conversation !== undefined) return w.conversation === ("to" in ref ? c?.id : ref.conversation);
		return c !== undefined && this.#o.conversations.direct(w.to ?? "") === c;
	}

	#row(message: Message, c: Conversation): Row {
		if (message.sender !== this.#o.me()) return { key: message.id, message, delivery: "received" };
		return { key: message.client_id ?? message.id, message, delivery: delivery(message, c, this.#o.me()) };
	}

	#pending(w: QueuedMessage, delivery: Delivery): Row {
		const message: Message = {
			id: "",
			conversation: w.conversation ?? "",
			seq: 0,
			sender: this.#o.me(),
			client_id: w.key,
			kind: w.kind,
			...(w.text !== undefined && { text: w.text }),
			...(w.data !== undefined && { data: w.data }),
			sent_at: w.at,
		};
		return { key: w.key, message, delivery, ...(w.failed && { refused: w.failed }) };
	}
}

/** A message is read, or delivered, when it is for every other member. */
export function delivery(m: Message, c: Conversation, me: string): Delivery {
	const others = c.members.filter((x) => x.id !== me);
	if (others.length === 0) return "read";
	if (others.every((x) => x.read >= m.seq)) return "read";
	return others.every((x) => x.delivered >= m.seq || x.read >= m.seq) ? "delivered" : "sent";
}
