/** What a user decides for themselves, in all of their tabs. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { change, connect, greet, item, turn } from "./testing/wire.ts";
import type { Draft } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const again = async (page: Awaited<ReturnType<typeof connect>>["page"], items: ReturnType<typeof item>[]) => {
	page.wire.end(1006);
	await vi.advanceTimersByTimeAsync(1000);
	await greet(page, { items, pos: 9 });
};

it("knows whom I have blocked", async () => {
	const { client, page } = await connect();
	await greet(page, { items: [item(1, "block", { user: "mallory", since: 1 })], pos: 1 });
	expect(client.blocks.list()).toEqual(["mallory"]);
	const told: string[] = [];
	client.on("block", (b) => told.push(`${b.user}${b.gone ? " gone" : ""}`));
	const added = client.blocks.add("eve");
	await turn();
	expect(page.wire.last("block.add").params).toEqual({ user: "eve" });
	page.wire.answer("block.add", {});
	await added;
	page.wire.say(change("me", 2, "block", { user: "eve", since: 2 }));
	page.wire.say(change("me", 3, "block", { user: "mallory", since: 3, gone: true }));
	expect(client.blocks.list()).toEqual(["eve"]);
	expect(client.blocks.has("mallory")).toBe(false);
	await again(page, []);
	expect(client.blocks.list(), "of a greeting that had all").toEqual([]);
	expect(told).toEqual(["eve", "mallory gone", "eve gone"]);
});

it("has preferences, the default ones until something is decided", async () => {
	const { client, page } = await connect();
	await greet(page);
	expect(client.preferences.now).toEqual({ presence: "everyone", calls: "everyone", groups: "everyone" });
	expect(client.preferences.busy).toBe(false);
	const set = client.preferences.set({ calls: "contacts" });
	await turn();
	expect(page.wire.last("preferences.set").params).toEqual({ calls: "contacts" });
	const busy_until = Date.now() + 60_000;
	const now = { presence: "nobody", calls: "contacts", groups: "everyone", busy_until } as const;
	page.wire.answer("preferences.set", now);
	await set;
	page.wire.say(change("me", 1, "preferences", now));
	expect(client.preferences.now).toEqual(now);
	expect(client.preferences.busy).toBe(true);
	await vi.advanceTimersByTimeAsync(61_000);
	expect(client.preferences.busy, "when its time is over").toBe(false);
});

describe("a draft", () => {
	it("goes to the server at most once in two seconds, as it is by then", async () => {
		const { client, page } = await connect();
		await greet(page);
		for (const text of ["H", "He", "Hel"]) client.drafts.set("c", text);
		await turn();
		expect(page.wire.all("draft.set").map((f) => (f.params as Draft).text)).toEqual(["H"]);
		client.drafts.set("d", "other");
		await vi.advanceTimersByTimeAsync(2000);
		expect(page.wire.all("draft.set").map((f) => (f.params as Draft).text)).toEqual(["H", "other", "Hel"]);
		await vi.advanceTimersByTimeAsync(10_000);
		expect(page.wire.all("draft.set"), "nothing has changed").toHaveLength(3);
		client.drafts.set("c", "");
		await turn();
		expect(page.wire.last("draft.set").params).toEqual({ conversation: "c", text: "", reply_to: 0 });
		expect(client.drafts.get("c")).toBeUndefined();
	});

	it("comes from other devices, and not over what is being written here", async () => {
		const { client, page } = await connect();
		await greet(page, {
			items: [item(1, "draft", { conversation: "c", text: "from the phone", at: 1 })],
			pos: 1,
		});
		expect(client.drafts.get("c")?.text).toBe("from the phone");
		const told: string[] = [];
		client.on("draft", (d) => told.push(d.text ?? ""));
		client.drafts.set("c", "here");
		page.wire.say(change("me", 2, "draft", { conversation: "c", text: "late", at: 2 }));
		expect(client.drafts.get("c")?.text).toBe("here");
		await vi.advanceTimersByTimeAsync(2000);
		page.wire.say(
			change("me", 3, "draft", { conversation: "c", text: "from the phone again", reply_to: 4, at: 3 }),
		);
		expect(client.drafts.get("c")).toEqual({
			conversation: "c",
			text: "from the phone again",
			reply_to: 4,
			at: 3,
		});
		await again(page, []);
		expect(client.drafts.get("c"), "of a greeting that had all").toBeUndefined();
		expect(told).toEqual(["from the phone again", ""]);
	});
});
