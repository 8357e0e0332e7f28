/**
 * The conversations of this user, as far as loaded: each as its head, which changes bring up to date, and which is asked for
 * again when they do not suffice. My own marks, and those of the others, only grow.
 */
import type { Emitter } from "./emitter.ts";
import { HeadRequests } from "./heads.requests.ts";
import { disbelieved, type Head, nowhere, outdated, withChange, withHead, withMembership } from "./heads.ts";
import { Members } from "./members.ts";
import type { People } from "./people.ts";
import type { TabSocket } from "./socket.ts";
import { delivery } from "./ticks.ts";
import type { ClientEvents, Conversation, Conversations, Delivery } from "./types.ts";
import { unreadIn } from "./unread.ts";
import { any } from "./wait.ts";
import { Watched } from "./watched.ts";
import type {
	Change,
	ConversationCreate,
	ConversationMarks,
	Member,
	Membership,
	Message,
	Place,
	User,
	Conversation as WireConversation,
} from "./wire.gen.ts";

export interface ConversationOptions {
	socket: TabSocket;
	events: Emitter<ClientEvents>;
	people: People;
	me: () => string;
	random: () => number;
	/** The unread count that listeners have heard already. */
	toldUnread: number;
	/** A head came by another way than the greeting. */
	headCame(c: WireConversation): void;
	/** A conversation is not as it was; undefined: it is not mine any more. */
	changed(id: string, c: Conversation | undefined): void;
	/** I have removed this message for myself. */
	hidden(m: Message): boolean;
	/** A message that is newer than what was known came by a head alone. */
	news(m: Message): void;
}

/** So many conversations can be watched. */
const watchedMost = 20;
/** How many have joined is asked for this much later, since people join one after another. */
const countMs = 2000;

export class ConversationStore implements Conversations {
	readonly #o: ConversationOptions;
	readonly #heads = new Map<string, Head>();
	readonly #views = new Map<string, Conversation>();
	readonly #members = new Members();
	readonly #requests: HeadRequests;
	readonly #watched: Watched;
	/** By conversation: how far I have read in this browser, until the server says so. */
	readonly #shown = new Map<string, number>();
	/** While a greeting comes: the conversations that it had. */
	readonly #told = new Set<string>();
	/** By conversation that is not known yet: its newest message. */
	readonly #unseen = new Map<string, number>();

	#sorted: readonly Conversation[] | undefined;
	#next: string | undefined;
	#loaded = false;
	#toldUnread: number;
	#life = new AbortController();

