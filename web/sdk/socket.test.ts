import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { change, connect, FakePage, greet, synced, turn, welcome } from "./testing/wire.ts";
import type { Message } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const message = (seq: number): object =>
	change("c", seq, "message", {
		id: `m${seq}`,
		conversation: "c",
		seq,
		n: seq,
		sender: "bob",
		kind: "text",
		text: `${seq}`,
		sent_at: seq,
	} satisfies Message);

describe("a socket", () => {
	it("says hello with what the sample says, and is online when synced", async () => {
		const { client, page } = await connect();
		const hello = await greet(page, {}, false);
		expect(hello).toMatchObject({ token: "t", protocol: 1, device_name: "Test on Nothing", pending: [] });
		expect(hello.tab).toBe(client.tabId);
		expect(hello.tab.length).toBeGreaterThanOrEqual(8);
		expect(hello.resume).toBeUndefined();
		expect(client.connection.state).toBe("syncing");
		page.wire.say(synced());
		expect(client.connection.state).toBe("online");
		expect(client.user?.id).toBe("alice");
	});

	it("resumes from where the greeting, and then the server's pings, say that all is here", async () => {
		const { page } = await connect();
		await greet(page, { at: 1000, opening: "o1", pos: 3 });
		page.wire.say({ method: "ping", params: {} });
		page.wire.say(change("me", 4, "object", { key: "a", value: 1, tab: "x" }));
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(500);
		const hello = await greet(page, { resumed: true, at: 2000, opening: "o2" }, false);
		expect(hello.resume).toMatchObject({ at: 1000, opening: "o1", feeds: { me: { pos: 4 } } });
		// Not all is here, so a ping that comes now counts for nothing.
		page.wire.say({ method: "ping", params: { at: 1500, opening: "o2" } });
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		expect((await greet(page, { resumed: true, at: 2000, opening: "o2" })).resume).toMatchObject({
			at: 1000,
		});
		page.wire.say({ method: "ping", params: { at: 3000, opening: "o2" } });
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(500);
		expect((await greet(page)).resume).toMatchObject({ at: 3000, opening: "o2" });
	});

	it("keeps where it was whole, while something is missing", async () => {
		const { page } = await connect();
		await greet(page, { at: 1000, pos: 3 });
		page.wire.say({ method: "change", params: { feed: "me", pos: 5 } });
		page.wire.say({ method: "ping", params: { at: 3000, opening: "opening-1" } });
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(500);
		expect((await greet(page)).resume).toMatchObject({ at: 1000, feeds: { me: { pos: 3 } } });
	});

	it("begins anew when the greeting before did not come to its end", async () => {
		const { page } = await connect();
		await greet(page, { pos: 3 });
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(500);
		await greet(page, { resumed: false }, false);
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		expect((await greet(page)).resume).toBeUndefined();
	});

	it("tells as new what comes after the greeting, each message once", async () => {
		const { client, page } = await connect();
		const received: number[] = [];
		client.on("message", (e) => received.push(e.message.seq));
		await greet(page, {}, false);
		page.wire.say(message(10), synced(), message(11), message(12), message(12), message(11));
		expect(received).toEqual([11, 12]);
	});

	it("reads everything that shares a frame with the welcome", async () => {
		const { client, page } = await connect();
		page.wire.onopen?.(undefined as never);
		const id = page.wire.last("hello").id;
		page.wire.say({ id, result: welcome() }, synced(), message(6));
		expect(client.connection.state).toBe("online");
	});

	it("answers a ping at once", async () => {
		const { page } = await connect();
		await greet(page);
		page.wire.say({ method: "ping", params: {} });
		expect(page.wire.all("pong")).toHaveLength(1);
	});

	it("leaves a server that has fallen silent", async () => {
		const { client, page } = await connect();
		await greet(page, { ping_ms: 25_000 });
		for (let n = 0; n < 10; n++) {
			await vi.advanceTimersByTimeAsync(24_000);
			page.wire.say({ method: "ping", params: {} });
		}
		expect(client.connection.state).toBe("online");
		await vi.advanceTimersByTimeAsync(45_000);
		expect(page.sockets.length).toBeGreaterThan(1);
	});

	it("comes back at once when the page is looked at, and finds a dead socket by asking", async () => {
		const { client, page } = await connect();
		await greet(page);
		page.chance = 1;
		page.wire.end(1006);
		expect(client.connection.state).toBe("waiting");
		page.events?.resumed();
		expect(client.connection.state).toBe("connecting");
		await turn();
		await greet(page);
		page.events?.resumed();
		expect(page.wire.all("session.list"), "asking makes no tab one that is told of all sessions").toEqual([]);
		await vi.advanceTimersByTimeAsync(3900);
		expect(client.connection.state).toBe("online");
		await vi.advanceTimersByTimeAsync(200);
		expect(client.connection.state).toBe("waiting");
	});

	it("closes at pagehide and comes back at pageshow", async () => {
		const { client, page } = await connect();
		await greet(page);
		page.events?.hidden();
		expect(client.connection.state).toBe("idle");
		expect(page.wire.closed).toBe(true);
		page.events?.resumed();
		await turn();
		expect(page.sockets).toHaveLength(2);
		const hello = await greet(page);
		expect(page.sockets[0]?.last("hello").params).toMatchObject({ tab: hello.tab });
	});

	it("gives up on a hello without an answer", async () => {
		const { client, page } = await connect();
		page.wire.onopen?.(undefined as never);
		await vi.advanceTimersByTimeAsync(10_000);
		expect(client.connection.state).toBe("waiting");
	});

	it("renews its token in band before it expires", async () => {
		let n = 0;
		const { page } = await connect(new FakePage(), { token: undefined as never, getToken: () => `t${++n}` });
		await greet(page, { token_ms: 600_000, ping_ms: 10_000_000 });
		await vi.advanceTimersByTimeAsync(479_000);
		expect(page.wire.all("token.renew")).toHaveLength(0);
		await vi.advanceTimersByTimeAsync(2000);
		expect(page.wire.last("token.renew").params).toEqual({ token: `t${n}` });
		expect(n).toBe(2);
	});

	it("tries a renewal again that the server could not decide", async () => {
		const { client, page } = await connect(new FakePage(), {
			token: undefined as never,
			getToken: () => "t",
		});
		const errors: Error[] = [];
		client.on("error", (err) => errors.push(err));
		await greet(page, { token_ms: 600_000, ping_ms: 10_000_000 });
		await vi.advanceTimersByTimeAsync(481_000);
		page.wire.refuse("token.renew", "busy", 10_000);
		await vi.advanceTimersByTimeAsync(9000);
		expect(page.wire.all("token.renew")).toHaveLength(1);
		await vi.advanceTimersByTimeAsync(2000);
		expect(page.wire.all("token.renew")).toHaveLength(2);
		page.wire.answer("token.renew", { token_ms: 600_000 });
		await turn();
		expect(errors).toEqual([]);
	});

	it("fetches one new token when the old one is refused, and stops when that is refused too", async () => {
		let n = 0;
		const stale: (string | undefined)[] = [];
		const getToken = (_: AbortSignal, old?: string) => {
			stale.push(old);
			return `t${++n}`;
		};
		const { client, page } = await connect(new FakePage(), { token: undefined as never, getToken });
		const expired: string[] = [];
		client.on("authexpired", (e) => expired.push(e.code));
		await greet(page);
		page.wire.end(4001);
		await turn();
		page.wire.onopen?.(undefined as never);
		expect(page.wire.last("hello").params).toMatchObject({ token: "t2" });
		expect(stale).toEqual([undefined, "t1"]);
		page.wire.refuse("hello", "token_wrong_key");
		expect(client.connection).toMatchObject({ state: "stopped", why: "bad_token" });
		expect(expired).toEqual(["token_wrong_key"]);
	});

	it("stops with a fixed token that is refused", async () => {
		const { client, page } = await connect();
		page.wire.onopen?.(undefined as never);
		page.wire.refuse("hello", "token_expired");
		expect(client.connection).toMatchObject({ state: "stopped", why: "bad_token" });
	});

	it("signs out every tab of this device through the server, itself last, and forgets", async () => {
		const { client, page } = await connect();
		await greet(page);
		let out = false;
		client.on("signedout", () => {
			out = true;
		});
		const done = client.signOut();
		await turn();
		const session = (id: string, device: string, self = false) => ({
			id,
			tab: id,
			device,
			device_name: "",
			since: 0,
			this: self,
		});
		const own = client.deviceId;
		const sessions = [session("me", own, true), session("phone", "other"), session("tab2", own)];
		page.wire.answer("session.list", { sessions });
		await turn();
		expect(page.wire.last("session.sign_out").params).toEqual({ id: "tab2" });
		page.wire.answer("session.sign_out", {});
		await turn();
		expect(page.wire.last("session.sign_out").params).toEqual({ id: "me" });
		page.wire.end(4501);
		await done;
		expect(client.connection).toMatchObject({ state: "stopped", why: "signed_out" });
		expect(out).toBe(true);
		expect(client.user).toBeUndefined();
	});
});
