import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClientBase } from "./base.ts";
import { bare, change, connect, FakePage, greet, item, Memory, synced, turn } from "./testing/wire.ts";
import type { ClientOptions } from "./types.ts";
import { ignore } from "./wait.ts";
import type { Conversation, Item, Membership, Message, Reactions } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const member = (id: string) =>
	({ id, name: id, role: "member", state: "joined", delivered: 0, read: 0 }) as const;

const membership = (changes: Partial<Membership> = {}): Membership => ({
	conversation: "c",
	state: "joined",
	role: "member",
	from_seq: 0,
	read: 0,
	read_n: 0,
	own_ahead: 0,
	...changes,
});

/** The conversation of alice and bob as its feed has come to a pos, with as many messages, all read. */
const conversation = (pos: number, changes: Partial<Conversation> = {}): Conversation => ({
	id: "c",
	kind: "direct",
	members: [member("alice"), member("bob")],
	count: 2,
	pos,
	last_seq: pos,
	n: pos,
	created_at: 1,
	mine: membership({ read: pos, read_n: pos }),
	mine_at: { pos: 1, tag: "03e1f00ba4c0ffee" },
	...changes,
});

const message = (seq: number, changes: Partial<Message> = {}): Message => ({
	id: `m${seq}`,
	conversation: "c",
	seq,
	n: seq,
	sender: "bob",
	kind: "text",
	text: `${seq}`,
	sent_at: seq,
	...changes,
});

/** Messages as a page has them, each under its seq. */
const range = (from: number, to: number, make = message): Item[] =>
	Array.from({ length: to - from + 1 }, (_, n) => item(from + n, "message", make(from + n)));
const sent = (pos: number, m: Message) => change(m.conversation, pos, "message", m);
const page = (items: Item[], more = false, pos = items.at(-1)?.pos ?? 0) => ({ items, users: [], more, pos });

/** Alice's tab with the conversation open, which has these messages. */
async function opened(tab: FakePage, items: Item[], more = false, head: Partial<Conversation> = {}) {
	const { client } = await connect(tab);
	const pos = items.at(-1)?.pos ?? 0;
	await greet(tab, { conversations: [conversation(pos, head)], pos: 7 });
	const open = client.messages.open({ to: "bob" });
	await turn();
	tab.wire.answer("message.page", page(items, more));
	await open;
	const seqs = () => client.messages.transcript({ conversation: "c" }).rows.map((r) => r.message.seq);
	return { client, seqs };
}

/** The connection is lost, and comes back to a greeting. */
async function comeBack(tab: FakePage, greeting: Parameters<typeof greet>[1], whole = true) {
	tab.wire.end(4008);
	await vi.advanceTimersByTimeAsync(1000);
	return greet(tab, greeting, whole);
}

/** Until a hole is asked for. */
const jitter = () => vi.advanceTimersByTimeAsync(200);

