import { expect, it } from "vitest";
import type { Message } from "../sdk/index.ts";
import { spoken } from "./spoken.ts";
import { wordsFor } from "./strings/index.ts";

const message = (changes: Partial<Message>): Message => ({
	id: "c.1",
	conversation: "c",
	seq: 1,
	n: 1,
	sender: "bob",
	kind: "text",
	sent_at: 1,
	...changes,
});

it("says what a message says, or what stands for it", async () => {
	const words = await wordsFor("en");
	const said = (m: Partial<Message>) => spoken(message(m), words);
	expect(said({ text: "Hi" })).toEqual({ text: "Hi", standIn: false });
	expect(said({ gone: "recalled" })).toEqual({ text: "This message was deleted", standIn: true });
	expect(said({ gone: "removed" }).text).toBe("This message was removed by a moderator");
	const rich = { title: "Order 7", fields: [{ name: "State", value: "sent" }] };
	expect(said({ kind: "rich", text: "Thanks", data: rich }).text).toBe("Order 7\nState: sent\nThanks");
	expect(said({ kind: "custom", text: "A poll", data: { type: "shop.poll" } })).toEqual({
		text: "A poll",
		standIn: false,
	});
	expect(said({ kind: "voice", data: { file: "F" } }), "without words").toEqual({
		text: "This message cannot be shown here",
		standIn: true,
	});
});
