import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClientBase, type Stores } from "./base.ts";
import { TabClient } from "./client.ts";
import { Siblings } from "./siblings.ts";
import { FakeChannels } from "./testing/profile.ts";
import { calls, change, type FakeGreeting, FakePage, greet, item, ringing, turn } from "./testing/wire.ts";
import type { Conversation, Message } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const options = { server: "http://server.test", token: "t" };
const message = (seq: number, changes: Partial<Message> = {}): Message => ({
	id: `m${seq}`,
	conversation: "c",
	seq,
	n: seq,
	sender: "bob",
	kind: "text",
	text: "hi",
	sent_at: 1,
	...changes,
});

/** A conversation with a message, of which so many are unread. */
const conversation = (id: string, unread: number, pos = 5): Conversation => ({
	id,
	kind: "direct",
	members: [],
	count: 2,
	created_at: 1,
	pos,
	last_seq: pos,
	n: 9,
	last: message(pos, { conversation: id }),
	mine_at: { pos: 1, tag: "03e1f00ba4c0ffee" },
	mine: {
		conversation: id,
		state: "joined",
		role: "member",
		from_seq: 0,
		read: 0,
		read_n: 9 - unread,
		own_ahead: 0,
	},
});
const stores = (received: [string, number][] = []): Stores => ({
	receive: (s, ageMs) => received.push([s.type === "notification" ? s.notification.method : s.type, ageMs]),
	userChanged: () => {},
	hidden: () => {},
	sibling: () => {},
	signedOut: () => {},
	pending: () => [],
	feeds: () => ({}),
	whole: () => true,
});

async function idle(greeting: FakeGreeting = {}) {
	const page = new FakePage();
	const base = new ClientBase(options, page);
	const woken: string[] = [];
	const unread: number[] = [];
	base.onwake = (why) => woken.push(why);
	base.events.on("unread", ({ total }) => unread.push(total));
	base.connect();
	await turn();
	await greet(page, greeting);
	return { page, base, woken, unread };
}

test("a base counts what is unread without stores, and wakes nobody for it", async () => {
	const { page, base, woken, unread } = await idle({
		conversations: [conversation("c", 2), conversation("d", 1)],
		items: [item(4, "contact", { id: "bob", name: "Bob" })],
		pos: 6,
	});
	expect(unread).toEqual([3]);
	expect(base.unread).toBe(3);
	expect(woken).toEqual([]);
	await vi.advanceTimersByTimeAsync(1500);
	expect(page.wire.last("marks.set").params, "delivered to this device").toEqual({
		marks: { c: { delivered: 5, read: 0 }, d: { delivered: 5, read: 0 } },
	});
});

test("a base that comes back asks for what has changed, and wakes the stores only for that", async () => {
	const { page, base, woken, unread } = await idle({ conversations: [conversation("c", 2)], pos: 6 });
	page.wire.end(1006);
	await vi.advanceTimersByTimeAsync(500);
	// What changed shortly before the connection was lost comes once more.
	const hello = await greet(page, { resumed: true, conversations: [conversation("c", 2)] });
	expect(hello.resume).toMatchObject({ at: 1000, feeds: { me: { pos: 6 } } });
	expect(hello.resume?.feeds.me?.newest, "by where the heads say that my memberships are").toEqual([
		{ pos: 1, tag: "03e1f00ba4c0ffee" },
	]);
	expect(woken).toEqual([]);
	page.wire.end(1006);
	await vi.advanceTimersByTimeAsync(500);
	await greet(page, { resumed: true, conversations: [conversation("c", 3, 6)] });
	expect(unread).toEqual([2, 3]);
	expect(woken).toEqual(["other"]);
	const received: [string, number][] = [];
	base.attach(stores(received));
	const greeting = ["welcome", "greeting", "synced"];
	expect(received.map(([what]) => what)).toEqual([...greeting, ...greeting, ...greeting]);
});

test.each([
	["a call rings", { calls: [ringing()] }, "call"],
	["there is an object", { items: [item(1, "object", { key: "a", value: 1, tab: "x" })], pos: 1 }, "other"],
])("a base wakes the stores when %s", async (_, greeting: FakeGreeting, why) => {
	expect((await idle(greeting)).woken).toEqual([why]);
});

test("stores that come late receive all there was, and how old it is", async () => {
	const { page, base, woken } = await idle();
	const call = { method: "call", params: { age_ms: 100, call: ringing({ remaining_ms: 40_000 }) } };
	page.wire.say(call);
	expect(woken).toEqual(["call"]);
	await vi.advanceTimersByTimeAsync(2000);
	const received: [string, number][] = [];
	base.attach(stores(received));
	expect(received).toEqual([
		["welcome", 2000],
		["greeting", 2000],
		["synced", 2000],
		["call", 2000],
	]);
	page.wire.say(call);
	expect(received.at(-1), "from then on at once").toEqual(["call", 0]);
});

test("stores that come very late begin with a new greeting", async () => {
	const { page, base } = await idle({ pos: 6 });
	for (let pos = 1; pos <= 600; pos++) page.wire.say(change("c", pos, "message", message(pos)));
	const received: [string, number][] = [];
	base.attach(stores(received));
	expect(received).toEqual([]);
	await turn();
	expect((await greet(page)).resume).toBeUndefined();
	expect(received.map(([what]) => what)).toEqual(["welcome", "greeting", "synced"]);
});

test("a client on a base that is online already knows what its own base would have told it", async () => {
	const { page, base } = await idle();
	const client = new TabClient(options, page, calls, base);
	const messages: string[] = [];
	client.on("message", ({ message }) => messages.push(message.id));
	page.wire.say(change("c", 5, "message", message(1)));
	expect(messages, "nothing before it is served").toEqual([]);
	client.connect();
	await turn();
	expect(messages).toEqual(["m1"]);
	expect(client.user?.id).toBe(base.account);
	expect(page.sockets).toHaveLength(1);
});

/** Tabs of one browser without Web Locks, with or without a channel between them. */
function tabs(count: number, channel: boolean): Siblings[] {
	const channels = new FakeChannels();
	return Array.from({ length: count }, (_, n) => {
		const page = Object.assign(new FakePage(), {
			locks: undefined,
			random: () => ((n * 7) % count) / count,
			channel: channel ? (name: string) => channels.create(name) : undefined,
		});
		const siblings = new Siblings(page, () => {});
		siblings.join("user");
		return siblings;
	});
}

test("without Web Locks one tab wins a job, and another when it gives it back", async () => {
	const all = tabs(5, true);
	const stops = all.map(() => new AbortController());
	const race = () => Promise.all(all.map((t, n) => t.win("ringer", stops[n]?.signal ?? AbortSignal.abort())));
	const first = race();
	await vi.advanceTimersByTimeAsync(500);
	const winners = await first;
	expect(winners.filter(Boolean)).toHaveLength(1);
	const again = race();
	await vi.advanceTimersByTimeAsync(500);
	expect((await again).filter(Boolean), "it is taken").toHaveLength(0);
	stops[winners.indexOf(true)]?.abort();
	const third = race();
	await vi.advanceTimersByTimeAsync(500);
	expect((await third).filter(Boolean)).toHaveLength(1);
});

test("without any local means every tab wins", async () => {
	const all = tabs(3, false);
	const won = await Promise.all(all.map((t) => t.win("ringer", new AbortController().signal)));
	expect(won).toEqual([true, true, true]);
});
