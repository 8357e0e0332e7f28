import { describe, expect, it } from "vitest";
import { ringing } from "../testing/wire.ts";
import type { ParticipantView, Snapshot, Where } from "../wire.gen.ts";
import { later, phase, ring } from "./ring.ts";

const here: Where = { tab: "tab-here", device: "dev-1", device_name: "Here" };
const there: Where = { tab: "tab-there", device: "dev-2", device_name: "Firefox on Android" };

/** The sample call with bob changed. */
function bob(changes: Partial<ParticipantView>, call: Partial<Snapshot> = {}): Snapshot {
	const s = ringing(call);
	return { ...s, participants: s.participants.map((p) => (p.user === "bob" ? { ...p, ...changes } : p)) };
}

const seen = (s: Snapshot, user = "bob", now = 1000) => ring({ snapshot: s, at: 1000 }, user, here.tab, now);

describe("a ring", () => {
	it("is for who is invited or ringing, with the caller's name and the time that is left", () => {
		for (const state of ["invited", "ringing"] as const)
			expect(seen(bob({ state }))).toMatchObject({
				rings: true,
				from: { user: "alice" },
				until: 1000 + 41_200,
			});
	});

	it("never is for the caller, nor for a stranger", () => {
		expect(seen(ringing(), "alice").rings).toBe(false);
		expect(seen(ringing(), "carol").rings).toBe(false);
	});

	it("is over 3 s after its time even if nobody says so", () => {
		const s = bob({ state: "ringing" }, { remaining_ms: 5000 });
		expect(seen(s, "bob", 1000 + 7999).rings).toBe(true);
		expect(seen(s, "bob", 1000 + 8000)).toEqual({ rings: false, reason: "no_answer" });
	});

	it.each([
		[
			"answered there",
			bob({ state: "joining", acted_at: there }, { state: "connecting" }),
			"answered_elsewhere",
		],
		["answered here", bob({ state: "joining", acted_at: here }, { state: "connecting" }), "answered"],
		[
			"declined there",
			bob({ state: "declined", acted_at: there }, { state: "ended", reason: "declined" }),
			"declined_elsewhere",
		],
		[
			"declined here",
			bob({ state: "declined", acted_at: here }, { state: "ended", reason: "declined" }),
			"declined",
		],
		["cancelled", bob({ state: "missed" }, { state: "ended", reason: "cancelled" }), "cancelled"],
		["rung out", bob({ state: "missed" }, { state: "ended", reason: "no_answer" }), "no_answer"],
		["rung out in a group", bob({ state: "missed" }, { state: "active" }), "no_answer"],
		["busy", bob({ state: "busy" }, { state: "active" }), "busy"],
		["removed", bob({ state: "removed" }, { state: "active" }), "removed"],
	] as const)("that was %s ends so", (_, s, reason) => {
		const verdict = seen(s);
		expect(verdict).toMatchObject({ rings: false, reason });
		if (reason.endsWith("_elsewhere")) expect(verdict).toMatchObject({ where: there });
	});

	it("goes on in a group that others have joined", () => {
		expect(seen(bob({ state: "ringing" }, { state: "active" })).rings).toBe(true);
	});
});

describe("a snapshot", () => {
	it("is later with a higher count, or from a later owner", () => {
		expect(later(ringing({ cseq: 3 }), ringing({ cseq: 2 }))).toBe(true);
		expect(later(ringing({ cseq: 2 }), ringing({ cseq: 2 }))).toBe(false);
		expect(later(ringing({ cseq: 1, epoch: 2 }), ringing({ cseq: 9, epoch: 1 }))).toBe(true);
		expect(later(ringing({ cseq: 9, epoch: 1 }), ringing({ cseq: 1, epoch: 2 }))).toBe(false);
	});
});

describe("the phase of a call", () => {
	it.each([
		["calling", bob({ state: "invited" }), "alice"],
		["ringing", bob({ state: "ringing" }), "alice"],
		[undefined, bob({ state: "ringing" }), "bob"],
		["connecting", bob({ state: "joining" }, { state: "connecting" }), "alice"],
		["active", bob({ state: "joined" }, { state: "active" }), "bob"],
		["reconnecting", bob({ state: "reconnecting" }, { state: "active" }), "bob"],
		["held", bob({ state: "joined", held: true }, { state: "active" }), "bob"],
		[undefined, bob({ state: "left" }, { state: "active" }), "bob"],
		[undefined, bob({ state: "joined" }, { state: "ended" }), "bob"],
	] as const)("is %s", (want, s, user) => {
		expect(phase(s, user, false)).toBe(want);
	});

	it("is reconnecting when this tab's own media is away", () => {
		expect(phase(bob({ state: "joined" }, { state: "active" }), "bob", true)).toBe("reconnecting");
	});
});