	constructor(o: ConversationOptions) {
		this.#o = o;
		this.#toldUnread = o.toldUnread;
		this.#requests = new HeadRequests({
			socket: o.socket,
			random: o.random,
			get: (id) => this.get(id),
			told: (id) => this.#heads.get(id)?.told,
			received: (c, told) => this.#received(c, told),
			missing: (id) => {
				this.#unseen.delete(id);
				this.#remove(id);
			},
			answered: () => this.#changed(),
		});
		this.#watched = new Watched(o.socket, async (ids) => {
			const conversations = ids.slice(-watchedMost);
			const answer = await o.socket.request("conversation.watch", { conversations }, this.#life.signal);
			for (const told of answer.conversations) this.marks(told);
		});
	}

	list(): readonly Conversation[] {
		this.#sorted ??= [...this.#heads.keys()]
			.flatMap((id) => this.get(id) ?? [])
			.sort((a, b) => lastActivity(b) - lastActivity(a));
		return this.#sorted;
	}

	get more(): boolean {
		return !this.#loaded || this.#next !== undefined;
	}

	get unread(): number {
		let sum = 0;
		for (const id of this.#heads.keys()) sum += this.get(id)?.unread ?? 0;
		return sum;
	}

	get(id: string): Conversation | undefined {
		let view = this.#views.get(id);
		const head = this.#heads.get(id);
		if (!view && head) this.#views.set(id, (view = this.#view(head.conversation)));
		return view;
	}

	direct(user: string): Conversation | undefined {
		for (const id of this.#heads.keys()) {
			const c = this.get(id);
			if (c && this.other(c)?.id === user) return c;
		}
		return undefined;
	}

	other(c: Conversation): User | undefined {
		if (c.kind !== "direct") return undefined;
		// In a conversation with oneself the other is oneself.
		return c.members.find((m) => m.id !== this.#o.me()) ?? c.members[0];
	}

	delivery(m: Message): Delivery {
		const c = this.get(m.conversation);
		return c ? delivery(m.seq, c, this.#members.reach(c.id), this.#o.me()) : "sent";
	}

	/** All heads are as the server has told. */
	get whole(): boolean {
		return this.#requests.idle && ![...this.#heads.values()].some(outdated);
	}

	/** What was told of a conversation is not there. */
	distrust(id: string): void {
		const head = this.#heads.get(id);
		if (head) this.#put(id, { ...head, doubt: "all" });
	}

	/** The highest pos of a conversation's feed that was told of. */
	told(id: string): number {
		return this.#heads.get(id)?.told ?? 0;
	}

	async loadMore(signal?: AbortSignal): Promise<void> {
		if (!this.more) return;
		const { socket } = this.#o;
		const life = any(signal, this.#life.signal);
		const before = this.#next;
		const page = await socket.requestUntilAnswered("conversation.list", before ? { before } : {}, life);
		this.#loaded = true;
		this.#next = page.next;
		for (const c of page.conversations) this.#received(c);
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
		return this.#requests.fetch(id, signal);
	}

	async create(p: ConversationCreate, signal?: AbortSignal): Promise<Conversation> {
		return this.#answered(await this.#o.socket.request("conversation.create", p, signal));
	}

	async join(id: string, signal?: AbortSignal): Promise<Conversation> {
		return this.#answered(await this.#o.socket.request("conversation.join", { conversation: id }, signal));
	}

	async leave(id: string, signal?: AbortSignal): Promise<void> {
		await this.#o.socket.request("conversation.leave", { conversation: id }, signal);
		this.#remove(id);
	}

	async decide(
		id: string,
		p: { mutedUntil?: number; archived?: boolean; favourite?: boolean },
		signal?: AbortSignal,
	): Promise<void> {
		const { mutedUntil: muted_until, archived, favourite } = p;
		const change = {
			conversation: id,
			...(muted_until !== undefined && { muted_until }),
			...(archived !== undefined && { archived }),
			...(favourite !== undefined && { favourite }),
		};
		await this.#o.socket.request("conversation.mine", change, signal);
	}

	async wipe(id: string, signal?: AbortSignal): Promise<void> {
		const up_to = this.get(id)?.last_seq ?? 0;
		if (up_to > 0) await this.#o.socket.request("conversation.clear", { conversation: id, up_to }, signal);
	}

	async loadMembers(id: string, signal?: AbortSignal): Promise<void> {
		const { socket, people } = this.#o;
		const after = this.#members.last(id);
		const p = { conversation: id, ...(after !== undefined && { after }) };
		const page = await socket.requestUntilAnswered("conversation.members", p, signal);
		if (!this.#heads.has(id)) return;
		people.learn(page.members);
		this.#members.load(id, page.members);
		this.drawn(id);
	}

	watch(ids: readonly string[], signal: AbortSignal): void {
		this.#watched.add(ids, signal);
	}

	// ---- What the server tells.

	/** A greeting begins. `diverged`: the server may have another history now than what is known. */
	welcomed(diverged: boolean): void {
		this.#told.clear();
		if (diverged) {
			for (const [id, head] of this.#heads) this.#heads.set(id, disbelieved(head));
			this.#requests.diverged();
			this.#shown.clear();
			this.#views.clear();
		}
		this.#watched.greeted();
	}

	/** A page of the greeting. If it was not resumed, what it has is all that counts, and `next` continues the list. */
	greeted(heads: readonly WireConversation[], next: string | undefined, resumed: boolean): void {
		for (const c of heads) {
			this.#told.add(c.id);
			this.#received(c);
		}
		if (!resumed) this.#next = next;
		this.#changed();
	}

	/** The greeting has ended. `all`: it had every conversation that changed. */
	synced(resumed: boolean, all: boolean): void {
		if (!resumed) {
			this.#loaded = true;
			for (const id of [...this.#heads.keys()]) if (!this.#told.has(id)) this.#remove(id);
		} else if (!all) {
			for (const [id, head] of this.#heads)
				if (!this.#told.has(id)) this.#heads.set(id, { ...head, doubt: "all" });
		}
		for (const [id, head] of this.#heads) this.#check(id, head);
		this.#changed();
	}

	/** A change of a conversation's feed. Returns the message if it is newer than all before. */
	change(c: Change): Message | undefined {
		const head = this.#heads.get(c.feed);
		if (!head) {
			this.#requests.want(c.feed);
			const m = c.type === "message" ? (c.data as Message) : undefined;
			if (!m || m.revision || m.seq <= (this.#unseen.get(c.feed) ?? 0)) return undefined;
			this.#unseen.set(c.feed, m.seq);
			return m;
		}
		const now = withChange(head, c, this.#o.me());
		if (now === head) return undefined;
		if (c.type === "member") {
			this.#o.people.learn([c.data as Member]);
			this.#members.change(c.feed, c.data as Member);
		}
		this.#set(c.feed, now);
		return now.conversation.last_seq > head.conversation.last_seq ? now.conversation.last : undefined;
	}

	/** A membership of mine, and its place in my own feed. */
	membership(m: Membership, at: Place): void {
		const id = m.conversation;
		if (m.state === "gone") return this.#remove(id);
		const head = this.#heads.get(id);
		if (head) this.#set(id, withMembership(head, m, at));
		else this.#requests.want(id);
	}

	marks(told: ConversationMarks): void {
		const id = told.conversation;
		if (!this.#heads.has(id)) return;
		this.#members.marked(id, told);
		this.drawn(id);
	}

	applyProfile(u: User): void {
		for (const [id, head] of this.#heads) {
			const c = head.conversation;
			if (!c.members.some((m) => m.id === u.id)) continue;
			const members = c.members.map((m) => (m.id === u.id ? { ...m, ...u } : m));
			this.#set(id, { ...head, conversation: { ...c, members } });
		}
	}

	/** I have read up to `seq` in this browser; the server will say the same. */
	markRead(id: string, seq: number): void {
		if (seq <= (this.get(id)?.mine.read ?? 0)) return;
		this.#shown.set(id, seq);
		this.drawn(id);
	}

	/** A message of mine has begun a conversation with a user, which is not known yet. */
	begun(id: string, to: string, c: Change): void {
		if (this.#heads.has(id)) return;
		const me = this.#o.me();
		const members = [...new Set([me, to])].map((user) => ({
			...(this.#o.people.known(user) ?? { id: user, name: user }),
			role: "member" as const,
			state: "joined" as const,
			delivered: 0,
			read: 0,
		}));
		const mine = { state: "joined", role: "member", from_seq: 0, read: 0, read_n: 0, own_ahead: 0 } as const;
		const { sent_at } = c.data as Message;
		const head = { id, kind: "direct", created_at: sent_at, pos: 0, last_seq: 0, n: 0, count: 2 } as const;
		const own = { mine: { ...mine, conversation: id }, mine_at: nowhere };
		this.#put(id, withHead(undefined, { ...head, members, ...own }));
	}

	clear(): void {
		this.#life.abort();
		this.#life = new AbortController();
		this.#requests.clear();
		this.#members.clear();
		for (const kept of [this.#heads, this.#views, this.#shown, this.#told, this.#unseen]) kept.clear();
		this.#loaded = false;
		this.#next = undefined;
		this.#changed();
	}

	// ---- Steps.

	#answered(c: WireConversation): Conversation {
		this.#received(c);
		this.#changed(c.id);
		return this.get(c.id) as Conversation;
	}

	/** A head of the server; `asked` as in {@link withHead}. */
	#received(c: WireConversation, asked?: number): void {
		const known = this.#heads.get(c.id);
		this.#o.people.learn(c.members);
		this.#o.headCame(c);
		const head = withHead(known, c, asked);
		this.#members.seen(c.id, c.members);
		this.#put(c.id, head);
		const { last, last_seq } = head.conversation;
		if (known && last && last_seq > known.conversation.last_seq && this.#o.socket.synced) this.#o.news(last);
	}

	#set(id: string, head: Head): void {
		this.#put(id, head);
		this.#changed(id);
	}

	#put(id: string, head: Head): void {
		this.#unseen.delete(id);
		this.#heads.set(id, head);
		const { mine, last_seq } = head.conversation;
		const shown = this.#shown.get(id) ?? 0;
		// The server says so, or has lost what was shown.
		if (shown <= mine.read || shown > last_seq) this.#shown.delete(id);
		this.#views.delete(id);
		this.#sorted = undefined;
		this.#check(id, head);
		this.#o.changed(id, this.get(id));
	}

	#remove(id: string): void {
		if (!this.#heads.delete(id)) return;
		for (const kept of [this.#views, this.#shown]) kept.delete(id);
		this.#members.forget(id);
		this.#requests.forget(id);
		this.#sorted = undefined;
		this.#o.changed(id, undefined);
		this.#changed(id);
	}

	/** A conversation looks otherwise than before, and is itself what it was. */
	drawn(id: string): void {
		this.#views.delete(id);
		this.#sorted = undefined;
		this.#o.changed(id, this.get(id));
		this.#changed(id);
	}

	/** What the page sees: all members that are known, everyone's marks, and what was read here. */
	#view(c: WireConversation): Conversation {
		const read = Math.max(c.mine.read, this.#shown.get(c.id) ?? 0);
		const unread = read > c.mine.read && read >= c.last_seq ? 0 : unreadIn(c);
		const view = { ...c, members: this.#members.of(c), mine: { ...c.mine, read }, unread };
		return c.last && this.#o.hidden(c.last) ? { ...view, last: hiddenLast(c.last) } : view;
	}

	#changed(conversation?: string): void {
		this.#o.events.emit("conversations", conversation === undefined ? {} : { conversation });
		const total = this.unread;
		if (total === this.#toldUnread) return;
		this.#toldUnread = total;
		this.#o.events.emit("unread", { total });
	}

	#check(id: string, head: Head): void {
		if (!outdated(head)) this.#requests.settled(id);
		else if (head.doubt === "count" && head.told === head.conversation.pos) this.#requests.want(id, countMs);
		else this.#requests.want(id);
	}
}

/** What the list has of a message that I have removed for myself. */
function hiddenLast({ text: _, data: __, preview: ___, ...rest }: Message): Message {
	return { ...rest, gone: "hidden" };
}

const lastActivity = (c: WireConversation): number => c.last?.sent_at ?? c.created_at;
