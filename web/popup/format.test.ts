import { expect, test } from "vitest";
import { agoLabel, clock, dayKey, dayLabel } from "./format.ts";
import { Words } from "./strings/index.ts";

const words = new Words();
const at = (y: number, m: number, d: number, h = 12, min = 0) => new Date(y, m - 1, d, h, min).getTime();

test.each([
	[0, "00:00"],
	[999, "00:00"],
	[42_000, "00:42"],
	[60_000, "01:00"],
	[3_599_999, "59:59"],
	[3_600_000, "1:00:00"],
	[-5, "00:00"],
])("%d ms on the clock", (ms, want) => {
	expect(clock(ms)).toBe(want);
});

test("days are local days, also at midnight", () => {
	const now = at(2026, 11, 21, 0, 5);
	expect(dayLabel(at(2026, 11, 21, 0, 1), now, words)).toBe("Today");
	expect(dayLabel(at(2026, 11, 20, 23, 59), now, words)).toBe("Yesterday");
	expect(dayLabel(at(2026, 11, 17), now, words)).toBe("Tuesday");
	expect(dayLabel(at(2026, 3, 2), now, words)).toBe("Mon, March 2");
	expect(dayLabel(at(2025, 3, 2), now, words)).toContain("2025");
	expect(dayKey(at(2026, 11, 21, 0, 1))).not.toBe(dayKey(at(2026, 11, 20, 23, 59)));
});

test("a message from a clock that is ahead is not from another week", () => {
	const now = at(2026, 11, 21, 23, 30);
	expect(dayLabel(at(2026, 11, 22, 0, 10), now, words)).toContain("November 22");
});

test("last seen is counted in what people count in", () => {
	const now = at(2026, 11, 21);
	expect(agoLabel(now - 10_000, now, words)).toBe("1 min. ago");
	expect(agoLabel(now - 50 * 60_000, now, words)).toBe("50 min. ago");
	expect(agoLabel(now - 5 * 3_600_000, now, words)).toBe("5 hr. ago");
	expect(agoLabel(now - 26 * 3_600_000, now, words)).toBe("yesterday");
});
