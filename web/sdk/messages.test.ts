import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect, FakePage, greet, Memory, turn } from "./testing/wire.ts";
import type { ClientOptions } from "./types.ts";
import { ignore } from "./wait.ts";
import type { Conversation, Message } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const conversation = (lastSeq: number, changes: Partial<Conversation> = {}): Conversation => ({
	id: "c",
	kind: "direct",
	members: [
		{ id: "alice", name: "Alice", role: "member", delivered: 0, read: 0 },
		{ id: "bob", name: "Bob", role: "member", delivered: 0, read: 0 },
	],
	last_seq: lastSeq,
	unread: 0,
	created_at: 1,
	...changes,
});

const message = (seq: number, changes: Partial<Message> = {}): Message => ({
	id: `m${seq}`,
	conversation: "c",
	seq,
	sender: "bob",
	kind: "text",
	text: `${seq}`,
	sent_at: seq,
	...changes,
});

const range = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, n) => message(from + n));
const event = (offset: number, type: string, data: object) => ({
	method: "event",
	params: { offset, type, at: 1, age_ms: 0, data },
});

async function opened(page: FakePage, messages: Message[], more = false) {
	const { client } = await connect(page);
	await greet(page, { offset: 10 });
	page.wire.answer("conversation.list", { conversations: [conversation(messages.at(-1)?.seq ?? 0)] });
	await turn();
	const open = client.messages.open({ to: "bob" });
	await turn();
	page.wire.answer("message.page", { messages, more });
	await open;
	const seqs = () => client.messages.transcript({ conversation: "c" }).rows.map((r) => r.message.seq);
	return { client, seqs };
}

