import { expect, test } from "vitest";
import {
	type CallView,
	type Client,
	type Connection,
	type Conversation,
	Refusal,
	type Ring,
} from "../sdk/index.ts";
import { Drafts } from "./drafts.ts";
import { People } from "./people.ts";
import { connectionText, type ScreenFacts, screenOf } from "./screen.ts";
import { initial, next } from "./state.ts";
import { Words, wordsFor } from "./strings/index.ts";

const words = new Words();
const online: Connection = { state: "online" };
const member = (id: string) =>
	({ id, name: id, role: "member", state: "joined", delivered: 0, read: 0 }) as const;
const joined = { state: "joined", read: 0 };
const withBob = {
	id: "c",
	kind: "direct",
	members: [member("me"), member("bob")],
	mine: joined,
	unread: 1,
} as unknown as Conversation;
const group = {
	id: "g",
	kind: "group",
	name: "Tea",
	count: 12,
	members: [member("me"), member("bob"), member("carol")],
	mine: joined,
	unread: 0,
} as unknown as Conversation;
const view = {
	id: "1",
	phase: "active",
	here: false,
	call: { conversation: "c" },
	others: [{ user: "bob", name: "Bob" }],
} as unknown as CallView;
const ring = { id: "9", from: { user: "carol", name: "Carol" }, call: { conversation: "d" } } as Ring;

/** A popup that is open on the conversation with Bob. */
function facts(more: Partial<ScreenFacts> = {}, connection = online, list = [withBob]): ScreenFacts {
	const shown = more.state?.panel.place.kind === "chat" ? list[0] : withBob;
	const client = {
		connection,
		user: { id: "me" },
		knownUser: (id: string) => (id === "carol" ? { id, name: "Carol" } : undefined),
		calls: { available: { ok: true }, views: more.views ?? [] },
		presence: { get: () => undefined },
		messages: {
			transcript: () => ({ conversation: shown, rows: [], more: false, loading: true }),
			typists: () => ["bob"],
		},
		conversations: {
			unread: 3,
			list: () => list,
			get: () => withBob,
			direct: (user: string) => (user === "bob" ? withBob : undefined),
			other: () => ({ id: "bob", name: "Bob" }),
		},
	} as unknown as Client;
	const known = { client, options: {}, words };
	return {
		...known,
		state: next(initial("bob"), { type: "open" }),
		people: new People(known),
		drafts: new Drafts(),
		readTo: new Map(),
		views: [],
		rings: [],
		devices: {},
		preview: { stream: undefined, level: 0, problem: undefined, found: [] },
		soundBlocked: false,
		online: true,
		offerNotifications: false,
		...more,
	};
}

test("a conversation shows who types, what waits elsewhere, and how to call", () => {
	expect(screenOf(facts()).panel).toMatchObject({
		kind: "chat",
		face: { name: "Bob" },
		typing: "bob",
		unreadElsewhere: 2,
		callButtons: { kind: "ready", audio: true, video: true },
		log: { loading: true, conversation: "c", callBack: { to: "bob" } },
		staged: false,
	});
});

test("rings of users stand before those of guests, each in the order in which they came", () => {
	const rings = ["guest", "user", "guest", "user"].map(
		(kind, n) =>
			({ id: `${n}`, from: { user: `${n}`, name: kind, guest: kind === "guest" }, call: {} }) as Ring,
	);
	expect(screenOf(facts({ rings })).rings.map((card) => card.ring.id)).toEqual(["1", "3", "0", "2"]);
});

test("a call that the server refuses says why and what helps, until that is put away or over", async () => {
	const refused = new Refusal("too_many_peers", "You have too many calls and streams open.");
	const problem = { source: "camera", reason: "in_use" } as const;
	const shown = (leg: object, state = initial("bob"), said = words) =>
		screenOf(facts({ state, words: said, views: [{ ...view, here: true, leg } as CallView] })).problem;
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

test("a closed panel shows nothing but rings and calls", () => {
	const shown = screenOf(facts({ state: initial("bob"), rings: [ring], views: [view] }));
	expect(shown.panel).toBeUndefined();
	expect(shown.rings.map((card) => card.ring.id)).toEqual(["9"]);
	expect(shown.call).toMatchObject({ kind: "elsewhere" });
});

test("a destination that nobody has written to stands in the list", () => {
	const state = next(next(initial("dora"), { type: "open" }), { type: "show", place: { kind: "list" } });
	const shown = screenOf(facts({ state, options: { destination: "dora", name: "Dora" } })).panel;
	expect(shown?.kind === "list" && shown.entries.map((entry) => entry.key)).toEqual(["to:dora", "c"]);
});

test("a group shows how many are in it, and who wrote or types by their names", () => {
	const state = next(initial(undefined), {
		type: "show",
		place: { kind: "chat", ref: { conversation: "g" } },
	});
	const chat = screenOf(facts({ state: next(state, { type: "open" }) }, online, [group])).panel;
	expect(chat).toMatchObject({ face: { name: "Tea", count: 12 }, typing: "bob" });
	const nameless = { ...group, name: undefined } as unknown as Conversation;
	const list = next(next(initial("bob"), { type: "open" }), { type: "show", place: { kind: "list" } });
	const shown = screenOf(facts({ state: list }, online, [nameless])).panel;
	expect(shown?.kind === "list" && shown.entries.map((e) => e.face.name)).toContain("bob, carol and 9 more");
});

test("an invitation stands in the list by itself, with who invites", () => {
	const invited = { ...group, members: [], mine: { state: "invited", invited_by: "carol" } };
	const state = next(next(initial("bob"), { type: "open" }), { type: "show", place: { kind: "list" } });
	const shown = screenOf(facts({ state }, online, [invited as unknown as Conversation, withBob])).panel;
	expect(shown).toMatchObject({ invitations: [{ conversation: "g", group: "Tea", by: "Carol" }] });
	expect(shown?.kind === "list" && shown.entries.map((entry) => entry.key)).toEqual(["c"]);
});

test("a ring says whom answering holds, and why it could not be answered", () => {
	const problem = { call: "9", text: "No microphone was found.", microphone: true };
	const state = next(initial("bob"), { type: "ringProblem", problem });
	const [card] = screenOf(facts({ state, rings: [ring], views: [view] })).rings;
	expect(card).toMatchObject({ holds: "Bob", problem, impossible: undefined });
	const [alone] = screenOf(facts({ rings: [ring] })).rings;
	expect(alone).toMatchObject({ holds: undefined, problem: undefined });
});

test("a connection that has ended for good loads nothing and offers no call", () => {
	const stopped: Connection = { state: "stopped", code: 4001, why: "bad_token" };
	expect(screenOf(facts({}, stopped)).panel).toMatchObject({
		stopped: true,
		connection: "stopped_bad_token",
		callButtons: { kind: "none" },
		log: { loading: false },
	});
});

test("the connection is worth a word when it is away, not when it is young", () => {
	const waiting = (code: number): Connection => ({ state: "waiting", attempt: 2, delayMs: 500, code });
	expect(connectionText(online, true)).toBeUndefined();
	expect(connectionText({ state: "connecting", attempt: 1 }, true)).toBeUndefined();
	expect(connectionText({ state: "connecting", attempt: 2 }, true)).toBe("serverAway");
	expect(connectionText({ state: "connecting", attempt: 2 }, false)).toBe("offlineBar");
	expect(connectionText(waiting(1006), true)).toBe("serverAway");
	expect(connectionText(waiting(4500), true), "the server asked for a pause").toBeUndefined();
	expect(connectionText(waiting(4500), false)).toBe("offlineBar");
});