describe("a transcript", () => {
	it("holds the newest page, then older ones, then what arrives", async () => {
		const tab = new FakePage();
		const { client, seqs } = await opened(tab, range(4, 6), true);
		const older = client.messages.older({ conversation: "c" });
		await turn();
		expect(tab.wire.last("message.page").params).toEqual({ conversation: "c", before: 4 });
		tab.wire.answer("message.page", page(range(1, 3)));
		await older;
		tab.wire.say(sent(7, message(7)));
		expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
		expect(client.messages.transcript({ to: "bob" }).more).toBe(false);
	});

	it("goes on from a page that is shorter than any count, as long as the server says that there is more", async () => {
		const tab = new FakePage();
		const { client, seqs } = await opened(tab, range(6, 6), true);
		for (const [first, more] of [
			[5, true],
			[4, false],
		] as const) {
			const older = client.messages.older({ conversation: "c" });
			await turn();
			tab.wire.answer("message.page", page(range(first, first), more));
			await older;
		}
		expect(seqs()).toEqual([4, 5, 6]);
		expect(client.messages.transcript({ to: "bob" }).more).toBe(false);
	});

	it("asks for what was missed after a resume, of the conversations that it keeps", async () => {
		const tab = new FakePage();
		const { seqs } = await opened(tab, range(1, 3));
		const hello = await comeBack(tab, { resumed: true, conversations: [conversation(10)] });
		expect(hello.resume).toMatchObject({ at: 1000, opening: "opening-1" });
		expect(hello.resume?.feeds.c?.pos).toBe(3);
		expect(hello.resume?.feeds.c?.newest.map((p) => p.pos)).toEqual([3, 2, 1]);
		expect(hello.resume?.feeds.me?.pos).toBe(7);
		await jitter();
		expect(tab.wire.last("feed.changes").params).toEqual({ feed: "c", after: 3 });
		tab.wire.answer("feed.changes", { items: range(4, 7), up_to: 7, more: true, reset: false, users: [] });
		await turn();
		expect(tab.wire.last("feed.changes").params).toEqual({ feed: "c", after: 7 });
		tab.wire.answer("feed.changes", { items: range(8, 10), up_to: 10, more: false, reset: false, users: [] });
		await turn();
		expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
		await vi.advanceTimersByTimeAsync(5000);
		expect(tab.wire.all("feed.changes")).toHaveLength(2);
	});

	it.each([
		["too much has changed", { resumed: true, diverged: [] }],
		["the server has another history of it", { resumed: true, diverged: ["c"] }],
		["nothing could be resumed", { resumed: false, diverged: [] }],
	])("is read anew from its end when %s, and shows what it has until then", async (_, greeting) => {
		const tab = new FakePage();
		const { client, seqs } = await opened(tab, range(1, 3));
		await comeBack(tab, { ...greeting, conversations: [conversation(2000, { last_seq: 10, n: 10 })] });
		await jitter();
		if (greeting.resumed && greeting.diverged.length === 0)
			tab.wire.answer("feed.changes", { items: [], up_to: 3, more: false, reset: true, users: [] });
		await turn();
		expect(tab.wire.last("message.page").params).toEqual({ conversation: "c" });
		expect(seqs()).toEqual([1, 2, 3]);
		tab.wire.answer("message.page", page(range(8, 10), true, 2000));
		await turn();
		expect(seqs()).toEqual([8, 9, 10]);
		expect(client.messages.transcript({ to: "bob" }).more).toBe(true);
		const hello = await comeBack(tab, { resumed: true });
		expect(hello.resume?.feeds.c?.pos).toBe(2000);
	});

	it("that has nothing to compare by is read anew, and not resumed", async () => {
		const tab = new FakePage();
		const { seqs } = await opened(tab, []);
		const hello = await comeBack(tab, { resumed: true, conversations: [conversation(1)] });
		expect(hello.resume?.feeds.c).toBeUndefined();
		tab.wire.answer("message.page", page(range(1, 1)));
		await turn();
		expect(seqs()).toEqual([1]);
		await jitter();
		expect(tab.wire.all("feed.changes")).toEqual([]);
	});

	it("keeps what arrives while its first page is on its way", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { conversations: [conversation(3)] });
		const open = client.messages.open({ to: "bob" });
		await turn();
		tab.wire.say(sent(4, message(4)));
		tab.wire.answer("message.page", page(range(1, 3)));
		const rows = (await open).rows.map((r) => r.message.seq);
		expect(rows).toEqual([1, 2, 3, 4]);
		await jitter();
		expect(tab.wire.all("feed.changes")).toEqual([]);
	});

	it("has its conversation although whoever asked for that first has gone", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 1));
		const gone = new AbortController();
		const open = client.messages.open({ conversation: "d" }, gone.signal).catch((err) => err);
		tab.wire.say(sent(4, message(1, { conversation: "d" })));
		await jitter();
		gone.abort(new Error("another conversation is on screen"));
		expect(await open).toMatchObject({ message: "another conversation is on screen" });
		const got = conversation(4, { id: "d", last_seq: 1, mine: membership({ conversation: "d" }) });
		tab.wire.answer("conversation.get", { conversations: [got], more: false });
		await turn();
		expect(client.conversations.get("d")?.id).toBe("d");
		expect(tab.wire.all("conversation.get"), "it was asked for once").toHaveLength(1);
	});

	it("is loaded although a limit was met at first", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 1));
		const open = client.messages.open({ conversation: "d" });
		await jitter();
		const got = conversation(1, { id: "d", mine: membership({ conversation: "d" }) });
		tab.wire.answer("conversation.get", { conversations: [got], more: false });
		await turn();
		tab.wire.refuse("message.page", "rate_limited", 400);
		await vi.advanceTimersByTimeAsync(450);
		tab.wire.answer("message.page", page([item(1, "message", message(1, { conversation: "d" }))]));
		expect((await open).rows).toHaveLength(1);
	});

	it("shows a message that skips, and asks for what is missing before it", async () => {
		const tab = new FakePage();
		const { seqs } = await opened(tab, range(1, 3));
		tab.wire.say(sent(5, message(5)));
		expect(seqs()).toEqual([1, 2, 3, 5]);
		await jitter();
		expect(tab.wire.last("feed.changes").params).toEqual({ feed: "c", after: 3 });
		tab.wire.answer("feed.changes", { items: range(4, 5), up_to: 5, more: false, reset: false, users: [] });
		await turn();
		expect(seqs()).toEqual([1, 2, 3, 4, 5]);
	});

	it("asks for nothing when what was missing comes late", async () => {
		const tab = new FakePage();
		const { seqs } = await opened(tab, range(1, 3));
		tab.wire.say(sent(5, message(5)), sent(6, message(6)));
		await vi.advanceTimersByTimeAsync(40);
		tab.wire.say(sent(4, message(4)));
		await vi.advanceTimersByTimeAsync(1000);
		expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
		expect(tab.wire.all("feed.changes")).toEqual([]);
	});

	it("asks for what changed when it hears only that something did", async () => {
		const tab = new FakePage();
		const { client, seqs } = await opened(tab, range(1, 3));
		const news: number[] = [];
		client.on("message", ({ message }) => news.push(message.seq));
		tab.wire.say(bare("c", 6));
		await jitter();
		tab.wire.answer("feed.changes", { items: range(4, 6), up_to: 6, more: false, reset: false, users: [] });
		await turn();
		expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
		expect(news, "they are new to who looks at another tab").toEqual([4, 5, 6]);
	});

	it("takes a change of a message as of its highest pos", async () => {
		const tab = new FakePage();
		const two = item(4, "message", message(1, { kind: "call", revision: 2, text: "two" }));
		const { client } = await opened(tab, [two]);
		tab.wire.say(sent(6, message(1, { revision: 4, text: "four" })));
		tab.wire.say(sent(5, message(1, { revision: 3, text: "three" })));
		tab.wire.say(sent(3, message(1, { revision: 1, text: "one" })));
		expect(client.messages.transcript({ conversation: "c" }).rows[0]?.message.text).toBe("four");
	});

	it("that is read anew while changes of its old history are asked for misses nothing after that", async () => {
		const tab = new FakePage();
		const { seqs } = await opened(tab, range(1, 3));
		tab.wire.say(bare("c", 5));
		await jitter();
		await comeBack(tab, { resumed: false, conversations: [conversation(8)] });
		const page8 = { id: tab.wire.last("message.page").id, result: page(range(7, 8), true) };
		const nothing = { items: [], up_to: 8, more: false, reset: true, users: [] };
		const old = { id: tab.wire.last("feed.changes").id, result: nothing };
		tab.wire.say(old, bare("c", 9), page8);
		await jitter();
		expect(tab.wire.last("feed.changes").params).toEqual({ feed: "c", after: 8 });
		tab.wire.answer("feed.changes", { items: range(9, 9), up_to: 9, more: false, reset: false, users: [] });
		await turn();
		expect(seqs()).toEqual([7, 8, 9]);
	});

	it("drops what retention removed, and what was said before I joined again", async () => {
		const tab = new FakePage();
		const { client, seqs } = await opened(tab, range(1, 5));
		tab.wire.say(bare("c", 6));
		await jitter();
		const floor = { seq: 2, pos: 2, n: 2 };
		const cut = conversation(6, { last_seq: 5, floor });
		tab.wire.answer("conversation.get", { conversations: [cut], more: false });
		await turn();
		expect(seqs()).toEqual([3, 4, 5]);
		expect(client.messages.transcript({ to: "bob" }).more).toBe(false);
		tab.wire.say(sent(2, message(2, { revision: 1 })));
		expect(seqs(), "what was on its way comes late").toEqual([3, 4, 5]);
		tab.wire.say(change("me", 8, "membership", membership({ from_seq: 5, read: 5, read_n: 5 })));
		expect(seqs()).toEqual([5]);
	});

	it("is whole in a history in which retention has not removed what it had in another", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { conversations: [conversation(5, { floor: { seq: 2, pos: 2, n: 2 } })] });
		const open = client.messages.open({ conversation: "c" });
		await turn();
		await comeBack(tab, { resumed: false }, false);
		tab.wire.answer("message.page", page(range(1, 5)));
		const { rows } = await open;
		expect(rows.map((r) => r.message.seq)).toEqual([1, 2, 3, 4, 5]);
	});

	it("shows how far a message of mine has come, and never goes back", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, [item(1, "message", message(1, { sender: "alice" }))]);
		const told: unknown[] = [];
		client.on("marks", (m) => told.push(m));
		const delivery = () => client.messages.transcript({ conversation: "c" }).rows[0]?.delivery;
		expect(delivery()).toBe("sent");
		const marks = (delivered: number, read: number) => ({
			method: "marks",
			params: { conversation: "c", members: [{ user: "bob", delivered, read }] },
		});
		tab.wire.say(marks(1, 0));
		expect(delivery()).toBe("delivered");
		tab.wire.say(marks(1, 1));
		expect(delivery()).toBe("read");
		tab.wire.say(marks(1, 0));
		expect(delivery()).toBe("read");
		expect(told).toHaveLength(3);
	});

	it("is read when all others have read it, told one by one or counted", async () => {
		const tab = new FakePage();
		const mine = item(1, "message", message(1, { sender: "alice" }));
		const { client } = await opened(tab, [mine]);
		const watched = new AbortController();
		const group = conversation(1, {
			id: "g",
			kind: "group",
			count: 3,
			mine: membership({ conversation: "g", read: 1, read_n: 1 }),
		});
		const open = client.messages.open({ conversation: "g" });
		await jitter();
		tab.wire.answer("conversation.get", { conversations: [group], more: false });
		await turn();
		expect(tab.wire.last("conversation.members").params).toEqual({ conversation: "g" });
		tab.wire.answer(
			"message.page",
			page([item(1, "message", message(1, { conversation: "g", sender: "alice" }))]),
		);
		await open;
		client.conversations.watch(["g"], watched.signal);
		await turn();
		expect(tab.wire.last("conversation.watch").params).toEqual({ conversations: ["g"] });
		const delivery = () => client.messages.transcript({ conversation: "g" }).rows[0]?.delivery;
		const members = (bob: number, carol: number) =>
			[
				["alice", 1],
				["bob", bob],
				["carol", carol],
			].map(([user, read]) => ({ user, delivered: 1, read }));
		tab.wire.answer("conversation.watch", { conversations: [{ conversation: "g", members: members(1, 0) }] });
		await turn();
		expect(delivery()).toBe("delivered");
		tab.wire.say({ method: "marks", params: { conversation: "g", members: members(1, 1).slice(2) } });
		expect(delivery()).toBe("read");
		const counts = (read: number) => [{ seq: 1, delivered: 3, read }];
		tab.wire.say({ method: "marks", params: { conversation: "g", counts: counts(2) } });
		expect(delivery(), "one of the two is myself").toBe("delivered");
		tab.wire.say({ method: "marks", params: { conversation: "g", counts: counts(3) } });
		expect(delivery()).toBe("read");
		watched.abort();
		await turn();
		expect(tab.wire.last("conversation.watch").params).toEqual({ conversations: [] });
	});

	it("watches what is open again after each greeting", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 1));
		client.conversations.watch(["c"], new AbortController().signal);
		await turn();
		tab.wire.refuse("conversation.watch", "rate_limited", 400);
		await vi.advanceTimersByTimeAsync(450);
		expect(tab.wire.all("conversation.watch")).toHaveLength(2);
		await comeBack(tab, { resumed: true });
		expect(tab.wire.last("conversation.watch").params).toEqual({ conversations: ["c"] });
	});
});

