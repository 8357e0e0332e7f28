import { expect, test } from "vitest";
import { Refusal } from "../../sdk/errors.ts";
import type { CallView, Client, Leg, Ring } from "../../sdk/index.ts";
import { People } from "../people.ts";
import { initial, next } from "../state.ts";
import { calls } from "../strings/en.calls.ts";
import { addEnglish, Words, wordsFor } from "../strings/index.ts";
import { type CallFacts, callScreen, callsShown } from "./screen.ts";

addEnglish(calls);
const words = new Words();
const view = {
	id: "1",
	phase: "active",
	here: false,
	call: { conversation: "c" },
	others: [{ user: "bob", name: "Bob" }],
} as unknown as CallView;
const ring = { id: "9", from: { user: "carol", name: "Carol" }, call: { conversation: "d" } } as Ring;

/** A popup in which nobody calls. */
function facts(more: Partial<CallFacts> = {}): CallFacts {
	const client = {
		calls: { available: { ok: true }, views: more.views ?? [] },
		conversations: { get: () => undefined },
	} as unknown as Client;
	return {
		client,
		words,
		state: next(initial("bob"), { type: "open" }),
		people: new People({ client, options: {}, words }),
		views: [],
		rings: [],
		devices: {},
		preview: { stream: undefined, level: 0, problem: undefined, found: [] },
		soundBlocked: false,
		...more,
	};
}

test("rings of users stand before those of guests, each in the order in which they came", () => {
	const rings = ["guest", "user", "guest", "user"].map(
		(kind, n) =>
			({ id: `${n}`, from: { user: `${n}`, name: kind, guest: kind === "guest" }, call: {} }) as Ring,
	);
	expect(callsShown(facts({ rings })).rings.map((card) => card.ring.id)).toEqual(["1", "3", "0", "2"]);
});

test("a call that the server refuses says why and what helps, until that is put away or over", async () => {
	const refused = new Refusal("too_many_peers", "You have too many calls and streams open.");
	const problem = { source: "camera", reason: "in_use" } as const;
	const shown = (leg: object, state = initial("bob"), said = words) =>
		callsShown(facts({ state, words: said, views: [{ ...view, here: true, leg } as CallView] })).problem;
	expect(shown({ refused })).toEqual({ cause: refused, text: words.say("tooManyPeers") });
	const arabic = await wordsFor("ar");
	expect(shown({ refused }, undefined, arabic)?.text).toBe(arabic.say("tooManyPeers"));
	expect(shown({ refused: undefined })).toBeUndefined();

	const both = { problem, refused };
	expect(shown(both)).toEqual({ cause: problem, text: words.say("camera_in_use") });
	const first = next(initial("bob"), { type: "dismissProblem", problem });
	expect(shown(both, first)?.cause).toBe(refused);
	expect(shown(both, next(first, { type: "dismissProblem", problem: refused }))).toBeUndefined();
});

test("rings and calls show while the panel is closed", () => {
	const shown = callsShown(facts({ state: initial("bob"), rings: [ring], views: [view] }));
	expect(shown.rings.map((card) => card.ring.id)).toEqual(["9"]);
	expect(shown.call).toMatchObject({ kind: "elsewhere" });
});

test("a ring says whom answering holds, and why it could not be answered", () => {
	const problem = { call: "9", text: "No microphone was found.", microphone: true };
	const state = next(initial("bob"), { type: "ringProblem", problem });
	const [card] = callsShown(facts({ state, rings: [ring], views: [view] })).rings;
	expect(card).toMatchObject({ holds: "Bob", problem, impossible: undefined });
	const [alone] = callsShown(facts({ rings: [ring] })).rings;
	expect(alone).toMatchObject({ holds: undefined, problem: undefined });
});

const here = (more: object = {}) =>
	({ ...view, here: true, leg: { held: false } as Leg, ...more }) as CallView;

test("a call here is on the stage, the held one beside it, one elsewhere in the bar", () => {
	const held = here({ id: "2", leg: { held: true } });
	expect(callScreen([held, here()], { kind: "none" })).toMatchObject({
		kind: "here",
		view: { id: "1" },
		held: [{ id: "2" }],
	});
	expect(callScreen([view], { kind: "none" }).kind).toBe("elsewhere");
	expect(callScreen([], { kind: "none" }).kind).toBe("none");
});

test("a click shows at once and makes room for the call it became", () => {
	const starting = { kind: "starting", ref: { to: "bob" }, media: "video" } as const;
	expect(callScreen([], starting)).toEqual({ kind: "pending", status: "calling" });
	expect(callScreen([here()], starting).kind).toBe("here");
	const answering = { kind: "answering", ring: { id: "9", from: { user: "bob" } } } as never;
	expect(callScreen([here()], answering)).toEqual({ kind: "pending", status: "connecting", user: "bob" });
	expect(callScreen([here({ id: "9" })], answering).kind).toBe("here");
});
