/** The conversations of this user, as far as loaded, with everyone's marks. Marks and last messages only grow. */
import type { Emitter } from "./emitter.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, Conversations } from "./types.ts";
import type { Conversation, ConversationCreate, Log, Member, Message, Receipt, User } from "./wire.gen.ts";

export class ConversationStore implements Conversations {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #me: () => string;
	readonly #held = new Map<string, Conversation>();
	readonly #fetching = new Map<string, Promise<Conversation>>();
	#sorted: readonly Conversation[] | undefined;
	#next: string | undefined;
	#loaded = false;
	#told: number;

	/** `told`: the unread count that listeners have heard already. */
	constructor(socket: TabSocket, events: Emitter<ClientEvents>, me: () => string, told = 0) {
		this.#told = told;
		this.#socket = socket;
		this.#events = events;
		this.#me = me;
	}

	list(): readonly Conversation[] {
		this.#sorted ??= [...this.#held.values()].sort((a, b) => moved(b) - moved(a));
		return this.#sorted;
	}

	get more(): boolean {
		return !this.#loaded || this.#next !== undefined;
	}

	get unread(): number {
		let n = 0;
		for (const c of this.#held.values()) n += c.unread;
		return n;
	}

	get(id: string): Conversation | undefined {
		return this.#held.get(id);
	}

	direct(user: string): Conversation | undefined {
		for (const c of this.#held.values()) if (c.kind === "direct" && this.other(c)?.id === user) return c;
		return undefined;
	}

	other(c: Conversation): User | undefined {
		if (c.kind !== "direct") return undefined;
		// In a conversation with oneself the other is oneself.
		return c.members.find((m) => m.id !== this.#me()) ?? c.members[0];
	}

	/** The first page again: after a greeting that could not replay what was missed. */
	async reload(signal: AbortSignal): Promise<void> {
		const page = await this.#socket.requestUntilAnswered("conversation.list", {}, signal);
		this.#loaded = true;
		this.#next = page.next;
		for (const c of page.conversations) this.#merge(c);
		this.#changed();
	}

	async loadMore(signal?: AbortSignal): Promise<void> {
		if (!this.more) return;
		const before = this.#next;
		const page = await this.#socket.requestUntilAnswered(
			"conversation.list",
			before ? { before } : {},
			signal,
		);
		this.#loaded = true;
		this.#next = page.next;
		for (const c of page.conversations) this.#merge(c);
		this.#changed();
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
		let p = this.#fetching.get(id);
		if (!p) {
			p = this.#socket
				.requestUntilAnswered("conversation.get", { conversation: id }, signal)
				.then((c) => this.take(c));
			this.#fetching.set(id, p);
			const over = () => this.#fetching.delete(id);
			p.then(over, over);
		}
		return p;
	}

	async create(p: ConversationCreate, signal?: AbortSignal): Promise<Conversation> {
		return this.take(await this.#socket.request("conversation.create", p, signal));
	}

	/** From an event or a result. */
	take(c: Conversation): Conversation {
		const merged = this.#merge(c);
		this.#changed(c.id);
		return merged;
	}

	/** A message was stored. */
	message(m: Message): void {
		const c = this.#held.get(m.conversation);
		if (!c) {
			void this.fetch(m.conversation).catch(() => {});
			return;
		}
		// A call is written when it begins to ring and counts only once it was missed: the server's count then.
		if (m.kind === "call" && m.seq > (this.mine(c)?.read ?? 0) && missed(m, this.#me()))
			void this.fetch(c.id).catch(() => {});
		if (m.seq < c.last_seq || (m.seq === c.last_seq && (c.last?.revision ?? 0) >= (m.revision ?? 0))) return;
		const news = m.seq > c.last_seq && m.sender !== this.#me() && m.kind !== "call" ? 1 : 0;
		this.#set({ ...c, last: m, last_seq: m.seq, unread: c.unread + news });
		this.#changed(c.id);
	}

	receipt(r: Receipt): void {
		const c = this.#held.get(r.conversation);
		if (!c) return;
		const members = c.members.map((m) =>
			m.id === r.user
				? { ...m, delivered: Math.max(m.delivered, r.delivered), read: Math.max(m.read, r.read) }
				: m,
		);
		// The count comes with my own marks; a receipt of another repeats it as it was when that one read.
		const unread = r.user === this.#me() ? r.unread : c.unread;
		this.#set({ ...c, members, unread });
		this.#changed(c.id);
	}

	/** I read up to `seq` here; the server will say the same. */
	read(id: string, seq: number): void {
		const c = this.#held.get(id);
		if (!c) return;
		const members = c.members.map((m) => (m.id === this.#me() ? { ...m, read: Math.max(m.read, seq) } : m));
		this.#set({ ...c, members, unread: seq >= c.last_seq ? 0 : c.unread });
		this.#changed(id);
	}

	profile(u: User): void {
		for (const c of this.#held.values()) {
			if (!c.members.some((m) => m.id === u.id)) continue;
			this.#set({ ...c, members: c.members.map((m) => (m.id === u.id ? { ...m, ...u } : m)) });
			this.#changed(c.id);
		}
	}

	mine(c: Conversation): Member | undefined {
		return c.members.find((m) => m.id === this.#me());
	}

	clear(): void {
		this.#held.clear();
		this.#loaded = false;
		this.#next = undefined;
		this.#changed();
	}

	#merge(c: Conversation): Conversation {
		const held = this.#held.get(c.id);
		if (!held) return this.#set(c);
		const members = c.members.map((m) => {
			const h = held.members.find((x) => x.id === m.id);
			return h ? { ...m, delivered: Math.max(m.delivered, h.delivered), read: Math.max(m.read, h.read) } : m;
		});
		// It was read from the database before the message arrived that we already have.
		const ahead = held.last_seq > c.last_seq;
		return this.#set({
			...c,
			members,
			...(ahead && { last_seq: held.last_seq, unread: held.unread, ...(held.last && { last: held.last }) }),
		});
	}

	#set(c: Conversation): Conversation {
		this.#held.set(c.id, c);
		this.#sorted = undefined;
		return c;
	}

	#changed(conversation?: string): void {
		this.#sorted = undefined;
		this.#events.emit("conversations", conversation === undefined ? {} : { conversation });
		const total = this.unread;
		if (total === this.#told) return;
		this.#told = total;
		this.#events.emit("unread", { total });
	}
}

const missed = (m: Message, user: string): boolean =>
	(m.data as Log | undefined)?.outcomes?.some((o) => o.user === user && o.state === "missed") ?? false;
const moved = (c: Conversation): number => c.last?.sent_at ?? c.created_at;
