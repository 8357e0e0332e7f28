import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connect, greet, turn } from "./testing/wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("adds and removes contacts, and lists them page by page", async () => {
	const { client, page } = await connect();
	await greet(page);
	const added = client.contacts.add("bob");
	await turn();
	expect(page.wire.last("contact.add").params).toEqual({ user: "bob" });
	page.wire.answer("contact.add", {});
	await added;

	const listed = client.contacts.list();
	await turn();
	expect(page.wire.last("contact.list").params).toEqual({});
	page.wire.answer("contact.list", { contacts: [{ id: "bob", name: "Bob" }], next: "bob" });
	await turn();
	expect(page.wire.last("contact.list").params).toEqual({ after: "bob" });
	page.wire.answer("contact.list", { contacts: [{ id: "carol", name: "Carol" }] });
	expect((await listed).map((u) => u.id)).toEqual(["bob", "carol"]);

	const removed = client.contacts.remove("bob");
	await turn();
	page.wire.answer("contact.remove", {});
	await removed;
});
