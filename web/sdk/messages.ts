/** Transcripts: what the server stored, then what waits in the outbox; and what goes with them: read marks. */
import type { ConversationStore } from "./conversations.ts";
import type { Emitter } from "./emitter.ts";
import { bringsItem, Position } from "./feed.ts";
import type { QueuedMessage } from "./outbox.db.ts";
import type { Outbox } from "./outbox.ts";
import type { People } from "./people.ts";
import type { TabSocket } from "./socket.ts";
import {
	entriesOf,
	oldest,
	type ReactedBySeq,
	type Run,
	withEntries,
	withOlder,
	without,
	withReactions,
} from "./transcript.ts";
import type {
	ClientEvents,
	Conversation,
	ConversationRef,
	Delivery,
	Messages,
	Row,
	SendParams,
	Transcript,
} from "./types.ts";
import { ignore } from "./wait.ts";
import type { Change, FeedPosition, Message } from "./wire.gen.ts";

/** So many conversations are kept up to date. The one that was opened longest ago gives way. */
const keptMost = 100;

export interface MessageStoreOptions {
	socket: TabSocket;
	events: Emitter<ClientEvents>;
	conversations: ConversationStore;
	outbox: Outbox;
	people: People;
	me: () => string;
	tab: () => string;
	id: () => string;
	tell: (topic: string, data: unknown) => void;
	/** I have read up to `seq`. */
	read: (conversation: string, seq: number) => void;
	/** Changes may be missing in a feed. */
	checkHole: (feed: string) => void;
	/** I have removed this message for myself. */
	hidden: (conversation: string, seq: number) => boolean;
}

/** A conversation that is kept up to date: how far its feed is known, and its messages. */
interface Kept {
	readonly position: Position;
	run: Run;
	reacted: ReactedBySeq;
}

export class MessageStore implements Pick<Messages, "transcript" | "open" | "older" | "send" | "shown"> {
	readonly #o: MessageStoreOptions;
	/** By conversation, the one opened last at the end. */
	readonly #kept = new Map<string, Kept>();
	/** First pages on their way, with the changes that came meanwhile. */
	readonly #filling = new Map<string, { page: Promise<void>; changes: Change[] }>();
	/** Kept from a history that does not hold any more. It is shown until it is read anew. */
	readonly #stale = new Set<string>();
	/** Ends with sign-out: what is on its way then is not wanted any more. */
	#life = new AbortController();

	constructor(o: MessageStoreOptions) {
		this.#o = o;
	}