describe("what is unread", () => {
	it("is counted, and marked as read only when it was shown", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 2));
		const totals: number[] = [];
		client.on("unread", (e) => totals.push(e.total));
		tab.wire.say(sent(3, message(3)), sent(4, message(4)));
		expect(client.conversations.unread).toBe(2);
		await vi.advanceTimersByTimeAsync(2000);
		expect(tab.wire.last("marks.set").params).toEqual({ marks: { c: { delivered: 4, read: 0 } } });
		tab.wire.answer("marks.set", {});
		await vi.advanceTimersByTimeAsync(5000);
		expect(tab.wire.all("marks.set"), "confirmed").toHaveLength(1);
		client.messages.shown("c", 3);
		client.messages.shown("c", 4);
		client.messages.shown("c", 2);
		await vi.advanceTimersByTimeAsync(500);
		expect(tab.wire.all("marks.set").map((f) => f.params)).toEqual([
			{ marks: { c: { delivered: 4, read: 0 } } },
			{ marks: { c: { delivered: 4, read: 4 } } },
		]);
		expect(totals).toEqual([1, 2, 0]);
		tab.wire.say(change("me", 8, "membership", membership({ read: 4, read_n: 4 })), sent(5, message(5)));
		expect(client.conversations.unread).toBe(1);
	});

	it("is an arithmetic of what the server counts: nothing of my own, and what was missed", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 2));
		tab.wire.say(sent(3, message(3)));
		tab.wire.say(sent(4, message(4, { sender: "alice" })));
		expect(client.conversations.unread).toBe(1);
		tab.wire.say(sent(5, message(5, { kind: "call", n: 4, sender: "bob" })));
		expect(client.conversations.unread).toBe(1);
		// The head says how many of mine lie ahead: the membership alone could be older than my message.
		tab.wire.say(
			change("me", 8, "membership", membership({ read: 2, read_n: 2, own_ahead: 1, missed: 1 })),
			sent(6, message(5, { kind: "call", n: 4, sender: "bob", revision: 1 })),
		);
		expect(client.conversations.unread).toBe(2);
		await jitter();
		expect(tab.wire.last("conversation.get").params).toEqual({ conversations: ["c"] });
		const mine = membership({ read: 2, read_n: 2, own_ahead: 1, missed: 1 });
		const mine_at = { pos: 8, tag: "03e1f00ba4c0ffee" };
		const head = conversation(6, { last_seq: 5, n: 4, mine, mine_at });
		tab.wire.answer("conversation.get", { conversations: [head], more: false });
		await turn();
		expect(client.conversations.unread).toBe(2);
		await vi.advanceTimersByTimeAsync(5000);
		expect(tab.wire.all("conversation.get")).toHaveLength(1);
	});

	it("has nothing of what retention removed", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		const mine = membership({ read: 2, read_n: 2, own_ahead: 1 });
		const floor = { seq: 6, pos: 6, n: 5 };
		await greet(tab, { conversations: [conversation(10, { n: 9, mine, floor })] });
		expect(client.conversations.unread, "seven to ten, one of which is mine").toBe(3);
		tab.wire.say(change("me", 8, "membership", membership({ read: 8, read_n: 7, own_ahead: 0 })));
		expect(client.conversations.unread).toBe(2);
	});

	it("is the same before the stores are there", async () => {
		const tab = new FakePage();
		const base = new ClientBase({ server: "http://server.test", token: "t" }, tab);
		const totals: number[] = [];
		base.events.on("unread", ({ total }) => totals.push(total));
		base.connect();
		await turn();
		const floor = { seq: 6, pos: 6, n: 6 };
		await greet(tab, { conversations: [conversation(10, { mine: membership(), floor })] });
		expect(totals).toEqual([4]);
	});

	it("of a conversation that was never opened is known from its head, and its head from changes", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		const news: string[] = [];
		client.on("message", ({ message }) => news.push(message.text ?? ""));
		await greet(tab, { conversations: [conversation(3), conversation(5, { id: "d" })] });
		tab.wire.say(sent(4, message(4)));
		expect(client.conversations.get("c")).toMatchObject({ unread: 1, last: { seq: 4 }, pos: 4 });
		expect(tab.wire.all("conversation.get")).toEqual([]);
		tab.wire.say(bare("c", 6), sent(8, message(8, { conversation: "d" })));
		expect(client.conversations.list()[0]?.id, "the latest is first").toBe("d");
		await jitter();
		expect(tab.wire.all("conversation.get").map((f) => f.params)).toEqual([{ conversations: ["c", "d"] }]);
		const now = (id: string, pos: number) =>
			conversation(pos, {
				id,
				last: message(pos, { conversation: id }),
				mine: membership({ conversation: id, read: 3, read_n: 3 }),
			});
		tab.wire.answer("conversation.get", { conversations: [now("c", 6)], more: true });
		await vi.advanceTimersByTimeAsync(10);
		expect(tab.wire.last("conversation.get").params, "the rest is asked for again").toEqual({
			conversations: ["d"],
		});
		tab.wire.answer("conversation.get", { conversations: [now("d", 8)], more: false });
		await turn();
		expect(client.conversations.unread).toBe(3 + 5);
		expect(news).toEqual(["4", "8", "6"]);
		await vi.advanceTimersByTimeAsync(5000);
		expect(tab.wire.all("conversation.get")).toHaveLength(2);
	});

	it("is marked again until the server had time for it", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 2), false, { mine: membership() });
		client.messages.shown("c", 2);
		await vi.advanceTimersByTimeAsync(500);
		tab.wire.refuse("marks.set", "rate_limited", 2000);
		await vi.advanceTimersByTimeAsync(1900);
		expect(tab.wire.all("marks.set")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(500);
		expect(tab.wire.all("marks.set").map((f) => f.params)).toEqual([
			{ marks: { c: { delivered: 2, read: 2 } } },
			{ marks: { c: { delivered: 2, read: 2 } } },
		]);
		tab.wire.answer("marks.set", {});
		await vi.advanceTimersByTimeAsync(5000);
		expect(tab.wire.all("marks.set"), "confirmed").toHaveLength(2);
	});

	it("is marked again when the connection was lost before an answer", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 2), false, { mine: membership() });
		client.messages.shown("c", 2);
		await vi.advanceTimersByTimeAsync(500);
		await comeBack(tab, { resumed: true });
		await vi.advanceTimersByTimeAsync(1000);
		expect(tab.wire.last("marks.set").params).toEqual({ marks: { c: { delivered: 2, read: 2 } } });
	});

	it("is marked once a second at most, for all conversations together", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 40), false, { mine: membership() });
		for (let seq = 1; seq <= 40; seq++) {
			client.messages.shown("c", seq);
			await vi.advanceTimersByTimeAsync(100);
			if (tab.wire.all("marks.set").length > 0) tab.wire.answer("marks.set", {});
		}
		await vi.advanceTimersByTimeAsync(1500);
		expect(tab.wire.all("marks.set").length).toBeLessThanOrEqual(6);
		expect(tab.wire.last("marks.set").params).toEqual({ marks: { c: { delivered: 40, read: 40 } } });
	});

	it("tells that a head which was received has come to this device", async () => {
		const tab = new FakePage();
		await connect(tab);
		await greet(tab, {
			conversations: [conversation(3, { last: message(3) }), conversation(2, { id: "d" })],
		});
		await vi.advanceTimersByTimeAsync(200);
		expect(tab.wire.all("marks.set").map((f) => f.params)).toEqual([
			{ marks: { c: { delivered: 3, read: 0 } } },
		]);
	});
});

