/** A server in memory with one user's feeds. Its answers are as of when they are read; whether and when they arrive is up to the test. */
import { itemKey } from "../feed.ts";
import type {
	Change,
	Changes,
	Conversation,
	FeedPosition,
	Floor,
	Greeting,
	Hello,
	Item,
	ItemData,
	ItemType,
	Marks,
	Membership,
	Message,
	Requests,
} from "../wire.gen.ts";

/** Short, so that a test needs few messages to have pages. */
const pageItems = 3;

const joined = (id: string) =>
	({ id, name: id, role: "member", state: "joined", delivered: 0, read: 0 }) as const;

class Feed {
	pos = 0;
	/** The highest pos of what was removed. */
	floor = 0;
	readonly #items = new Map<string, Item>();

	constructor(
		readonly id: string,
		readonly tag: () => string,
	) {}

	put<T extends ItemType>(type: T, data: ItemData[T]): Change {
		const item: Item = { pos: ++this.pos, tag: this.tag(), type, data };
		this.#items.set(itemKey(item), item);
		return { feed: this.id, ...item };
	}

	/** Retention takes them. It is no change of the feed. */
	remove(items: readonly Item[]): void {
		for (const item of items) {
			this.#items.delete(itemKey(item));
			this.floor = Math.max(this.floor, item.pos);
		}
	}

