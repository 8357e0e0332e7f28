import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connect, FakePage, greet, Memory, turn, welcome } from "./testing/wire.ts";
import type { Hello } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const tokenOf = (user: string) => `.${btoa(JSON.stringify({ sub: user }))}.`;

/** What a page says in its hello for a user. */
async function helloOf(page: FakePage, user: string, server = "http://server.test"): Promise<Hello> {
	const { client } = await connect(page, { token: tokenOf(user), server });
	const hello = await greet(page, { user: { ...welcome().user, id: user } });
	expect([client.tabId, client.deviceId]).toEqual([hello.tab, hello.device]);
	client.close();
	return hello;
}

/** A page whose ids are unguessable, in a tab and a browser profile of their own or of others. */
let made = 0;
const page = (local = new Memory(), session = new Memory()) =>
	Object.assign(new FakePage(local), { sessionStorage: session, id: () => `random-id-${++made}` });

it("has a device and a tab of their own for each user and server, which a reload keeps", async () => {
	const [local, session] = [new Memory(), new Memory()];
	const guest = await helloOf(page(local, session), "guest:1");
	const alice = await helloOf(page(local, session), "alice");
	const elsewhere = await helloOf(page(local, session), "alice", "http://other.test");
	const ids = [guest, alice, elsewhere].flatMap((h) => [h.tab, h.device]);
	expect(new Set(ids).size, "no two are the same").toBe(6);

	const again = await helloOf(page(local, session), "alice");
	expect([again.tab, again.device]).toEqual([alice.tab, alice.device]);
	const otherTab = await helloOf(page(local), "alice");
	expect(otherTab.device).toBe(alice.device);
	expect(otherTab.tab).not.toBe(alice.tab);
});

it("links nobody where the browser stores nothing either", async () => {
	const bare = Object.assign(page(), { localStorage: undefined, sessionStorage: undefined });
	const guest = await helloOf(bare as unknown as FakePage, "guest:1");
	const alice = await helloOf(bare as unknown as FakePage, "alice");
	expect(new Set([guest.tab, guest.device, alice.tab, alice.device]).size).toBe(4);
});

it("leaves nothing of a user who signs out", async () => {
	const local = new Memory();
	const open = page(local);
	const { client } = await connect(open, { token: tokenOf("alice") });
	const hello = await greet(open);
	expect(local.length).toBeGreaterThan(0);
	const signedOut = client.signOut({ everywhere: true });
	await turn();
	open.wire.end(4501);
	await signedOut;
	await turn();
	const keys = Array.from({ length: local.length }, (_, i) => local.key(i));
	expect(keys.filter((key) => key?.includes("alice"))).toEqual([]);
	expect((await helloOf(open, "alice")).device).not.toBe(hello.device);
});

it("tells the user who signs in on an open page from the guest before", async () => {
	let user = "guest:1";
	const open = page();
	const { client } = await connect(open, { getToken: () => tokenOf(user) });
	const guest = await greet(open, { user: { ...welcome().user, id: user } });
	user = "alice";
	open.wire.end(4001);
	await vi.advanceTimersByTimeAsync(500);
	const alice = await greet(open, { user: { ...welcome().user, id: user } });
	expect(new Set([guest.tab, guest.device, alice.tab, alice.device]).size).toBe(4);
	expect(client.deviceId).toBe(alice.device);
});