describe("my conversations", () => {
	it("are those that the greeting has, when nothing could be resumed", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { conversations: [conversation(3), conversation(2, { id: "d" })], next: "more" });
		expect(client.conversations.more).toBe(true);
		const ids = () => client.conversations.list().map((c) => c.id);
		await comeBack(tab, { resumed: false, conversations: [conversation(1, { id: "d" })] }, false);
		expect(ids(), "until all is here").toEqual(["c", "d"]);
		tab.wire.say(synced());
		expect(ids()).toEqual(["d"]);
		expect(client.conversations.get("d")?.pos, "another history may be shorter").toBe(1);
		expect(client.conversations.more).toBe(false);
	});

	it("are asked for, when too many have changed for a greeting", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { conversations: [conversation(3), conversation(2, { id: "d" })] });
		await comeBack(tab, { resumed: true, conversations: [conversation(4)], all: false });
		await jitter();
		expect(tab.wire.last("conversation.get").params).toEqual({ conversations: ["d"] });
		expect(client.conversations.get("c")?.pos).toBe(4);
	});

	it("grow by an invitation, which is joined or turned down", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { pos: 7 });
		const invited = { conversation: "g", state: "invited", invited_by: "bob" } as const;
		tab.wire.say(change("me", 8, "membership", membership(invited)));
		await jitter();
		const group = conversation(4, { id: "g", kind: "group", name: "Tea", members: [], last_seq: 0, n: 0 });
		tab.wire.answer("conversation.get", {
			conversations: [{ ...group, mine: membership(invited) }],
			more: false,
		});
		await turn();
		expect(client.conversations.get("g")).toMatchObject({ name: "Tea", unread: 0, mine: invited });
		const joined = client.conversations.join("g");
		await turn();
		expect(tab.wire.last("conversation.join").params).toEqual({ conversation: "g" });
		tab.wire.answer("conversation.join", { ...group, pos: 5, mine: membership({ conversation: "g" }) });
		expect((await joined).mine.state).toBe("joined");
		const left = client.conversations.leave("g");
		await turn();
		tab.wire.answer("conversation.leave", {});
		await left;
		expect(client.conversations.list()).toEqual([]);
	});

	it("that I was removed from in another tab are gone here", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 2));
		tab.wire.say(change("me", 8, "membership", membership({ state: "gone" })));
		expect(client.conversations.list()).toEqual([]);
		expect(client.messages.transcript({ conversation: "c" }).rows).toEqual([]);
	});

	it("name their people, also those who are not among their few members, and who is renamed", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 1));
		const profiles: string[] = [];
		client.on("profile", (u) => profiles.push(u.name));
		expect(client.knownUser("bob")?.name).toBe("bob");
		expect(client.knownUser("carol")).toBeUndefined();
		expect(client.knownUser("carol")).toBeUndefined();
		await turn();
		expect(tab.wire.all("user.get").map((f) => f.params)).toEqual([{ user: "carol" }]);
		tab.wire.answer("user.get", { id: "carol", name: "Carol" });
		await turn();
		expect(client.knownUser("carol")?.name).toBe("Carol");
		tab.wire.say({ method: "profile", params: { id: "bob", name: "Robert" } });
		expect(client.conversations.get("c")?.members.map((m) => m.name)).toEqual(["alice", "Robert"]);
		expect(profiles).toEqual(["Carol", "Robert"]);
	});
});

