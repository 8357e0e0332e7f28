import { describe, expect, it } from "vitest";
import { jitter, next } from "./connection.ts";
import type { Connection } from "./types.ts";

const lost = (state: Connection, code: number, reason = "", random = 0.5): Connection =>
	next(state, { type: "lost", code, reason, random });
const online: Connection = { state: "online" };

describe("the connection", () => {
	it("goes from idle through a greeting to online", () => {
		let s: Connection = { state: "idle" };
		s = next(s, { type: "connect" });
		expect(s).toEqual({ state: "connecting", attempt: 1 });
		s = next(s, { type: "welcome", resumed: true });
		expect(s).toEqual({ state: "syncing", attempt: 1, resumed: true });
		s = next(s, { type: "synced" });
		expect(s).toEqual(online);
	});

	it.each([4000, 4002, 4003, 4008, 4009, 4499, 1001, 1006, 1011])("comes back after %i", (code) => {
		expect(lost(online, code).state).toBe("waiting");
	});

	it.each([
		[4500, "bad_token"],
		[4501, "signed_out"],
		[4502, "too_old"],
		[4503, "forbidden_origin"],
		[4999, "refused"],
	])("stops after %i", (code, why) => {
		expect(lost(online, code)).toEqual({ state: "stopped", code, why });
	});

	it("comes back at once when a token expired in a running connection, later when that did not help", () => {
		expect(lost(online, 4001)).toEqual({ state: "connecting", attempt: 1 });
		expect(lost({ state: "connecting", attempt: 1 }, 4001).state).toBe("waiting");
	});

	it("waits as long as a server that shuts down asks, and no longer than a minute", () => {
		expect(lost(online, 4000, "3000", 0)).toMatchObject({ delayMs: 3500 });
		expect(lost(online, 4000, "9999999", 0)).toMatchObject({ delayMs: 60_500 });
		expect(lost(online, 4000, "soon", 0)).toMatchObject({ delayMs: 500 });
	});

	it("spreads its attempts over a range that doubles up to 20 s", () => {
		for (const [attempt, most] of [
			[0, 1000],
			[1, 2000],
			[2, 4000],
			[4, 16_000],
			[5, 20_000],
			[500, 20_000],
		] as const) {
			expect(jitter(attempt, 0)).toBe(500);
			expect(jitter(attempt, 1)).toBe(most);
		}
	});

	it("does not back off while a call waits for it", () => {
		const s = next(
			{ state: "connecting", attempt: 9 },
			{ type: "lost", code: 1006, reason: "", random: 1, urgent: true },
		);
		expect(s).toMatchObject({ state: "waiting", attempt: 9, delayMs: 1000 });
	});

	it("comes back to a server that restarts before those who have no call", () => {
		const event = { type: "lost", code: 4000, reason: "5000", random: 1 } as const;
		expect(next(online, event)).toMatchObject({ delayMs: 6000 });
		expect(next(online, { ...event, urgent: true })).toMatchObject({ delayMs: 1000 });
	});

	it("counts attempts until it was online", () => {
		let s = lost(online, 1006);
		for (const attempt of [0, 1, 2]) {
			expect(s).toMatchObject({ state: "waiting", attempt });
			s = next(s, { type: "retry" });
			expect(s).toEqual({ state: "connecting", attempt: attempt + 1 });
			s = lost(s, 1006);
		}
	});

	it("does nothing about what does not concern it", () => {
		const stopped: Connection = { state: "stopped", code: 4501, why: "signed_out" };
		expect(next(stopped, { type: "retry" })).toBe(stopped);
		expect(lost(stopped, 1006)).toBe(stopped);
		expect(next(online, { type: "retry" })).toBe(online);
		expect(next(online, { type: "welcome", resumed: true })).toBe(online);
		expect(next(stopped, { type: "connect" })).toEqual({ state: "connecting", attempt: 1 });
	});
});
