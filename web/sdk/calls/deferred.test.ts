import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { calls, connect, FakePage, greet, ringing, synced, turn } from "../testing/wire.ts";
import type { Snapshot, User } from "../wire.gen.ts";
import type { MakeCalls } from "./context.ts";
import { DeferredCalls } from "./deferred.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bob: User = { id: "bob", name: "Bob" };
const told = (call: Snapshot) => ({ method: "call", params: { age_ms: 0, call } });
const other: Snapshot = ringing({ id: "another", client_call_id: "another" });
const cancelled = ringing({ state: "ended", reason: "cancelled", cseq: 9 });

/** Bob's tab, whose calls come or fail when the test says so. */
async function tab(page = new FakePage()) {
	const fetches: { come(): void; fail(): void }[] = [];
	const fetch = () =>
		new Promise<MakeCalls>((resolve, reject) =>
			fetches.push({ come: () => resolve(calls), fail: () => reject(new TypeError("no network")) }),
		);
	const { client } = await connect(page, {}, (o) => new DeferredCalls(o, fetch));
	const events: string[] = [];
	client.on("call:incoming", (r) => events.push(`ring ${r.id === other.id ? "another" : "one"}`));
	client.on("call:ringend", (e) => events.push(`end ${e.reason}`));
	const come = async () => {
		fetches.at(-1)?.come();
		await turn();
	};
	return { client, page, events, fetches, come };
}

test("nothing is fetched while there is no call", async () => {
	const { client, page, fetches } = await tab();
	await greet(page, { user: bob });
	expect(client.calls.views).toEqual([]);
	expect(client.calls.available.ok).toBe(true);
	expect(fetches).toHaveLength(0);
});

test("what rings meanwhile rings when the store is here, and what has ended meanwhile does not", async () => {
	const { client, page, events, fetches, come } = await tab();
	await greet(page, { user: bob, calls: [ringing()] });
	page.wire.say(told(other), told(cancelled));
	expect(fetches).toHaveLength(1);
	await come();
	expect(events).toEqual(["ring another"]);
	expect(client.calls.rings.map((r) => r.id)).toEqual([other.id]);
	page.wire.say(told({ ...other, state: "ended", reason: "cancelled", cseq: 9 }));
	expect(events).toEqual(["ring another", "end cancelled"]);
});

test("a store that comes before the greeting has ended shows no ring until then", async () => {
	const { page, events, come } = await tab();
	await greet(page, { user: bob, calls: [ringing()] }, false);
	await come();
	expect(events).toEqual([]);
	page.wire.say(synced());
	expect(events).toEqual(["ring one"]);
});

test("a ring is as old as it is, however long the store took", async () => {
	const { page, events, come } = await tab();
	await greet(page, { user: bob });
	page.wire.say(told(ringing({ remaining_ms: 5000 })));
	await vi.advanceTimersByTimeAsync(6000);
	await come();
	expect(events).toEqual([]);
});

test("only the last greeting counts", async () => {
	const { page, events, come } = await tab();
	await greet(page, { user: bob, calls: [ringing()] });
	page.wire.end(1006);
	await vi.advanceTimersByTimeAsync(1000);
	await greet(page, { user: bob, resumed: true });
	await come();
	expect(events).toEqual([]);
});

test("a store that could not be fetched is fetched again for the next change, and for the next click", async () => {
	const { client, page, events, fetches, come } = await tab();
	await greet(page, { user: bob });
	page.wire.say(told(ringing()));
	fetches[0]?.fail();
	await turn();
	const silenced = client.calls.decline(other.id).catch((err) => err);
	expect(fetches).toHaveLength(2);
	fetches[1]?.fail();
	expect(await silenced).toBeInstanceOf(TypeError);
	page.wire.say(told(other));
	expect(fetches).toHaveLength(3);
	await come();
	expect(events).toEqual(["ring one", "ring another"]);
});

test("a page that hosted a call before its reload fetches the store after the greeting", async () => {
	const page = new FakePage();
	page.sessionStorage.setItem("carillon:http://server.test:bob:legs", "[]");
	const { fetches } = await tab(page);
	await greet(page, { user: bob });
	expect(fetches).toHaveLength(1);
});