const answerSend = (tab: FakePage, pos: number, m: Message) =>
	tab.wire.answer("message.send", { feed: "c", ...item(pos, "message", m) });

describe("the outbox", () => {
	it("sends once, in order, and shows where a message stands", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, []);
		const rows = () => client.messages.transcript({ to: "bob" }).rows;
		client.messages.send({ to: "bob" }, { text: "one" });
		client.messages.send({ to: "bob" }, { text: "two" });
		await turn();
		expect(rows().map((r) => r.delivery)).toEqual(["sending", "queued"]);
		expect(tab.wire.all("message.send")).toHaveLength(1);
		const { client_id } = tab.wire.last("message.send").params as { client_id: string };
		const stored = message(1, { sender: "alice", client_id, text: "one" });
		answerSend(tab, 1, stored);
		tab.wire.say(sent(1, stored));
		await turn();
		expect(rows().map((r) => [r.message.text, r.delivery])).toEqual([
			["one", "sent"],
			["two", "sending"],
		]);
		expect(rows()[0]?.key).toBe(client_id);
	});

	it("keeps the order when the conversation becomes known on the way", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, {});
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		const other = message(1, { sender: "alice", client_id: "of-another-tab" });
		tab.wire.say(change("me", 1, "membership", membership()), sent(3, other));
		await jitter();
		const known = conversation(3, { last_seq: 1, n: 1 });
		tab.wire.answer("conversation.get", { conversations: [known], more: false });
		await turn();
		client.messages.send({ to: "bob" }, { text: "two" });
		await turn();
		expect(tab.wire.all("message.send")).toHaveLength(1);
		const { client_id } = tab.wire.last("message.send").params as { client_id: string };
		answerSend(tab, 4, message(2, { sender: "alice", client_id, text: "one" }));
		await turn();
		expect(tab.wire.all("message.send").map((f) => f.params)).toMatchObject([
			{ to: "bob", text: "one" },
			{ conversation: "c", text: "two" },
		]);
	});

	it("asks the next greeting about what had no answer, and repeats it under the same id", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		client.messages.send({ to: "bob" }, { text: "two" });
		await turn();
		const first = tab.wire.last("message.send").params as { client_id: string };
		tab.wire.end(1006);
		await turn();
		const rows = () => client.messages.transcript({ to: "bob" }).rows;
		expect(rows().map((r) => r.delivery)).toEqual(["unconfirmed", "queued"]);
		await vi.advanceTimersByTimeAsync(1000);
		const hello = await greet(tab, { resumed: true });
		expect(hello.pending).toEqual([first.client_id]);
		expect((tab.wire.last("message.send").params as { client_id: string }).client_id).toBe(first.client_id);
	});

	it("does not repeat what the greeting says was accepted", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		const { client_id } = tab.wire.last("message.send").params as { client_id: string };
		tab.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(tab, { resumed: true, accepted: [client_id], conversations: [conversation(1)] });
		const rows = () =>
			client.messages.transcript({ to: "bob" }).rows.map((r) => [r.key, r.delivery, r.message.seq]);
		expect(rows(), "it does not vanish until it comes").toEqual([[client_id, "sent", 0]]);
		await jitter();
		const mine = item(1, "message", message(1, { sender: "alice", client_id }));
		tab.wire.answer("message.page", page([mine]));
		await turn();
		expect(rows()).toEqual([[client_id, "sent", 1]]);
		expect(tab.wire.all("message.send")).toHaveLength(0);
	});

	it("waits as long as a temporary refusal says, and keeps what was refused for good", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		tab.wire.refuse("message.send", "rate_limited", 3000);
		await vi.advanceTimersByTimeAsync(2900);
		expect(tab.wire.all("message.send")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(tab.wire.all("message.send")).toHaveLength(2);
		tab.wire.refuse("message.send", "blocked");
		await turn();
		const row = client.messages.transcript({ to: "bob" }).rows[0];
		expect(row).toMatchObject({ delivery: "failed", refused: { code: "blocked" } });
		client.messages.resend(row?.key ?? "");
		await turn();
		expect(tab.wire.all("message.send")).toHaveLength(3);
		const ids = tab.wire.all("message.send").map((f) => (f.params as { client_id: string }).client_id);
		expect(new Set(ids).size).toBe(1);
	});

	it("shows the first message to somebody without a break", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, {});
		const { key } = client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		const rows = () => client.messages.transcript({ to: "bob" }).rows.map((r) => [r.key, r.delivery]);
		const seen: unknown[] = [];
		client.on("transcript", () => seen.push(rows()));
		answerSend(tab, 4, message(1, { sender: "alice", client_id: key }));
		await jitter();
		tab.wire.answer("conversation.get", {
			conversations: [conversation(4, { last_seq: 1, n: 1 })],
			more: false,
		});
		await turn();
		expect(rows()).toEqual([[key, "sent"]]);
		expect(seen.every((r) => (r as unknown[]).length === 1)).toBe(true);
		expect(client.conversations.direct("bob")?.pos).toBe(4);
		expect(tab.wire.all("message.page"), "all of it is known").toEqual([]);
	});

	it("keeps what is written offline, before the first greeting too", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		client.messages.send({ to: "bob" }, { text: "early" });
		await turn();
		expect(client.messages.transcript({ to: "bob" }).rows.map((r) => r.delivery)).toEqual(["queued"]);
		await greet(tab);
		expect(tab.wire.last("message.send").params).toMatchObject({ to: "bob", text: "early", kind: "text" });
	});
});