describe("a transcript", () => {
	it("holds the newest page, then older ones, then what arrives", async () => {
		const page = new FakePage();
		const { client, seqs } = await opened(page, range(4, 6), true);
		const older = client.messages.older({ conversation: "c" });
		await turn();
		expect(page.wire.last("message.page").params).toEqual({ conversation: "c", before: 4 });
		page.wire.answer("message.page", { messages: range(1, 3), more: false });
		await older;
		page.wire.say(event(11, "message", message(7)));
		expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
		expect(client.messages.transcript({ to: "bob" }).more).toBe(false);
	});

	it("fills the gap when what was missed could not be replayed", async () => {
		const page = new FakePage();
		const { seqs } = await opened(page, range(1, 3));
		page.wire.end(4008);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(page, { offset: 900, recovered: false });
		await turn();
		page.wire.answer("message.page", { messages: range(8, 10), more: true });
		await turn();
		expect(page.wire.last("message.page").params).toEqual({ conversation: "c", after: 3 });
		page.wire.answer("message.page", { messages: range(4, 8), more: true });
		await turn();
		expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
	});

	it("is not replaced by a page when it has newer messages already", async () => {
		const page = new FakePage();
		const { seqs } = await opened(page, range(1, 3));
		page.wire.end(4008);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(page, { offset: 900, recovered: false });
		await turn();
		page.wire.say(event(901, "message", message(4)));
		page.wire.answer("message.page", { messages: range(1, 3), more: false });
		await turn();
		expect(seqs()).toEqual([1, 2, 3, 4]);
	});

	it("has its conversation although whoever asked for that first has gone", async () => {
		const page = new FakePage();
		const { client } = await opened(page, range(1, 1));
		const gone = new AbortController();
		const open = client.messages.open({ conversation: "d" }, gone.signal).catch((err) => err);
		page.wire.say(event(11, "message", message(1, { conversation: "d" })));
		await turn();
		gone.abort(new Error("another conversation is on screen"));
		expect(await open).toMatchObject({ message: "another conversation is on screen" });
		page.wire.answer("conversation.get", conversation(1, { id: "d" }));
		await turn();
		expect(client.conversations.get("d")?.id).toBe("d");
		expect(page.wire.all("conversation.get"), "it was asked for once").toHaveLength(1);
	});

	it("is loaded although a limit was met at first", async () => {
		const page = new FakePage();
		const { client } = await opened(page, range(1, 1));
		const open = client.messages.open({ conversation: "d" });
		await turn();
		page.wire.answer("conversation.get", conversation(1, { id: "d" }));
		await turn();
		page.wire.refuse("message.page", "rate_limited", 400);
		await vi.advanceTimersByTimeAsync(450);
		page.wire.answer("message.page", { messages: [message(1, { conversation: "d" })], more: false });
		expect((await open).rows).toHaveLength(1);
	});

	it("asks for what is missing when a message skips", async () => {
		const page = new FakePage();
		const { seqs } = await opened(page, range(1, 3));
		page.wire.say(event(11, "message", message(5)));
		await turn();
		page.wire.answer("message.page", { messages: range(1, 5), more: false });
		await turn();
		expect(seqs()).toEqual([1, 2, 3, 4, 5]);
	});

	it("takes a newer revision and no older one", async () => {
		const page = new FakePage();
		const { client } = await opened(page, [message(1, { kind: "call", revision: 2, text: "two" })]);
		page.wire.say(event(11, "message.update", message(1, { revision: 3, text: "three" })));
		page.wire.say(event(12, "message.update", message(1, { revision: 1, text: "one" })));
		expect(client.messages.transcript({ conversation: "c" }).rows[0]?.message.text).toBe("three");
	});

	it("shows how far a message of mine has come, and never goes back", async () => {
		const page = new FakePage();
		const { client } = await opened(page, [message(1, { sender: "alice" })]);
		const delivery = () => client.messages.transcript({ conversation: "c" }).rows[0]?.delivery;
		expect(delivery()).toBe("sent");
		const receipt = (delivered: number, read: number) => ({
			conversation: "c",
			user: "bob",
			delivered,
			read,
			unread: 0,
		});
		page.wire.say(event(11, "receipt", receipt(1, 0)));
		expect(delivery()).toBe("delivered");
		page.wire.say(event(12, "receipt", receipt(1, 1)));
		expect(delivery()).toBe("read");
		page.wire.say(event(13, "receipt", receipt(1, 0)));
		expect(delivery()).toBe("read");
	});

	it("counts unread messages, and marks as read only what was shown", async () => {
		const page = new FakePage();
		const { client } = await opened(page, range(1, 2));
		const totals: number[] = [];
		client.on("unread", (e) => totals.push(e.total));
		page.wire.say(event(11, "message", message(3)), event(12, "message", message(4)));
		expect(client.conversations.unread).toBe(2);
		await vi.advanceTimersByTimeAsync(5000);
		expect(page.wire.all("receipt.read")).toHaveLength(0);
		client.messages.shown("c", 3);
		client.messages.shown("c", 4);
		client.messages.shown("c", 2);
		await vi.advanceTimersByTimeAsync(500);
		expect(page.wire.all("receipt.read").map((f) => f.params)).toEqual([{ conversation: "c", seq: 4 }]);
		expect(totals).toEqual([1, 2, 0]);
	});

	it("counts a call once it was missed, as the server does", async () => {
		const page = new FakePage();
		const { client } = await opened(page, range(1, 2));
		const log = (state: string) => ({
			call: "k",
			media: "video",
			state: "ended",
			outcomes: [{ user: "alice", state }],
		});
		const said = (state: string, revision: number) =>
			message(3, { kind: "call", data: log(state), revision });
		page.wire.say(event(11, "message", said("ringing", 0)));
		page.wire.say(event(12, "message.update", said("declined", 1)));
		await turn();
		expect(page.wire.all("conversation.get"), "what was not missed is not asked for").toHaveLength(0);
		page.wire.say(event(13, "message.update", said("missed", 2)));
		await turn();
		page.wire.answer("conversation.get", conversation(3, { unread: 1 }));
		await turn();
		expect(client.conversations.unread).toBe(1);
	});

	it("repeats a read mark that the server had no time for", async () => {
		const page = new FakePage();
		const { client } = await opened(page, range(1, 2));
		client.messages.shown("c", 2);
		await vi.advanceTimersByTimeAsync(500);
		page.wire.refuse("receipt.read", "rate_limited", 2000);
		await vi.advanceTimersByTimeAsync(1900);
		expect(page.wire.all("receipt.read")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(page.wire.all("receipt.read").map((f) => f.params)).toEqual([
			{ conversation: "c", seq: 2 },
			{ conversation: "c", seq: 2 },
		]);
		page.wire.answer("receipt.read", {});
		await vi.advanceTimersByTimeAsync(5000);
		expect(page.wire.all("receipt.read"), "confirmed").toHaveLength(2);
	});

	it("repeats a read mark that was not confirmed", async () => {
		const page = new FakePage();
		const { client } = await opened(page, range(1, 2));
		client.messages.shown("c", 2);
		await vi.advanceTimersByTimeAsync(500);
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(500);
		await greet(page, { recovered: true });
		expect(page.wire.last("receipt.read").params).toEqual({ conversation: "c", seq: 2 });
	});
});

describe("the outbox", () => {
	it("sends once, in order, and shows where a message stands", async () => {
		const page = new FakePage();
		const { client } = await opened(page, []);
		const rows = () => client.messages.transcript({ to: "bob" }).rows;
		client.messages.send({ to: "bob" }, { text: "one" });
		client.messages.send({ to: "bob" }, { text: "two" });
		await turn();
		expect(rows().map((r) => r.delivery)).toEqual(["sending", "queued"]);
		expect(page.wire.all("message.send")).toHaveLength(1);
		const { client_id } = page.wire.last("message.send").params as { client_id: string };
		const stored = message(1, { sender: "alice", client_id, text: "one" });
		page.wire.answer("message.send", stored);
		page.wire.say(event(11, "message", stored));
		await turn();
		expect(rows().map((r) => [r.message.text, r.delivery])).toEqual([
			["one", "sent"],
			["two", "sending"],
		]);
		expect(rows()[0]?.key).toBe(client_id);
	});

	it("keeps the order when the conversation becomes known on the way", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		await greet(page, { offset: 10 });
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		page.wire.say(event(11, "conversation", conversation(0)));
		client.messages.send({ to: "bob" }, { text: "two" });
		await turn();
		expect(page.wire.all("message.send")).toHaveLength(1);
		page.wire.answer("message.send", message(1, { sender: "alice" }));
		await turn();
		expect(page.wire.all("message.send").map((f) => f.params)).toMatchObject([
			{ to: "bob", text: "one" },
			{ conversation: "c", text: "two" },
		]);
	});

	it("asks the next greeting about what had no answer, and repeats it under the same id", async () => {
		const page = new FakePage();
		const { client } = await opened(page, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		client.messages.send({ to: "bob" }, { text: "two" });
		await turn();
		const first = page.wire.last("message.send").params as { client_id: string };
		page.wire.end(1006);
		await turn();
		const rows = () => client.messages.transcript({ to: "bob" }).rows;
		expect(rows().map((r) => r.delivery)).toEqual(["unconfirmed", "queued"]);
		await vi.advanceTimersByTimeAsync(1000);
		const hello = await greet(page, { recovered: true });
		expect(hello.pending).toEqual([first.client_id]);
		expect((page.wire.last("message.send").params as { client_id: string }).client_id).toBe(first.client_id);
	});

	it("does not repeat what the greeting says was accepted", async () => {
		const page = new FakePage();
		const { client } = await opened(page, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		const { client_id } = page.wire.last("message.send").params as { client_id: string };
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(page, { recovered: true, accepted: [client_id], offset: 11 }, false);
		page.wire.say(event(11, "message", message(1, { sender: "alice", client_id })));
		page.wire.say({ method: "synced", params: { offset: 11 } });
		await turn();
		expect(page.wire.all("message.send")).toHaveLength(0);
		expect(client.messages.transcript({ to: "bob" }).rows).toHaveLength(1);
	});

	it("waits as long as a temporary refusal says, and keeps what was refused for good", async () => {
		const page = new FakePage();
		const { client } = await opened(page, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		page.wire.refuse("message.send", "rate_limited", 3000);
		await vi.advanceTimersByTimeAsync(2900);
		expect(page.wire.all("message.send")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(page.wire.all("message.send")).toHaveLength(2);
		page.wire.refuse("message.send", "blocked");
		await turn();
		const row = client.messages.transcript({ to: "bob" }).rows[0];
		expect(row).toMatchObject({ delivery: "failed", refused: { code: "blocked" } });
		client.messages.resend(row?.key ?? "");
		await turn();
		expect(page.wire.all("message.send")).toHaveLength(3);
		const ids = page.wire.all("message.send").map((f) => (f.params as { client_id: string }).client_id);
		expect(new Set(ids).size).toBe(1);
	});

	it("keeps what is written offline, before the first greeting too", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		client.messages.send({ to: "bob" }, { text: "early" });
		await turn();
		expect(client.messages.transcript({ to: "bob" }).rows.map((r) => r.delivery)).toEqual(["queued"]);
		await greet(page);
		expect(page.wire.last("message.send").params).toMatchObject({ to: "bob", text: "early", kind: "text" });
	});
});

describe("a message in the moment between Enter and the browser's database", () => {
	/** A page of a tab. Its database never opens, as with a disk that hangs. */
	function pageOf(sessionStorage: Storage): FakePage {
		return Object.assign(new FakePage(), { sessionStorage, indexedDB: { open: () => ({}) } });
	}
	const tokenOf = (sub: string) => `x.${btoa(JSON.stringify({ sub }))}.x`;

	it("is sent at once", async () => {
		const page = pageOf(new Memory());
		const { client } = await opened(page, []);
		client.messages.send({ to: "bob" }, { text: "one" });
		await turn();
		expect(page.wire.last("message.send").params).toMatchObject({ text: "one" });
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
		const page = new FakePage();
		const { client } = await opened(page, range(1, 1));
		for (let n = 0; n < 40; n++) {
			client.messages.typing("c", true);
			await vi.advanceTimersByTimeAsync(100);
		}
		client.messages.typing("c", false);
		client.messages.typing("c", false);
		expect(page.wire.all("typing").map((f) => (f.params as { on: boolean }).on)).toEqual([true, true, false]);
		const bob = { method: "typing", params: { conversation: "c", user: "bob", on: true } };
		page.wire.say(bob);
		expect(client.messages.typists("c")).toEqual(["bob"]);
		await vi.advanceTimersByTimeAsync(6000);
		expect(client.messages.typists("c")).toEqual([]);
		page.wire.say(bob, event(11, "message", message(2)));
		expect(client.messages.typists("c")).toEqual([]);
	});
});

describe("shared objects", () => {
	it("come with the greeting, change with events, and go with null", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		const told: string[] = [];
		client.on("userobject", (o) => told.push(`${o.key}=${JSON.stringify(o.value)}`));
		await greet(page, { offset: 10, objects: [{ key: "a", value: 1, tab: "x" }] });
		page.wire.say(event(11, "userobject", { key: "b", value: { on: true }, tab: "y" }));
		page.wire.say(event(12, "userobject", { key: "a", value: null, tab: "y" }));
		expect(client.objects.get("b")).toEqual({ on: true });
		expect(client.objects.get("a")).toBeNull();
		expect(told).toEqual(["a=1", 'b={"on":true}', "a=null"]);
	});
});

describe("presence", () => {
	it("is asked for again, as it is wanted then, when a limit was met", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		await greet(page);
		const forever = new AbortController().signal;
		client.presence.watch(["bob"], forever);
		await turn();
		page.wire.refuse("presence.watch", "rate_limited", 400);
		await vi.advanceTimersByTimeAsync(300);
		expect(page.wire.all("presence.watch")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(page.wire.all("presence.watch")).toHaveLength(2);
		expect(page.wire.last("presence.watch").params).toEqual({ users: ["bob"] });
	});

	it("watches the union of what is watched, again after each greeting", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		await greet(page);
		const one = new AbortController();
		const two = new AbortController();
		client.presence.watch(["bob"], one.signal);
		client.presence.watch(["bob", "carol"], two.signal);
		await turn();
		expect(page.wire.last("presence.watch").params).toEqual({ users: ["bob", "carol"] });
		page.wire.answer("presence.watch", { users: [{ user: "bob", state: "online" }] });
		await turn();
		expect(client.presence.get("bob")?.state).toBe("online");
		two.abort();
		await turn();
		expect(page.wire.last("presence.watch").params).toEqual({ users: ["bob"] });
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(page);
		expect(page.wire.last("presence.watch").params).toEqual({ users: ["bob"] });
	});
});