	copy(): Feed {
		const feed = new Feed(this.id, this.tag);
		for (const [key, item] of this.#items) feed.#items.set(key, item);
		Object.assign(feed, { pos: this.pos, floor: this.floor });
		return feed;
	}

	all(): Item[] {
		return [...this.#items.values()].sort((a, b) => a.pos - b.pos);
	}

	/** Whether this is the continuation of what a tab has. */
	continues({ pos, newest }: FeedPosition): boolean {
		const there = newest.flatMap((n) =>
			this.all()
				.filter((i) => i.pos === n.pos)
				.map((i) => i.tag === n.tag),
		);
		const same =
			there.length > 0 || (pos === 0 && newest.length === 0) || (this.id === "me" && newest.length > 0);
		return pos <= this.pos && pos >= this.floor && same && !there.includes(false);
	}

	changes(after: number): Changes {
		if (after > this.pos || after < this.floor)
			return { items: [], up_to: this.pos, more: false, reset: true, users: [] };
		const missed = this.all().filter((i) => i.pos > after);
		const items = missed.slice(0, pageItems);
		const more = items.length < missed.length;
		return { items, up_to: more ? (items.at(-1)?.pos ?? 0) : this.pos, more, reset: false, users: [] };
	}
}

class Room {
	messages: Message[] = [];
	lastSeq = 0;
	floor: Floor | undefined;
	mine: Membership;
	mineAt: Change;
	name = "";
	n = 0;
	missedSeq = 0;

	constructor(
		readonly feed: Feed,
		own: Feed,
	) {
		const none = { from_seq: 0, read: 0, read_n: 0, own_ahead: 0, missed: 0 };
		this.mine = { conversation: feed.id, state: "joined", role: "member", ...none };
		this.mineAt = own.put("membership", { ...this.mine });
		feed.put("member", joined("alice"));
		feed.put("member", joined("bob"));
	}

	head(): Conversation {
		const last = this.messages.at(-1);
		return {
			id: this.feed.id,
			kind: "direct",
			name: this.name,
			created_at: 1,
			pos: this.feed.pos,
			...(this.floor && { floor: this.floor }),
			last_seq: this.lastSeq,
			n: this.n,
			...(last && { last }),
			count: 2,
			members: [joined("alice"), joined("bob")],
			mine: { ...this.mine },
			mine_at: { pos: this.mineAt.pos, tag: this.mineAt.tag ?? "" },
		};
	}

	/** The room as it is now, whatever happens to it later. */
	copy(): Room {
		const { messages, mine, feed } = this;
		return Object.assign(Object.create(Room.prototype), this, {
			messages: [...messages],
			mine: { ...mine },
			feed: feed.copy(),
		});
	}

	ownAfter(seq: number): number {
		return this.messages.filter((m) => m.seq > seq && m.sender === "alice" && m.kind === "text").length;
	}
}

export class FakeServer {
	readonly rooms = new Map<string, Room>();
	#own: Feed;
	#at = 1000;
	#changedAt = new Map<string, number>();
	#sent = new Map<string, { room: string; seq: number }>();

	constructor(rooms: readonly string[], tag: () => string) {
		this.#own = new Feed("me", tag);
		for (const id of rooms) this.rooms.set(id, new Room(new Feed(id, tag), this.#own));
	}

	/** What is stored now. Calling it brings that back, and all since then is lost. */
	saved(): () => void {
		const rooms = [...this.rooms].map(([id, room]) => [id, room.copy()] as const);
		const [own, changedAt, sent] = [this.#own.copy(), new Map(this.#changedAt), new Map(this.#sent)];
		return () => {
			for (const [id, room] of rooms) this.rooms.set(id, room.copy());
			this.#own = own.copy();
			this.#changedAt = new Map(changedAt);
			this.#sent = new Map(sent);
		};
	}

	get feeds(): Feed[] {
		return [this.#own, ...[...this.rooms.values()].map((r) => r.feed)];
	}

	post(id: string, sender: string, kind: Message["kind"] = "text", client_id?: string): Change {
		const room = this.#room(id);
		const seq = ++room.lastSeq;
		if (kind === "text") room.n++;
		const base = {
			id: `${id}${seq}`,
			conversation: id,
			seq,
			n: room.n,
			sender,
			kind,
			text: `${seq}`,
			sent_at: seq,
		};
		const m: Message = { ...base, ...(client_id !== undefined && { client_id }) };
		room.messages.push(m);
		if (sender === "alice" && kind === "text") room.mine.own_ahead++;
		return this.#put(room, m);
	}

	/** Changes one of the messages, if there is one. */
	edit(id: string, which: number): Change[] {
		const room = this.#room(id);
		const old = room.messages[which % Math.max(1, room.messages.length)];
		if (!old) return [];
		const m = { ...old, revision: (old.revision ?? 0) + 1, text: `${old.text}'` };
		room.messages[room.messages.indexOf(old)] = m;
		const told = [this.#put(room, m)];
		if (m.kind === "call" && m.seq > room.mine.read && m.seq > room.missedSeq) {
			room.mine.missed = (room.mine.missed ?? 0) + 1;
			room.missedSeq = m.seq;
			told.push(this.#moved(room));
		}
		return told;
	}

	/** I have read up to `seq`, here or on another device. */
	read(id: string, seq: number): Change[] {
		const room = this.#room(id);
		const read = Math.min(seq, room.lastSeq);
		if (read <= room.mine.read) return [];
		Object.assign(room.mine, {
			read,
			read_n: room.messages.findLast((m) => m.seq <= read)?.n ?? room.floor?.n ?? 0,
			own_ahead: room.ownAfter(read),
		});
		if (room.missedSeq <= read) room.mine.missed = 0;
		return [this.#moved(room)];
	}

	/** Retention removes the first messages, if there are so many that are not of the tab's own outbox, and tells nobody. */
	expire(id: string, most: number): void {
		const room = this.#room(id);
		const kept = room.messages.findIndex((m, i) => i === most || m.client_id !== undefined);
		const gone = room.messages.splice(0, kept < 0 ? most : kept);
		const last = gone.at(-1);
		if (!last) return;
		const seqs = new Set(gone.map((m) => m.seq));
		room.feed.remove(room.feed.all().filter((i) => i.type === "message" && seqs.has(seqOf(i))));
		room.floor = { seq: last.seq, pos: room.feed.floor, n: last.n };
		room.mine.own_ahead = room.ownAfter(room.mine.read);
		if (room.missedSeq <= last.seq) room.mine.missed = 0;
	}

	rename(id: string, name: string): Change {
		const room = this.#room(id);
		room.name = name;
		this.#changedAt.set(id, ++this.#at);
		return room.feed.put("conversation", { name });
	}

	set(key: string, value: unknown): Change {
		return this.#own.put("object", { key, value, tab: "another" });
	}

	unread(id: string): number {
		const { messages, mine } = this.#room(id);
		const text = messages.filter(
			(m) => m.seq > mine.read && m.sender !== "alice" && m.kind === "text",
		).length;
		return text + (mine.missed ?? 0);
	}

	objects(): Map<string, unknown> {
		const all = this.#own.all().flatMap((i) => (i.type === "object" ? [i.data as ItemData["object"]] : []));
		return new Map(all.filter((o) => o.value !== null).map((o) => [o.key, o.value]));
	}

	/** What follows hello: the welcome's part of it, and what comes between it and synced. */
	greet(
		{ resume }: Hello,
		canResume: boolean,
	): { resumed: boolean; diverged: string[]; pages: Greeting[]; at: number } {
		const resumed = canResume && resume !== undefined;
		const rooms = [...this.rooms.values()];
		const changed = resumed
			? rooms.filter((r) => (this.#changedAt.get(r.feed.id) ?? 0) >= resume.at - 1)
			: rooms;
		const known = Object.entries(resume?.feeds ?? {});
		const diverged = known
			.filter(([id, p]) => this.feeds.some((f) => f.id === id && !f.continues(p)))
			.map(([id]) => id);
		const after = resumed ? (resume.feeds.me?.pos ?? 0) : 0;
		const items = this.#own.all().filter((i) => i.pos > after && (resumed || i.type !== "membership"));
		const pages: Greeting[] = [
			{ items, pos: this.#own.pos },
			{ conversations: changed.map((r) => r.head()) },
		];
		return { resumed, diverged: resumed ? diverged : [], pages, at: this.#at };
	}

	/** The answer to a request as of now, and what there is to tell because of it. */
	answer<M extends keyof Requests>(method: M, params: unknown): { result: object; told: Change[] } {
		switch (method as keyof Requests) {
			case "feed.changes": {
				const { feed, after } = params as Requests["feed.changes"]["params"];
				const known = this.feeds.find((f) => f.id === feed);
				return { result: known?.changes(after) ?? {}, told: [] };
			}
			case "conversation.get": {
				const { conversations } = params as Requests["conversation.get"]["params"];
				const heads = conversations.map((id) => this.#room(id).head());
				return { result: { conversations: heads.slice(0, 1), more: heads.length > 1 }, told: [] };
			}
			case "message.page": {
				const { conversation, before = 0 } = params as Requests["message.page"]["params"];
				const { feed } = this.#room(conversation);
				const all = feed.all().filter((i) => i.type === "message" && (before === 0 || seqOf(i) < before));
				const bySeq = all.sort((a, b) => seqOf(a) - seqOf(b));
				const items = bySeq.slice(-pageItems);
				return { result: { items, users: [], more: items.length < all.length, pos: feed.pos }, told: [] };
			}
			case "message.send": {
				const { conversation = "", client_id } = params as Requests["message.send"]["params"];
				const sent = this.#sent.get(client_id);
				const change = sent ? this.#again(sent) : this.post(conversation, "alice", "text", client_id);
				if (!sent) this.#sent.set(client_id, { room: conversation, seq: seqOf(change) });
				return { result: change, told: sent ? [] : [change] };
			}
			case "marks.set": {
				const { marks } = params as { marks: Record<string, Marks> };
				return { result: {}, told: Object.entries(marks).flatMap(([id, m]) => this.read(id, m.read)) };
			}
			default:
				return { result: {}, told: [] };
		}
	}

	#again({ room, seq }: { room: string; seq: number }): Change {
		const item = this.#room(room)
			.feed.all()
			.find((i) => i.type === "message" && seqOf(i) === seq);
		return { feed: room, ...(item as Item) };
	}

	/** My membership has a new place in my own feed. */
	#moved(room: Room): Change {
		room.mineAt = this.#own.put("membership", { ...room.mine });
		return room.mineAt;
	}

	#put(room: Room, m: Message): Change {
		this.#changedAt.set(room.feed.id, ++this.#at);
		return room.feed.put("message", m);
	}

	#room(id: string): Room {
		const room = this.rooms.get(id);
		if (!room) throw new Error(`no conversation ${id}`);
		return room;
	}
}

const seqOf = (i: Pick<Item, "data"> | Change): number => (i.data as Message).seq;