describe("a message in the moment between Enter and the browser's database", () => {
	/** A page of a tab. Its database never opens, as with a disk that hangs. */
	function pageOf(sessionStorage: Storage): FakePage {
		return Object.assign(new FakePage(), { sessionStorage, indexedDB: { open: () => ({}) } });
	}
	const tokenOf = (sub: string) => `x.${btoa(JSON.stringify({ sub }))}.x`;

	it("is sent at once", async () => {
		const tab = pageOf(new Memory());
		const { client } = await opened(tab, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		expect(tab.wire.last("message.send").params).toMatchObject({ text: "one" });
	});

	it.each([
		["the user is known", { token: tokenOf("alice") }],
		["the token is not there yet", { getToken: () => new Promise<string>(() => {}) }],
	])("outlives a reload while %s", async (_, options: Partial<ClientOptions>) => {
		const before = pageOf(new Memory());
		const { client } = await connect(before, options);
		const { key } = client.messages.send({ to: "bob" }, { text: "one" });
		client.messages.send({ to: "bob" }, { text: "two" });

		const after = pageOf(before.sessionStorage);
		const { client: reloaded } = await connect(after, { token: tokenOf("alice") });
		const shown = () => reloaded.messages.transcript({ to: "bob" }).rows.map((r) => r.message.text);
		expect(shown(), "before there is a connection").toEqual(["one", "two"]);
		await greet(after);
		expect(after.wire.last("message.send").params).toMatchObject({ client_id: key, text: "one" });
	});

	it("is never sent as another user, and is gone after the sign-out", async () => {
		const before = pageOf(new Memory());
		const { client } = await connect(before, { token: tokenOf("alice") });
		client.messages.send({ to: "bob" }, { text: "one" });

		const carol = pageOf(before.sessionStorage);
		const { client: hers } = await connect(carol, { token: tokenOf("carol") });
		await greet(carol, { user: { id: "carol", name: "Carol" } });
		expect(carol.wire.all("message.send")).toEqual([]);
		ignore(hers.signOut({ everywhere: true }));
		await turn();
		carol.wire.answer("session.sign_out", {});
		await turn();

		const alice = pageOf(before.sessionStorage);
		await connect(alice, { token: tokenOf("alice") });
		await greet(alice);
		expect(alice.wire.all("message.send")).toEqual([]);
	});
});

describe("typing", () => {
	it("is said every 3 s at most, believed for 6 s, and ended by a message", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 1));
		for (let n = 0; n < 40; n++) {
			client.messages.typing("c", true);
			await vi.advanceTimersByTimeAsync(100);
		}
		client.messages.typing("c", false);
		client.messages.typing("c", false);
		expect(tab.wire.all("typing").map((f) => (f.params as { on: boolean }).on)).toEqual([true, true, false]);
		const bob = { method: "typing", params: { conversation: "c", user: "bob", on: true } };
		tab.wire.say(bob);
		expect(client.messages.typists("c")).toEqual(["bob"]);
		await vi.advanceTimersByTimeAsync(6000);
		expect(client.messages.typists("c")).toEqual([]);
		tab.wire.say(bob, sent(2, message(2)));
		expect(client.messages.typists("c")).toEqual([]);
	});
});

