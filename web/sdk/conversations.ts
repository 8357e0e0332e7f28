/**
 * The conversations of this user, as far as loaded: each as its head, which changes bring up to date, and which is asked for
 * again when they do not suffice. My own marks, and those of the others, only grow.
 */
import type { Emitter } from "./emitter.ts";
import { Refusal, Unanswered } from "./errors.ts";
import { disbelieved, type Head, nowhere, outdated, withChange, withHead, withMembership } from "./heads.ts";
import { later } from "./marks.ts";
import type { People } from "./people.ts";
import type { TabSocket } from "./socket.ts";
import { delivery, type Reach, unknownReach, withMarks } from "./ticks.ts";
import type { ClientEvents, Conversation, Conversations, Delivery } from "./types.ts";
import { unreadIn } from "./unread.ts";
import { any, ignore, waitFor } from "./wait.ts";
import type {
	Change,
	ConversationCreate,
	ConversationMarks,
	Conversations as Heads,
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
	/** A message that is newer than what was known came by a head alone. */
	news(m: Message): void;
}

/** So many heads are asked for at once. */
const askedMost = 100;
/** So many conversations can be watched. */
const watchedMost = 20;
/** How many have joined is asked for this much later, since people join one after another. */
const countMs = 2000;

export class ConversationStore implements Conversations {
	readonly #o: ConversationOptions;
	readonly #heads = new Map<string, Head>();
	readonly #views = new Map<string, Conversation>();
	readonly #reach = new Map<string, Reach>();
	/** By conversation: members beyond those in the head, as far as they were asked for. */
	readonly #members = new Map<string, Map<string, Member>>();
	/** By conversation: how far I have read in this browser, until the server says so. */
	readonly #shown = new Map<string, number>();
	/** While a greeting comes: the conversations that it had. */
	readonly #told = new Set<string>();
	/** How often something was told of another history. */
	#histories = 0;

	/** By conversation that is not known yet: its newest message. */
	readonly #unseen = new Map<string, number>();

	/** Heads that are asked for next. */
	readonly #wanted = new Set<string>();
	/** By conversation: how often its head was asked for since it was last up to date. */
	readonly #tries = new Map<string, number>();
	readonly #fetching = new Map<string, PromiseWithResolvers<Conversation>>();
	#asking: ReturnType<typeof setTimeout> | undefined;
	#askingAt = 0;
	readonly #watched = new Map<string, number>();
	#watching = false;

	#sorted: readonly Conversation[] | undefined;
	#next: string | undefined;
	#loaded = false;
	#toldUnread: number;
	#life = new AbortController();

