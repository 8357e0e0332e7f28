import { expect, test } from "vitest";
import type { Client, Connection, Conversation } from "../sdk/index.ts";
import { beforeCalls } from "./calls/shown.ts";
import { Drafts } from "./drafts.ts";
import { LinkPreview } from "./linkpreview.ts";
import { People } from "./people.ts";
import { connectionText, type ScreenFacts, screenOf } from "./screen.ts";
import { initial, next } from "./state.ts";
import { Words } from "./strings/index.ts";

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
/** A popup that is open on the conversation with Bob. */
function facts(more: Partial<ScreenFacts> = {}, connection = online, list = [withBob]): ScreenFacts {
	const shown = more.state?.panel.place.kind === "chat" ? list[0] : withBob;
	const client = {
		connection,
		user: { id: "me" },
		knownUser: (id: string) => (id === "carol" ? { id, name: "Carol" } : undefined),
		calls: { available: { ok: true }, views: [] },
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
	const server = "https://chat.example";
	return {
		...known,
		server,
		state: next(initial("bob"), { type: "open" }),
		people: new People(known),
		drafts: new Drafts(),
		preview: new LinkPreview({ client, linkPreviews: true, changed() {} }),
		readTo: new Map(),
		calls: beforeCalls({ kind: "none" }),
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

test("a closed panel shows nothing but calls", () => {
	const shown = screenOf(facts({ state: initial("bob"), calls: beforeCalls({ kind: "moving", call: "1" }) }));
	expect(shown.panel).toBeUndefined();
	expect(shown.call).toEqual({ kind: "pending", status: "connecting" });
});

test("a click shows before the call part is here: there is nothing more to click", () => {
	const calls = beforeCalls({ kind: "starting", ref: { to: "bob" }, media: "audio" });
	expect(screenOf(facts({ calls })).panel).toMatchObject({ staged: true, callButtons: { kind: "none" } });
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