describe("shared objects", () => {
	it("come with the greeting, change with the own feed, and go with null", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		const told: string[] = [];
		client.on("userobject", (o) => told.push(`${o.key}=${JSON.stringify(o.value)}`));
		const a = item(4, "object", { key: "a", value: 1, tab: "x" });
		await greet(tab, { items: [a], pos: 10 });
		tab.wire.say(change("me", 11, "object", { key: "b", value: { on: true }, tab: "y" }));
		tab.wire.say(change("me", 12, "object", { key: "a", value: null, tab: "y" }));
		expect(client.objects.get("b")).toEqual({ on: true });
		expect(client.objects.get("a")).toBeNull();
		expect(told).toEqual(["a=1", 'b={"on":true}', "a=null"]);
	});

	it("are told of after a greeting that had all, only where they differ", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		const object = (pos: number, key: string, value: unknown) =>
			item(pos, "object", { key, value, tab: "x" });
		await greet(tab, { items: [object(1, "a", 1), object(2, "b", 2), object(3, "c", 3)], pos: 3 });
		const told: string[] = [];
		client.on("userobject", (o) => told.push(`${o.key}=${JSON.stringify(o.value)}`));
		await comeBack(tab, { items: [object(1, "a", 1), object(4, "b", 5)], pos: 5 });
		expect(told).toEqual(["b=5", "c=null"]);
	});

	it("are those that come again when the own feed has another history", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		const object = (pos: number, key: string) => item(pos, "object", { key, value: key, tab: "x" });
		const mine = item(7, "membership", membership({ read: 3, read_n: 3 }));
		await greet(tab, { items: [object(8, "a"), object(9, "b")], pos: 9, conversations: [conversation(3)] });
		await comeBack(tab, { resumed: true, diverged: ["me"], items: [object(2, "b"), mine], pos: 7 });
		expect([...client.objects.all().keys()]).toEqual(["b"]);
		tab.wire.say(sent(4, message(4)));
		expect(client.conversations.unread, "what is kept of conversations holds").toBe(1);
		tab.wire.say(change("me", 8, "object", { key: "c", value: 1, tab: "x" }));
		await vi.advanceTimersByTimeAsync(1000);
		expect(tab.wire.all("feed.changes")).toEqual([]);
	});

	it("are whole again after a hole in the own feed, or by a new greeting when that is too large", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { pos: 3 });
		tab.wire.say(bare("me", 5));
		await jitter();
		expect(tab.wire.last("feed.changes").params).toEqual({ feed: "me", after: 3 });
		const items = [item(5, "object", { key: "a", value: 1, tab: "x" })];
		tab.wire.answer("feed.changes", { items, up_to: 5, more: false, reset: false, users: [] });
		await turn();
		expect(client.objects.get("a")).toBe(1);
		tab.wire.say(bare("me", 2000));
		await jitter();
		tab.wire.answer("feed.changes", { items: [], up_to: 5, more: false, reset: true, users: [] });
		await turn();
		expect(tab.sockets).toHaveLength(2);
		const hello = await greet(tab, { pos: 2000 });
		expect(hello.resume).toBeUndefined();
		expect(client.objects.get("a")).toBeNull();
	});
});

describe("presence", () => {
	it("is asked for again, as it is wanted then, when a limit was met", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab);
		const forever = new AbortController().signal;
		client.presence.watch(["bob"], forever);
		await turn();
		tab.wire.refuse("presence.watch", "rate_limited", 400);
		await vi.advanceTimersByTimeAsync(300);
		expect(tab.wire.all("presence.watch")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(tab.wire.all("presence.watch")).toHaveLength(2);
		expect(tab.wire.last("presence.watch").params).toEqual({ users: ["bob"] });
	});

	it("watches the union of what is watched, again after each greeting", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab);
		const one = new AbortController();
		const two = new AbortController();
		client.presence.watch(["bob"], one.signal);
		client.presence.watch(["bob", "carol"], two.signal);
		await turn();
		expect(tab.wire.last("presence.watch").params).toEqual({ users: ["bob", "carol"] });
		tab.wire.answer("presence.watch", { users: [{ user: "bob", state: "online" }] });
		await turn();
		expect(client.presence.get("bob")?.state).toBe("online");
		two.abort();
		await turn();
		expect(tab.wire.last("presence.watch").params).toEqual({ users: ["bob"] });
		tab.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(tab);
		expect(tab.wire.last("presence.watch").params).toEqual({ users: ["bob"] });
	});
});

