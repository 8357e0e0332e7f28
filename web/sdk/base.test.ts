import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClientBase } from "./base.ts";
import { TabClient } from "./client.ts";
import { Siblings } from "./siblings.ts";
import { FakeChannels } from "./testing/profile.ts";
import { FakePage, greet, ringing, turn } from "./testing/wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const options = { server: "http://server.test", token: "t" };
const said = (offset: number, type: string, data: object, age = 0) => ({
	method: "event",
	params: { offset, type, at: 1, age_ms: age, data },
});

async function idle() {
	const page = new FakePage();
	const base = new ClientBase(options, page);
	const woken: string[] = [];
	const unread: number[] = [];
	base.onwake = (why) => woken.push(why);
	base.events.on("unread", ({ total }) => unread.push(total));
	base.connect();
	await turn();
	await greet(page, { offset: 10, objects: [] });
	return { page, base, woken, unread };
}

test("a base counts what is unread without stores, and wakes nobody for it", async () => {
	const { page, base, woken, unread } = await idle();
	page.wire.answer("conversation.list", { conversations: [{ unread: 2 }, { unread: 1 }] });
	await turn();
	expect(unread).toEqual([3]);
	expect(base.unread).toBe(3);
	expect(woken).toEqual([]);
	await vi.advanceTimersByTimeAsync(1500);
	expect(page.wire.last("ack").params, "delivered to this device").toEqual({ offset: 10 });
});

test("stores that come late receive all there was, and how old it is", async () => {
	const { page, base, woken } = await idle();
	const call = ringing({ participants: ringing().participants.map((p) => ({ ...p })), remaining_ms: 40_000 });
	page.wire.say(said(11, "call", call, 100));
	expect(woken).toEqual(["call"]);
	await vi.advanceTimersByTimeAsync(2000);
	const received: [string, number][] = [];
	base.attach({
		receive: (s, ageMs) => received.push([s.type, ageMs]),
		userChanged: () => {},
		hidden: () => {},
		sibling: () => {},
		signedOut: () => {},
		pending: () => [],
	});
	expect(received).toEqual([
		["welcome", 2000],
		["synced", 2000],
		["event", 2000],
	]);
	page.wire.say(said(12, "call", call));
	expect(received.at(-1), "from then on at once").toEqual(["event", 0]);
});

test("a client on a base that is online already knows what its own base would have told it", async () => {
	const { page, base } = await idle();
	const client = new TabClient(options, page, base);
	const messages: string[] = [];
	client.on("message", ({ message }) => messages.push(message.id));
	page.wire.say(
		said(11, "message", {
			id: "m",
			conversation: "c",
			seq: 1,
			sender: "bob",
			kind: "text",
			text: "hi",
			sent_at: 1,
		}),
	);
	expect(messages, "nothing before it is served").toEqual([]);
	client.connect();
	await turn();
	expect(messages).toEqual(["m"]);
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