	transcript(ref: ConversationRef): Transcript {
		const conversation = this.#resolve(ref);
		const kept = conversation && this.#kept.get(conversation.id);
		const run = kept?.run;
		const rows = kept ? this.#rows(kept) : [];
		const stored = new Set(run?.entries.map((e) => e.message.client_id));
		for (const { queued, state } of this.#o.outbox.for((w) => this.#belongs(w, ref, conversation)))
			if (!stored.has(queued.key)) rows.push(this.#pending(queued, state));
		const unknown = !conversation && this.#o.conversations.more;
		return {
			conversation,
			rows,
			more: run?.more ?? false,
			loading: conversation ? !run && conversation.mine.state === "joined" : unknown,
		};
	}

	async open(ref: ConversationRef, signal?: AbortSignal): Promise<Transcript> {
		const { conversations } = this.#o;
		const c =
			"to" in ref
				? await conversations.find(ref.to, signal)
				: (conversations.get(ref.conversation) ?? (await conversations.fetch(ref.conversation, signal)));
		if (c && c.mine.state === "joined") {
			if (c.kind === "group" && c.members.length < c.count) ignore(conversations.loadMembers(c.id));
			const kept = this.#kept.get(c.id);
			if (kept) this.#keep(c.id, kept);
			else await this.#fill(c.id);
		}
		signal?.throwIfAborted();
		return this.transcript(ref);
	}

	async older(ref: ConversationRef, signal?: AbortSignal): Promise<Transcript> {
		const c = this.#resolve(ref);
		const kept = c && this.#kept.get(c.id);
		if (!c || !kept?.run.more) return this.transcript(ref);
		const before = oldest(kept.run);
		const { socket, people } = this.#o;
		const page = await socket.requestUntilAnswered("message.page", { conversation: c.id, before }, signal);
		people.learn(page.users);
		// Another request was quicker, or the run was read anew meanwhile.
		if (this.#kept.get(c.id) === kept && oldest(kept.run) === before) {
			for (const item of page.items) kept.position.note(item);
			kept.reacted = withReactions(kept.reacted, page.reactions ?? [], this.#o.me());
			this.#set(c.id, kept, withOlder(kept.run, entriesOf(page.items), page.more));
		}
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
			...(p.replyTo !== undefined && { reply_to: p.replyTo }),
			...(p.mentions !== undefined && { mentions: [...p.mentions] }),
			...(p.forward !== undefined && { forward: p.forward }),
			...(p.preview === false && { no_preview: true }),
			tab: this.#o.tab(),
			at: Date.now(),
		};
		this.#o.outbox.add(w);
		this.#o.tell("outbox", w);
		return this.#pending(w, "queued");
	}

	shown(conversation: string, seq: number): void {
		const c = this.#o.conversations.get(conversation);
		// What is on the screen from another history has other numbers now.
		if (!c || seq <= c.mine.read || c.pos === 0 || this.#stale.has(conversation)) return;
		this.#o.conversations.markRead(conversation, seq);
		this.#o.tell("read", { conversation, seq });
		this.#o.read(conversation, seq);
	}

	// ---- What the server tells.

	/** How far the feeds are known that are kept. */
	positions(): [string, Position][] {
		const known = [...this.#kept].filter(([id]) => !this.#stale.has(id) && !this.#filling.has(id));
		return known.map(([id, { position }]) => [id, position]);
	}

	feeds(): Record<string, FeedPosition> {
		return Object.fromEntries(
			this.positions()
				.filter(([, position]) => !position.blank)
				.map(([id, position]) => [id, position.known()]),
		);
	}

	position(id: string): Position | undefined {
		return this.#filling.has(id) || this.#stale.has(id) ? undefined : this.#kept.get(id)?.position;
	}

	/** A greeting begins. What is kept of these conversations, or of all, does not hold any more; nor what could not be compared. */
	diverged(ids: readonly string[] | "all"): void {
		for (const [id, { position }] of this.#kept)
			if (ids === "all" || ids.includes(id) || position.blank) this.#stale.add(id);
		// The first pages come from the history that holds now, what was told until now does not.
		for (const { changes } of this.#filling.values()) changes.length = 0;
	}

	/** Everything that was missed is known: asks for what of it is not here. */
	synced(): void {
		for (const [id] of this.positions()) this.#o.checkHole(id);
		ignore(this.#refill());
	}

	/** A change of a conversation's feed. */
	change(c: Change): void {
		const m = bringsItem(c) && c.type === "message" ? (c.data as Message) : undefined;
		const filling = this.#filling.get(c.feed);
		if (filling) filling.changes.push(c);
		else {
			// A conversation whose first message arrives as it was sent is whole up to there.
			if (m?.seq === 1 && !m.revision && !this.#kept.has(c.feed)) {
				const position = new Position(c.pos - 1);
				position.tell(this.#o.conversations.told(c.feed));
				this.#keep(c.feed, { position, run: { entries: [], more: false }, reacted: new Map() });
			}
			const kept = this.#kept.get(c.feed);
			if (kept) this.#merge(c, kept);
		}
		if (m) this.#settle(m);
	}

	/** A conversation is not as it was: marks, names, how far its feed has come; or it is not mine any more. */
	headChanged(id: string, c: Conversation | undefined): void {
		const kept = this.#kept.get(id);
		if (c?.mine.state !== "joined") this.#forget(id);
		else if (kept) {
			kept.position.tell(c.pos);
			kept.run = this.#visible(id, kept.run);
			this.#o.checkHole(id);
		}
		this.#changed(id);
	}

	/** Too much has changed, or the server has another history: the conversation is read anew. */
	reset(id: string): void {
		if (this.#kept.has(id)) this.#stale.add(id);
		ignore(this.#refill());
	}

	/** A message is not drawn as it was, and is itself what it was. */
	drawn(conversation: string): void {
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
		this.#kept.clear();
		this.#filling.clear();
		this.#stale.clear();
	}

	// ---- Steps.

	/** What was opened last comes first, and one page at a time. */
	async #refill(): Promise<void> {
		for (const id of [...this.#kept.keys()].reverse()) if (this.#stale.has(id)) await this.#fill(id);
	}

	#fill(id: string): Promise<void> {
		let filling = this.#filling.get(id);
		if (!filling) {
			const changes: Change[] = [];
			filling = { page: this.#page(id, changes), changes };
			this.#filling.set(id, filling);
		}
		return filling.page;
	}

	/** Loads the newest page, which takes the place of what was kept. */
	async #page(id: string, changes: readonly Change[]): Promise<void> {
		const { socket, people, conversations, checkHole } = this.#o;
		const life = this.#life.signal;
		try {
			const page = await socket.requestUntilAnswered("message.page", { conversation: id }, life);
			life.throwIfAborted();
			people.learn(page.users);
			const kept = {
				position: new Position(page.pos),
				run: this.#visible(id, { entries: entriesOf(page.items), more: page.more }),
				reacted: withReactions(new Map(), page.reactions ?? [], this.#o.me()),
			};
			for (const item of page.items) kept.position.note(item);
			this.#stale.delete(id);
			this.#filling.delete(id);
			if (!conversations.get(id)) return; // it is not mine any more
			this.#keep(id, kept);
			for (const e of kept.run.entries) this.#settle(e.message);
			for (const change of changes) this.#merge(change, kept);
			kept.position.tell(conversations.told(id));
			checkHole(id);
			this.#changed(id);
		} finally {
			if (!life.aborted) this.#filling.delete(id);
		}
	}

	#settle(m: Message): void {
		if (m.sender === this.#o.me()) this.#o.outbox.settle(m.client_id);
	}

	#merge(c: Change, kept: Kept): void {
		const items = bringsItem(c) ? [c] : [];
		const run = withEntries(kept.run, entriesOf(items));
		const reacted = withReactions(kept.reacted, items, this.#o.me());
		kept.position.change(c);
		this.#set(c.feed, kept, run);
		if (reacted !== kept.reacted) {
			kept.reacted = reacted;
			this.#changed(c.feed);
		}
		this.#o.checkHole(c.feed);
	}

	#keep(id: string, kept: Kept): void {
		this.#kept.delete(id);
		this.#kept.set(id, kept);
		const [first] = this.#kept.keys();
		if (this.#kept.size > keptMost && first !== undefined) this.#forget(first);
	}

	#forget(id: string): void {
		this.#kept.delete(id);
		this.#stale.delete(id);
	}

	/** Without what retention has removed and what was said before I joined, however late it comes. */
	#visible(id: string, run: Run): Run {
		const c = this.#o.conversations.get(id);
		// A head of another history does not say so of this one.
		return c && c.pos > 0 ? without(run, Math.max(c.floor?.seq ?? 0, c.mine.from_seq - 1)) : run;
	}

	#set(id: string, kept: Kept, wanted: Run): void {
		const run = this.#visible(id, wanted);
		if (kept.run === run) return;
		kept.run = run;
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

	#rows({ run, reacted }: Kept): Row[] {
		return run.entries
			.filter(({ message: m }) => m.gone !== "hidden" && !this.#o.hidden(m.conversation, m.seq))
			.map(({ message }) => {
				const reactions = reacted.get(message.seq)?.reactions;
				const any = reactions && Object.keys(reactions.counts).length > 0;
				return any ? { ...this.#row(message), reactions } : this.#row(message);
			});
	}

	#row(message: Message): Row {
		if (message.sender !== this.#o.me()) return { key: message.id, message, delivery: "received" };
		const delivery = this.#o.conversations.delivery(message);
		return { key: message.client_id ?? message.id, message, delivery };
	}

	#pending(w: QueuedMessage, delivery: Delivery): Row {
		const message: Message = {
			id: "",
			conversation: w.conversation ?? "",
			seq: 0,
			n: 0,
			sender: this.#o.me(),
			client_id: w.key,
			kind: w.kind,
			...(w.text !== undefined && { text: w.text }),
			...(w.data !== undefined && { data: w.data }),
			...(w.reply_to !== undefined && { reply_to: w.reply_to }),
			...(w.mentions !== undefined && { mentions: w.mentions }),
			...(w.forward !== undefined && { forwarded: true }),
			sent_at: w.at,
		};
		return { key: w.key, message, delivery, ...(w.failed && { refused: w.failed }) };
	}
}