describe("reactions", () => {
	const reactions = (pos: number, data: Reactions) => change("c", pos, "reactions", data);
	const shown = (client: Awaited<ReturnType<typeof opened>>["client"]) =>
		client.messages
			.transcript({ conversation: "c" })
			.rows.flatMap((r) =>
				r.reactions ? [[r.message.seq, r.reactions.counts, r.reactions.mine ?? []]] : [],
			);

	it("come with pages, and are kept as they are told", async () => {
		const tab = new FakePage();
		const { client } = await connect(tab);
		await greet(tab, { conversations: [conversation(4, { last_seq: 3, n: 3 })], pos: 7 });
		const open = client.messages.open({ to: "bob" });
		await turn();
		const had = item(4, "reactions", { seq: 2, counts: { "👍": 2 }, mine: ["👍"] });
		tab.wire.answer("message.page", { ...page(range(1, 3), false, 4), reactions: [had] });
		await open;
		expect(shown(client)).toEqual([[2, { "👍": 2 }, ["👍"]]]);

		tab.wire.say(reactions(5, { seq: 2, counts: { "👍": 2, "🎉": 1 }, user: "bob", emoji: "🎉" }));
		expect(shown(client), "mine stay").toEqual([[2, { "👍": 2, "🎉": 1 }, ["👍"]]]);
		tab.wire.say(reactions(6, { seq: 3, counts: { "😂": 1 }, user: "alice", emoji: "😂" }));
		expect(shown(client).at(-1), "from another tab of mine").toEqual([3, { "😂": 1 }, ["😂"]]);
		tab.wire.say(reactions(7, { seq: 3, counts: {}, user: "alice", emoji: "😂", off: true }));
		tab.wire.say(reactions(5, { seq: 2, counts: { "👍": 9 }, user: "bob", emoji: "👍" }));
		expect(shown(client), "none, and nothing that is older").toEqual([[2, { "👍": 2, "🎉": 1 }, ["👍"]]]);
	});

	it("of mine show with the answer", async () => {
		const tab = new FakePage();
		const { client } = await opened(tab, range(1, 3));
		const told = vi.fn();
		client.on("transcript", told);
		const react = client.messages.react("c", 3, "👍", true);
		await turn();
		expect(tab.wire.last("message.react").params).toEqual({ conversation: "c", seq: 3, emoji: "👍" });
		const { params } = reactions(4, { seq: 3, counts: { "👍": 1 }, user: "alice", emoji: "👍" }) as {
			params: object;
		};
		tab.wire.answer("message.react", params);
		await react;
		expect(shown(client)).toEqual([[3, { "👍": 1 }, ["👍"]]]);
		expect(told).toHaveBeenCalled();
		const back = client.messages.react("c", 2, "👍", false);
		await turn();
		expect(tab.wire.last("message.react").params).toEqual({
			conversation: "c",
			seq: 2,
			emoji: "👍",
			off: true,
		});
		tab.wire.answer("message.react", { feed: "c", pos: 0 }); // there was none
		await back;
		expect(shown(client)).toHaveLength(1);
	});
});

describe("a message that I remove for myself", () => {
	it("goes from the transcript and the list, in all tabs", async () => {
		const tab = new FakePage();
		const { client, seqs } = await opened(tab, range(1, 3), false, { last: message(3) });
		const hide = client.messages.hide("c", [3]);
		await turn();
		expect(tab.wire.last("message.hide").params).toEqual({ conversation: "c", seqs: [3] });
		tab.wire.answer("message.hide", {});
		await hide;
		tab.wire.say(change("me", 8, "hidden", { conversation: "c", seq: 3 }));
		expect(seqs()).toEqual([1, 2]);
		expect(client.conversations.get("c")?.last).toMatchObject({ seq: 3, gone: "hidden" });
		expect(client.conversations.get("c")?.last?.text).toBeUndefined();
	});

	it("is left out of what is read later", async () => {
		const tab = new FakePage();
		const gone = message(2, { gone: "hidden", text: "" });
		const { seqs } = await opened(tab, [...range(1, 1), item(2, "message", gone), ...range(3, 3)]);
		expect(seqs()).toEqual([1, 3]);
	});
});

it("decides about a conversation for me alone", async () => {
	const tab = new FakePage();
	const { client } = await opened(tab, range(1, 3));
	const decided = client.conversations.decide("c", { mutedUntil: 5, archived: true });
	await turn();
	expect(tab.wire.last("conversation.mine").params).toEqual({
		conversation: "c",
		muted_until: 5,
		archived: true,
	});
	tab.wire.answer("conversation.mine", {});
	await decided;
	const mine = { ...membership({ read: 3, read_n: 3 }), muted_until: 5, archived: 3 };
	tab.wire.say(change("me", 8, "membership", mine));
	expect(client.conversations.get("c")?.mine).toMatchObject({ muted_until: 5, archived: 3 });
	const wiped = client.conversations.wipe("c");
	await turn();
	expect(tab.wire.last("conversation.clear").params).toEqual({ conversation: "c", up_to: 3 });
	tab.wire.answer("conversation.clear", {});
	await wiped;
	tab.wire.say(change("me", 9, "membership", { ...mine, from_seq: 4 }));
	expect(client.messages.transcript({ conversation: "c" }).rows).toEqual([]);
});
