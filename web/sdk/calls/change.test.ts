import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holds, mostTime } from "../testing/property.ts";
import { ringing } from "../testing/wire.ts";
import type { CallChange, ParticipantView, Snapshot } from "../wire.gen.ts";
import { changed } from "./change.ts";
import { later } from "./ring.ts";

const person = (user: string, state: ParticipantView["state"] = "joined"): ParticipantView => ({
	user,
	name: user,
	state,
	microphone: true,
	camera: false,
});
const call = (cseq: number, participants: ParticipantView[], more: Partial<Snapshot> = {}): Snapshot =>
	ringing({ cseq, participants, ...more });
const told = (from: number, snapshot: Snapshot): CallChange => ({ from, age_ms: 0, call: snapshot });

describe("a change of a call", () => {
	const known = call(5, [person("alice"), person("bob", "ringing")]);

	it("brings those who changed, whoever is new, and all else as it is now", () => {
		const now = changed(
			known,
			told(5, call(6, [person("bob"), person("carol", "ringing")], { state: "active" })),
		);
		expect(now).toMatchObject({ cseq: 6, state: "active" });
		expect(now !== "hole" && now?.participants.map((p) => `${p.user} ${p.state}`)).toEqual([
			"alice joined",
			"bob joined",
			"carol ringing",
		]);
	});

	it("that begins before what is known counts too, one that begins after it is a hole", () => {
		expect(changed(known, told(3, call(6, [person("bob")])))).toMatchObject({ cseq: 6 });
		expect(changed(known, told(6, call(7, [person("bob")])))).toBe("hole");
		expect(changed(undefined, told(6, call(7, [person("bob")])))).toBe("hole");
		expect(changed(known, told(5, call(6, [], { epoch: 2 }))), "another owner counts anew").toBe("hole");
	});

	it("with everybody needs nothing before it", () => {
		expect(changed(undefined, told(0, known))).toBe(known);
		expect(changed(known, told(0, call(1, [], { epoch: 2 })))).toMatchObject({ epoch: 2, cseq: 1 });
	});

	it("that is no newer, or the end of what nobody saw, is no news", () => {
		expect(changed(known, told(4, call(5, [])))).toBeUndefined();
		expect(changed(known, told(0, call(4, [])))).toBeUndefined();
		expect(changed(call(1, [], { epoch: 2 }), told(0, known))).toBeUndefined();
		expect(changed(undefined, told(6, call(7, [], { state: "ended" })))).toBeUndefined();
	});
});

/** A call of four, of whom one changes at a time, or its owner. */
const history = fc.array(fc.record({ who: fc.nat(3), muted: fc.boolean(), moves: fc.nat(9) }), {
	minLength: 1,
	maxLength: 40,
	size: "max",
});
/** What becomes of each change: it arrives, is lost, is united with the next one, or arrives once more at the end. */
const fate = fc.array(fc.constantFrom("arrives", "arrives", "lost", "united", "repeated"), {
	minLength: 40,
	maxLength: 40,
});

it("a tab that asks after each hole ends with the call as it is", { timeout: mostTime }, () => {
	holds(fc.tuple(history, fate), ([steps, fates]) => {
		let truth = call(
			1,
			["alice", "bob", "carol", "dave"].map((user) => person(user)),
		);
		let tab: Snapshot | undefined = truth;
		let waiting: CallChange | undefined;
		const again: CallChange[] = [];
		const arrive = (c: CallChange) => {
			const now = changed(tab, c);
			if (now === "hole") tab = truth;
			else if (now) tab = now;
		};
		for (const [i, { who, muted, moves }] of steps.entries()) {
			const from = moves === 0 ? 0 : truth.cseq;
			const participants = truth.participants.map((p, n) => (n === who ? { ...p, microphone: !muted } : p));
			const number = moves === 0 ? { epoch: truth.epoch + 1, cseq: 1 } : { cseq: truth.cseq + 1 };
			truth = { ...truth, ...number, participants };
			const those = from === 0 ? participants : participants.slice(who, who + 1);
			const change = united(waiting, { from, age_ms: 0, call: { ...truth, participants: those } });
			waiting = undefined;
			if (fates[i] === "united") waiting = change;
			else if (fates[i] !== "lost") arrive(change);
			if (fates[i] === "repeated") again.push(change);
		}
		for (const c of again) arrive(c);
		// The server tells again what a tab may have missed.
		if (!tab || later(truth, tab)) arrive({ age_ms: 0, call: truth });
		expect(tab).toEqual(truth);
	});
});

/** Two changes for a slow tab, as the server makes one of them. */
function united(a: CallChange | undefined, b: CallChange): CallChange {
	if (!a || !b.from || a.call.epoch !== b.call.epoch) return b;
	const news = new Map([...a.call.participants, ...b.call.participants].map((p) => [p.user, p]));
	return { ...b, from: a.from ?? 0, call: { ...b.call, participants: [...news.values()] } };
}
