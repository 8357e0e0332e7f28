import { expect, test } from "vitest";
import type { Row } from "../sdk/index.ts";
import { itemsOf } from "./rows.ts";

const noon = new Date(2026, 10, 21, 12).getTime();
const minute = 60_000;

function row(seq: number, sender: string, sent_at: number, kind: Row["message"]["kind"] = "text"): Row {
	const message = { id: `m${seq}`, conversation: "c", seq, n: seq, sender, kind, text: `${seq}`, sent_at };
	return { key: `k${seq}`, message, delivery: sender === "me" ? "sent" : "received" };
}

const drawn = (rows: Row[], readTo?: number) =>
	itemsOf(rows, "me", readTo).map((item) =>
		item.kind === "bubble"
			? `${item.mine ? "me" : "them"}${item.first ? " first" : ""}${item.last ? " last" : ""}`
			: item.kind,
	);

test("bubbles of one sender within five minutes stand together", () => {
	expect(
		drawn([
			row(1, "bob", noon),
			row(2, "bob", noon + minute),
			row(3, "me", noon + 2 * minute),
			row(4, "me", noon + 9 * minute),
		]),
	).toEqual(["day", "them first", "them last", "me first last", "me first last"]);
});

test("a run has one time; a tick stands also where the next message has not come as far", () => {
	const mine = (seq: number, delivery: Row["delivery"]) => ({ ...row(seq, "me", noon), delivery });
	const items = itemsOf([mine(1, "read"), mine(2, "read"), mine(3, "delivered"), mine(4, "queued")], "me");
	const bubbles = items.filter((item) => item.kind === "bubble");
	expect(bubbles.map((b) => b.last)).toEqual([false, false, false, true]);
	expect(bubbles.map((b) => b.tick)).toEqual([false, true, true, true]);
});

test("a new day separates, even seconds apart", () => {
	const midnight = new Date(2026, 10, 22).getTime();
	expect(drawn([row(1, "bob", midnight - 1000), row(2, "bob", midnight + 1000)])).toEqual([
		"day",
		"them first last",
		"day",
		"them first last",
	]);
});

test("the divider stands once, before the first message of others beyond the mark", () => {
	const rows = [row(1, "bob", noon), row(2, "me", noon), row(3, "bob", noon), row(4, "bob", noon)];
	expect(drawn(rows, 1)).toEqual([
		"day",
		"them first last",
		"me first last",
		"unread",
		"them first",
		"them last",
	]);
	expect(drawn(rows, 0)[1]).toBe("unread");
	expect(drawn(rows, 4)).not.toContain("unread");
	expect(drawn(rows)).not.toContain("unread");
});

test("calls and notices break a run and have keys of their own", () => {
	const items = itemsOf(
		[row(1, "bob", noon), row(2, "bob", noon, "call"), row(3, "bob", noon, "system"), row(4, "bob", noon)],
		"me",
	);
	expect(items.map((i) => i.kind)).toEqual(["day", "bubble", "call", "notice", "bubble"]);
	expect(new Set(items.map((i) => i.key)).size).toBe(items.length);
});

test("what waits to be sent is mine although nobody has stored it", () => {
	expect(drawn([{ ...row(0, "", noon), delivery: "queued" }])).toEqual(["day", "me first last"]);
});
