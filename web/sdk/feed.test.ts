import { describe, expect, it } from "vitest";
import { Position } from "./feed.ts";
import { item } from "./testing/wire.ts";
import type { Change } from "./wire.gen.ts";

/** A change that brings the object `key`. */
const set = (pos: number, key = `${pos}`): Change => ({
	feed: "me",
	...item(pos, "object", { key, value: pos, tab: "" }),
});
const places = (at: Position): number[] => at.known().newest.map((p) => p.pos);

describe("the position in a feed", () => {
	it("moves with the changes that follow directly, and with no other", () => {
		const at = new Position(3);
		for (const [pos, now, hole] of [
			[4, 4, false],
			[4, 4, false],
			[2, 4, false],
			[6, 4, true],
			[7, 4, true],
			[5, 7, false],
		] as const) {
			at.change(set(pos));
			expect([at.pos, at.hole], `after ${pos}`).toEqual([now, hole]);
		}
	});

	it("does not move by a change that brings nothing, but knows then that something is missing", () => {
		const at = new Position(3);
		at.change({ feed: "me", pos: 4 });
		expect([at.pos, at.told, at.hole]).toEqual([3, 4, true]);
		at.upTo(4);
		expect([at.pos, at.hole]).toEqual([4, false]);
	});

	it("joins an answer with the changes that came before it", () => {
		const at = new Position(3);
		at.change(set(8));
		at.change(set(9));
		at.upTo(7);
		expect([at.pos, at.hole]).toEqual([9, false]);
	});

	it("does not move by an item of a page", () => {
		const at = new Position(3);
		at.note(item(9, "object", { key: "a", value: 1, tab: "" }));
		expect([at.pos, at.hole]).toEqual([3, false]);
	});

	it("believes an answer that there is nothing more, unless it was told of more meanwhile", () => {
		const at = new Position(3);
		at.tell(9);
		at.nothingMissing(8);
		expect(at.hole).toBe(true);
		at.nothingMissing(9);
		expect(at.hole).toBe(false);
	});

	it("names the places of the three newest items, each once, where it is now", () => {
		const at = new Position();
		expect(at.known()).toEqual({ pos: 0, newest: [] });
		for (const [pos, key] of [
			[1, "a"],
			[2, "b"],
			[3, "a"],
		] as const)
			at.change(set(pos, key));
		expect(places(at), "the place of a moved").toEqual([3, 2]);
		for (const pos of [4, 5, 6]) at.change(set(pos));
		expect(places(at)).toEqual([6, 5, 4]);
		at.change(set(1, "a"));
		at.note(item(5, "message", { seq: 1 } as never));
		expect(places(at)).toEqual([6, 5, 5]);
	});

	it("remembers a bounded number of changes beyond a hole, and asks for the rest again", () => {
		const at = new Position();
		for (let pos = 2; pos <= 3000; pos++) at.change(set(pos));
		at.change(set(1));
		expect(at.pos).toBe(1001);
		expect(at.hole).toBe(true);
		at.upTo(3000);
		expect(at.hole).toBe(false);
	});
});
