/** The conversations of this user, as far as loaded, with everyone's marks. Marks and last messages only grow. */
import type { Emitter } from "./emitter.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, Conversations } from "./types.ts";
import { ignore, waitFor } from "./wait.ts";
import type { Conversation, ConversationCreate, Log, Member, Message, Receipt, User } from "./wire.gen.ts";

export class ConversationStore implements Conversations {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #me: () => string;
	readonly #known = new Map<string, Conversation>();
	/** By id: what is asked for now, once for all who want it. */
	readonly #fetching = new Map<string, Promise<Conversation>>();
	#sorted: readonly Conversation[] | undefined;
	#next: string | undefined;
	#loaded = false;
	#toldUnread: number;

	/** `toldUnread`: the unread count that listeners have heard already. */
	constructor(socket: TabSocket, events: Emitter<ClientEvents>, me: () => string, toldUnread = 0) {
		this.#toldUnread = toldUnread;
		this.#socket = socket;
		this.#events = events;
		this.#me = me;
	}

	list(): readonly Conversation[] {
		this.#sorted ??= [...this.#known.values()].sort((a, b) => lastActivity(b) - lastActivity(a));
		return this.#sorted;
	}

	get more(): boolean {
		return !this.#loaded || this.#next !== undefined;
	}

	get unread(): number {
		let n = 0;
		for (const c of this.#known.values()) n += c.unread;
		return n;
	}

	get(id: string): Conversation | undefined {
		return this.#known.get(id);
	}

	direct(user: string): Conversation | undefined {
		for (const c of this.#known.values()) if (c.kind === "direct" && this.other(c)?.id === user) return c;
		return undefined;
	}

	other(c: Conversation): User | undefined {
		if (c.kind !== "direct") return undefined;
		// In a conversation with oneself the other is oneself.
		return c.members.find((m) => m.id !== this.#me()) ?? c.members[0];
	}

	/** The first page again: after a greeting that could not replay what was missed. */
	async reload(signal: AbortSignal): Promise<void> {
		await this.#loadPage({}, signal);
	}

	async loadMore(signal?: AbortSignal): Promise<void> {
		if (this.more) await this.#loadPage(this.#next ? { before: this.#next } : {}, signal);
	}

	/** The direct conversation with a user if there is one, looking through the whole list if need be. */
	async find(user: string, signal?: AbortSignal): Promise<Conversation | undefined> {
		for (;;) {
			const c = this.direct(user);
			if (c || !this.more) return c;
			await this.loadMore(signal);
		}
	}

	fetch(id: string, signal?: AbortSignal): Promise<Conversation> {
		let fetching = this.#fetching.get(id);
		if (!fetching) {
			fetching = this.#socket
				.requestUntilAnswered("conversation.get", { conversation: id })
				.then((c) => this.apply(c))
				.finally(() => this.#fetching.delete(id));
			this.#fetching.set(id, fetching);
			ignore(fetching);
		}
		return waitFor(fetching, signal);
	}

	async create(p: ConversationCreate, signal?: AbortSignal): Promise<Conversation> {
		return this.apply(await this.#socket.request("conversation.create", p, signal));
	}

	/** From an event or a result. */
	apply(c: Conversation): Conversation {
		const merged = this.#merge(c);
		this.#changed(c.id);
		return merged;
	}

	/** A message was stored. */
	applyMessage(m: Message): void {
		const c = this.#known.get(m.conversation);
		if (!c) {
			ignore(this.fetch(m.conversation));
			return;
		}
		// The log entry of a call is stored when it begins to ring, and counts as unread only when it was missed. The server counts.
		if (m.kind === "call" && m.seq > (this.mine(c)?.read ?? 0) && missed(m, this.#me()))
			ignore(this.fetch(c.id));
		if (m.seq < c.last_seq || (m.seq === c.last_seq && (c.last?.revision ?? 0) >= (m.revision ?? 0))) return;
		const news = m.seq > c.last_seq && m.sender !== this.#me() && m.kind !== "call" ? 1 : 0;
		this.#set({ ...c, last: m, last_seq: m.seq, unread: c.unread + news });
		this.#changed(c.id);
	}

	applyReceipt(r: Receipt): void {
		const c = this.#known.get(r.conversation);
		if (!c) return;
		const members = c.members.map((m) =>
			m.id === r.user
				? { ...m, delivered: Math.max(m.delivered, r.delivered), read: Math.max(m.read, r.read) }
				: m,
		);
		// Only the receipt of my own marks has the current count; that of another member repeats an older one.
		const unread = r.user === this.#me() ? r.unread : c.unread;
		this.#set({ ...c, members, unread });
		this.#changed(c.id);
	}

	/** This user has read up to `seq` in this browser; the server will say the same. */
	markRead(id: string, seq: number): void {
		const c = this.#known.get(id);
		if (!c) return;
		const members = c.members.map((m) => (m.id === this.#me() ? { ...m, read: Math.max(m.read, seq) } : m));
		this.#set({ ...c, members, unread: seq >= c.last_seq ? 0 : c.unread });
		this.#changed(id);
	}

	applyProfile(u: User): void {
		for (const c of this.#known.values()) {
			if (!c.members.some((m) => m.id === u.id)) continue;
			this.#set({ ...c, members: c.members.map((m) => (m.id === u.id ? { ...m, ...u } : m)) });
			this.#changed(c.id);
		}
	}

	mine(c: Conversation): Member | undefined {
		return c.members.find((m) => m.id === this.#me());
	}

	clear(): void {
		this.#known.clear();
		this.#loaded = false;
		this.#next = undefined;
		this.#changed();
	}

	async #loadPage(p: { before?: string }, signal: AbortSignal | undefined): Promise<void> {
		const page = await this.#socket.requestUntilAnswered("conversation.list", p, signal);
		this.#loaded = true;
		this.#next = page.next;
		for (const c of page.conversations) this.#merge(c);
		this.#changed();
	}

	#merge(c: Conversation): Conversation {
		const known = this.#known.get(c.id);
		if (!known) return this.#set(c);
		const members = c.members.map((m) => {
			const h = known.members.find((x) => x.id === m.id);
			return h ? { ...m, delivered: Math.max(m.delivered, h.delivered), read: Math.max(m.read, h.read) } : m;
		});
		// The server read it from the database before a message was stored that is known here already.
		const ahead = known.last_seq > c.last_seq;
		return this.#set({
			...c,
			members,
			...(ahead && {
				last_seq: known.last_seq,
				unread: known.unread,
				...(known.last && { last: known.last }),
			}),
		});
	}

	#set(c: Conversation): Conversation {
		this.#known.set(c.id, c);
		this.#sorted = undefined;
		return c;
	}

	#changed(conversation?: string): void {
		this.#sorted = undefined;
		this.#events.emit("conversations", conversation === undefined ? {} : { conversation });
		const total = this.unread;
		if (total === this.#toldUnread) return;
		this.#toldUnread = total;
		this.#events.emit("unread", { total });
	}
}

const missed = (m: Message, user: string): boolean =>
	(m.data as Log | undefined)?.outcomes?.some((o) => o.user === user && o.state === "missed") ?? false;
const lastActivity = (c: Conversation): number => c.last?.sent_at ?? c.created_at;
