import { expect, test } from "vitest";
import type { CallView, Leg, RingEnd } from "../../sdk/index.ts";
import { calls } from "../strings/en.calls.ts";
import { addEnglish, Words } from "../strings/index.ts";
import { elsewhereStatus, endText, ringEndText, statusOf, ticks } from "./words.ts";

addEnglish(calls);
const words = new Words();
const person = (user: string, more: object = {}) => ({
	user,
	name: user,
	state: "joined",
	microphone: true,
	camera: true,
	...more,
});
const view = (more: object = {}) =>
	({
		id: "1",
		phase: "active",
		here: true,
		sameDevice: true,
		activeSince: 1000,
		leg: { held: false } as Leg,
		call: { caller: "bob", conversation: "c" },
		me: person("me"),
		others: [person("bob")],
		...more,
	}) as unknown as CallView;

test("the status is one of the exact words, or the clock", () => {
	for (const [phase, want] of [
		["calling", "Calling…"],
		["ringing", "Ringing…"],
		["connecting", "Connecting…"],
		["reconnecting", "Reconnecting…"],
		["active", "00:42"],
	])
		expect(statusOf(view({ phase }), 43_000, words)).toBe(want);
	expect(statusOf(view({ others: [person("bob", { state: "reconnecting" })] }), 43_000, words)).toBe(
		"Reconnecting…",
	);
	expect(ticks(view())).toBe(true);
	expect(ticks(view({ phase: "ringing" }))).toBe(false);
});

test("who answered elsewhere reads where, who called reads how it stands", () => {
	const answered = person("me", { acted_at: { tab: "2" } });
	expect(elsewhereStatus(view({ here: false, me: answered }), 2000, words)).toBe("Answered on another tab");
	expect(elsewhereStatus(view({ here: false, me: answered, sameDevice: false }), 2000, words)).toBe(
		"Answered on another device",
	);
	expect(
		elsewhereStatus(view({ here: false, call: { caller: "me" }, phase: "ringing" }), 43_000, words),
	).toBe("Ringing…");
});

test("a tab that falls silent says so only for what was done elsewhere", () => {
	const end = (reason: string, sameDevice = true) => ({ reason, sameDevice }) as RingEnd;
	expect(ringEndText(end("answered_elsewhere"), words)).toBe("Answered on another tab");
	expect(ringEndText(end("answered_elsewhere", false), words)).toBe("Answered on another device");
	expect(ringEndText(end("declined_elsewhere"), words)).toBe("Declined on another tab");
	expect(ringEndText(end("cancelled"), words)).toBeUndefined();
	expect(ringEndText(end("answered"), words)).toBeUndefined();
});

test("every reason has a sentence", () => {
	for (const reason of [
		"completed",
		"cancelled",
		"declined",
		"no_answer",
		"busy",
		"unreachable",
		"blocked",
		"not_allowed",
		"max_duration",
		"failed_media",
		"failed_ice",
		"connection_lost",
		"removed",
		"replaced",
		"expired",
		"server_error",
		"one of next year",
	])
		expect(endText(view(), reason, words)).not.toContain("{");
});

test("who takes their own call back reads that it was cancelled, not that it ended", () => {
	expect(endText(view({ call: { state: "ringing" } }), "completed", words)).toBe("Call cancelled");
	expect(endText(view({ call: { state: "active" } }), "completed", words)).toBe("Call ended");
});

test("where a call was answered is told for ten seconds, then how long it lasts", () => {
	const answered = view({ here: false, me: person("me", { acted_at: { tab: "2" } }), activeSince: 1000 });
	expect(elsewhereStatus(answered, 10_900, words)).toBe("Answered on another tab");
	expect(elsewhereStatus(answered, 11_000, words)).toBe("00:10");
	expect(elsewhereStatus({ ...answered, activeSince: undefined }, 99_000, words)).toBe(
		"Answered on another tab",
	);
});
