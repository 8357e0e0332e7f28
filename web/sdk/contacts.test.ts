import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { change, connect, greet, item, turn } from "./testing/wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("adds and removes contacts, and lists those that the server tells of", async () => {
	const { client, page } = await connect();
	const bob = item(1, "contact", { id: "bob", name: "Bob" });
	const dora = item(2, "contact", { id: "dora", name: "Dora" });
	await greet(page, { items: [dora, bob], pos: 2 });
	const ids = () => client.contacts.list().map((u) => u.id);
	expect(ids()).toEqual(["bob", "dora"]);

	const told: string[] = [];
	client.on("contact", (c) => told.push(`${c.id}${c.gone ? " gone" : ""}`));
	const added = client.contacts.add("carol");
	await turn();
	expect(page.wire.last("contact.add").params).toEqual({ user: "carol" });
	page.wire.answer("contact.add", {});
	await added;
	page.wire.say(change("me", 3, "contact", { id: "carol", name: "Carol" }));
	expect(ids()).toEqual(["bob", "carol", "dora"]);

	const removed = client.contacts.remove("bob");
	await turn();
	page.wire.answer("contact.remove", {});
	await removed;
	page.wire.say(change("me", 4, "contact", { id: "bob", name: "Bob", gone: true }));
	expect(ids()).toEqual(["carol", "dora"]);

	page.wire.end(1006);
	await vi.advanceTimersByTimeAsync(1000);
	await greet(page, { items: [item(3, "contact", { id: "carol", name: "Carol" })], pos: 9 });
	expect(ids(), "those of a greeting that had all").toEqual(["carol"]);
	expect(told).toEqual(["carol", "bob gone", "carol", "dora gone"]);
});