	constructor(o: ConversationOptions) {
		this.#o = o;
		this.#toldUnread = o.toldUnread;
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
		return c ? delivery(m.seq, c, this.#reachOf(c.id), this.#o.me()) : "sent";
	}

	/** All heads are as the server has told. */
	get whole(): boolean {
		return this.#wanted.size === 0 && ![...this.#heads.values()].some(outdated);
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
		let fetching = this.#fetching.get(id);
		if (!fetching) {
			this.#fetching.set(id, (fetching = promise()));
			ignore(fetching.promise);
			this.#want(id, 0);
		}
		return waitFor(fetching.promise, signal);
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

	async loadMembers(id: string, signal?: AbortSignal): Promise<void> {
		const { socket, people } = this.#o;
		const after = [...(this.#members.get(id)?.keys() ?? [])].sort().at(-1);
		const p = { conversation: id, ...(after !== undefined && { after }) };
		const page = await socket.requestUntilAnswered("conversation.members", p, signal);
		if (!this.#heads.has(id)) return;
		people.learn(page.members);
		const members = this.#members.get(id) ?? new Map<string, Member>();
		this.#members.set(id, members);
		for (const m of page.members) members.set(m.id, m);
		this.#marked(id, { members: page.members.map((m) => ({ ...m, user: m.id })) });
	}

	watch(ids: readonly string[], signal: AbortSignal): void {
		if (signal.aborted) return;
		const add = (n: number) => {
			for (const id of ids) {
				const count = (this.#watched.get(id) ?? 0) + n;
				this.#watched.delete(id); // the latest are last
				if (count > 0) this.#watched.set(id, count);
			}
			this.#watchSoon();
		};
		add(1);
		signal.addEventListener("abort", () => add(-1), { once: true });
	}

	// ---- What the server tells.

	/** A greeting begins. `diverged`: the server may have another history now than what is known. */
	welcomed(diverged: boolean): void {
		this.#told.clear();
		if (diverged) {
			for (const [id, head] of this.#heads) this.#heads.set(id, disbelieved(head));
			this.#histories++;
			this.#shown.clear();
			this.#views.clear();
		}
		if (this.#watched.size > 0) this.#watchSoon();
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
			this.#want(c.feed);
			const m = c.type === "message" ? (c.data as Message) : undefined;
			if (!m || m.revision || m.seq <= (this.#unseen.get(c.feed) ?? 0)) return undefined;
			this.#unseen.set(c.feed, m.seq);
			return m;
		}
		const now = withChange(head, c, this.#o.me());
		if (now === head) return undefined;
		if (c.type === "member") this.#memberChanged(c.feed, c.data as Member);
		this.#set(c.feed, now);
		return now.conversation.last_seq > head.conversation.last_seq ? now.conversation.last : undefined;
	}

	/** A membership of mine, and its place in my own feed. */
	membership(m: Membership, at: Place): void {
		const id = m.conversation;
		if (m.state === "gone") return this.#remove(id);
		const head = this.#heads.get(id);
		if (head) this.#set(id, withMembership(head, m, at));
		else this.#want(id);
	}

	marks(told: ConversationMarks): void {
		this.#marked(told.conversation, told);
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
		this.#drawn(id);
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
		clearTimeout(this.#asking);
		this.#asking = undefined;
		for (const fetching of this.#fetching.values()) fetching.reject(new Unanswered("signed out"));
		for (const kept of [
			this.#heads,
			this.#views,
			this.#reach,
			this.#members,
			this.#shown,
			this.#told,
			this.#unseen,
			this.#wanted,
			this.#tries,
			this.#fetching,
		])
			kept.clear();
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
		this.#reach.set(
			c.id,
			withMarks(this.#reachOf(c.id), { members: c.members.map((m) => ({ ...m, user: m.id })) }),
		);
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
		for (const kept of [this.#views, this.#reach, this.#members, this.#shown, this.#wanted]) kept.delete(id);
		this.#sorted = undefined;
		this.#o.changed(id, undefined);
		this.#changed(id);
	}

	#memberChanged(id: string, m: Member): void {
		this.#o.people.learn([m]);
		const loaded = this.#members.get(id);
		if (m.state !== "gone") loaded?.set(m.id, m);
		else {
			loaded?.delete(m.id);
			const members = new Map(this.#reachOf(id).members);
			members.delete(m.id);
			this.#reach.set(id, { ...this.#reachOf(id), members });
		}
	}

	#reachOf(id: string): Reach {
		return this.#reach.get(id) ?? unknownReach;
	}

	#marked(id: string, told: Pick<ConversationMarks, "members" | "counts">): void {
		if (!this.#heads.has(id)) return;
		this.#reach.set(id, withMarks(this.#reachOf(id), told));
		this.#drawn(id);
	}

	#drawn(id: string): void {
		this.#views.delete(id);
		this.#sorted = undefined;
		this.#o.changed(id, this.get(id));
		this.#changed(id);
	}

	/** What the page sees: all members that are known, everyone's marks, and what was read here. */
	#view(c: WireConversation): Conversation {
		const reach = this.#reachOf(c.id).members;
		const known = new Map(c.members.map((m) => [m.id, m]));
		for (const [id, m] of this.#members.get(c.id) ?? []) if (!known.has(id)) known.set(id, m);
		const members = [...known.values()].map((m) => ({ ...m, ...later(m, reach.get(m.id)) }));
		const read = Math.max(c.mine.read, this.#shown.get(c.id) ?? 0);
		const unread = read > c.mine.read && read >= c.last_seq ? 0 : unreadIn(c);
		return { ...c, members, mine: { ...c.mine, read }, unread };
	}

	#changed(conversation?: string): void {
		this.#o.events.emit("conversations", conversation === undefined ? {} : { conversation });
		const total = this.unread;
		if (total === this.#toldUnread) return;
		this.#toldUnread = total;
		this.#o.events.emit("unread", { total });
	}

	// ---- Heads that are asked for.

	#check(id: string, head: Head): void {
		if (!outdated(head)) {
			// Who fetches it waits for an answer all the same.
			if (!this.#fetching.has(id)) this.#wanted.delete(id);
			this.#tries.delete(id);
		} else if (head.doubt === "count" && head.told === head.conversation.pos) this.#want(id, countMs);
		else this.#want(id);
	}

	/** Asks for a head after `ms`, together with all others that are wanted then. */
	#want(id: string, ms = this.#untilAsked(id)): void {
		this.#wanted.add(id);
		const at = performance.now() + ms;
		if (this.#asking !== undefined && this.#askingAt <= at) return;
		clearTimeout(this.#asking);
		this.#askingAt = at;
		this.#asking = setTimeout(() => {
			this.#asking = undefined;
			void this.#ask(this.#life.signal);
		}, ms);
	}

	/** Spread over tabs, and longer each time that the answer was overtaken by something newer. */
	#untilAsked(id: string): number {
		return Math.min(10_000, (50 + this.#o.random() * 150) * 2 ** (this.#tries.get(id) ?? 0));
	}

	async #ask(life: AbortSignal): Promise<void> {
		const ids = [...this.#wanted].slice(0, askedMost);
		if (ids.length === 0) return;
		const history = this.#histories;
		const told = new Map(ids.map((id) => [id, this.#heads.get(id)?.told]));
		for (const id of ids) {
			this.#wanted.delete(id);
			this.#tries.set(id, (this.#tries.get(id) ?? 0) + 1);
		}
		for (const id of this.#wanted) this.#want(id, 0); // too many for one request
		const { socket } = this.#o;
		try {
			const answer = await socket.requestUntilAnswered("conversation.get", { conversations: ids }, life);
			this.#got(answer, history === this.#histories ? told : new Map(ids.map((id) => [id, undefined])));
		} catch (err) {
			if (life.aborted) return;
			for (const id of ids) {
				this.#fetching.get(id)?.reject(err as Error);
				this.#fetching.delete(id);
			}
		}
	}

	#got({ conversations, more }: Heads, told: ReadonlyMap<string, number | undefined>): void {
		for (const c of conversations) this.#received(c, told.get(c.id));
		const got = new Set(conversations.map((c) => c.id));
		for (const id of told.keys()) {
			if (!got.has(id)) {
				if (more) {
					this.#want(id, 0);
					continue;
				}
				this.#unseen.delete(id);
				this.#remove(id);
			}
			const c = this.get(id);
			const fetching = this.#fetching.get(id);
			this.#fetching.delete(id);
			if (c) fetching?.resolve(c);
			else fetching?.reject(new Refusal("not_found", "There is no such conversation."));
		}
		this.#changed();
	}

	// ---- What is open.

	#watchSoon(): void {
		if (this.#watching) return;
		this.#watching = true;
		queueMicrotask(() => {
			this.#watching = false;
			const { socket } = this.#o;
			if (!socket.greeted) return; // the welcome asks again
			const conversations = [...this.#watched.keys()].slice(-watchedMost);
			socket.request("conversation.watch", { conversations }, this.#life.signal).then(
				(answer) => {
					for (const told of answer.conversations) this.#marked(told.conversation, told);
				},
				(err) => {
					if (err instanceof Refusal && err.retryMs > 0) setTimeout(() => this.#watchSoon(), err.retryMs);
				},
			);
		});
	}
}

const lastActivity = (c: WireConversation): number => c.last?.sent_at ?? c.created_at;

function promise<T>(): PromiseWithResolvers<T> {
	let resolve: PromiseWithResolvers<T>["resolve"] = () => {};
	let reject: PromiseWithResolvers<T>["reject"] = () => {};
	const made = new Promise<T>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	return { promise: made, resolve, reject };
}
