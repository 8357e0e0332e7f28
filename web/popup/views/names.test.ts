import { expect, test } from "vitest";
import type { CallView, Leg, ParticipantView, Ring, Row } from "../../sdk/index.ts";
import type { Actions } from "../actions.ts";
import { endText, statusOf } from "../calls/words.ts";
import type { Face } from "../people.ts";
import type { ChatPanel, Entry, ListPanel, Screen } from "../screen.ts";
import { ar } from "../strings/ar.ts";
import { calls } from "../strings/en.calls.ts";
import { en } from "../strings/en.ts";
import { type Text, Words } from "../strings/index.ts";
import { drawn } from "../testing/drawn.ts";
import { chat as chatPanel, screen as emptyScreen, noon, position } from "../testing/screens.ts";
import { floating } from "./bars.ts";
import { callBar } from "./callbars.ts";
import { chatHeader } from "./header.ts";
import { list } from "./list.ts";
import { ringsView } from "./ring.ts";
import { stageView } from "./stage.ts";
import { transcript } from "./transcript.ts";

const actions = {} as Actions; // nothing here is clicked

const english = new Words();
const arabic = new Words("ar", ar);

/** Everything that the popup draws of people, who all have this name. */
function everything(words: Words, name: string, guest: boolean): Record<string, string> {
	const person = (user: string): ParticipantView => ({
		user,
		name,
		...(guest && { guest }),
		state: "joined",
		microphone: false,
		camera: false,
	});
	const face: Face = { id: "bob", name, ...(guest && { guest }) };
	const view = (more: object = {}) =>
		({
			id: "1",
			phase: "active",
			here: true,
			sameDevice: true,
			activeSince: 0,
			call: { caller: "bob", conversation: "c", state: "active", media: "audio" },
			me: { user: "me", microphone: true },
			others: [person("bob")],
			...more,
		}) as unknown as CallView;
	const leg = { held: false, remotes: new Map(), microphone: true, camera: false } as unknown as Leg;
	const ring = { id: "9", media: "video", from: person("bob"), waiting: true, silenced: false } as Ring;
	const rows = ["bob", "bob", "me"].map(
		(sender, i): Row => ({
			key: `k${i}`,
			message: {
				id: `m${i}`,
				conversation: "c",
				seq: i + 1,
				n: i + 1,
				sender,
				kind: "text",
				text: "Hi",
				sent_at: noon,
			},
			delivery: sender === "me" ? "read" : "received",
		}),
	);
	const called = words.called(face);
	const chat = (rows: Row[] = [], more: Partial<ChatPanel> = {}): ChatPanel => {
		const panel = chatPanel(rows, { face, ...more });
		return { ...panel, log: { ...panel.log, group: true, names: new Map([["bob", called]]) } };
	};
	const entry: Entry = {
		key: "c",
		ref: { conversation: "c" },
		face,
		presence: undefined,
		last: undefined,
		mine: false,
		unread: 0,
	};
	const invitations = [{ conversation: "g", group: name, by: called }];
	const panel = { kind: "list", entries: [entry], invitations } as unknown as ListPanel;
	const screen = (more: Partial<Screen> = {}) =>
		emptyScreen({ words, faces: new Map([["bob", face]]), ...more });
	const inCall = (more: object = {}, held: CallView[] = []) =>
		screen({ call: { kind: "here", view: view(more), leg, held } });
	const three = { others: [person("bob"), person("carol"), person("dave")] };
	const elsewhere = screen({ call: { kind: "elsewhere", view: view({ here: false }) } });
	return {
		"the list": drawn(list(screen(), panel, actions)),
		"the header": drawn(chatHeader(screen(), chat(), actions)),
		"who types": drawn(chatHeader(screen(), chat([], { typing: called }), actions)),
		"an empty conversation": drawn(transcript(screen(), chat(), actions, position)),
		"a conversation": drawn(transcript(screen(), chat(rows), actions, position)),
		"a ring": drawn(
			ringsView(
				screen({ rings: [{ ring, impossible: undefined, problem: undefined, holds: called }] }),
				actions,
			),
		),
		"a call here": drawn(stageView(inCall(), chat(), actions)),
		"a call of four": drawn(stageView(inCall(three), chat(), actions)),
		"a call and one on hold": drawn(stageView(inCall({}, [view()]), chat(), actions)),
		"a call that begins": drawn(
			stageView(screen({ call: { kind: "pending", status: "calling" } }), chat(), actions),
		),
		"the bar of a call": drawn(callBar(inCall({}, [view()]), actions)),
		"the bar of a call of four": drawn(callBar(inCall(three), actions)),
		"a call elsewhere": drawn(floating(elsewhere, actions, callBar(elsewhere, actions))),
		"being put on hold": statusOf(view({ others: [{ ...person("bob"), held: true }] }), 0, words),
		"the end of a call": endText(view(), "declined", words),
	};
}

/** What is left of a text without the names in it that are isolated. */
function withoutIsolated(markup: string, name: string): string {
	return markup
		.replaceAll(`\u2068${name}\u2069`, "")
		.replaceAll(`<bdi>${name}</bdi>`, "")
		.replaceAll(`dir="auto">${name}</`, "")
		.replaceAll(`title="${name}"`, "");
}

test.each([
	["a name that turns the text", english, "\u202EBob"],
	["a name in another script", english, "בוב"],
	["a Latin name among Arabic", arabic, "Bob"],
])("%s stands isolated wherever a person is named", (_, words, name) => {
	for (const guest of [false, true])
		for (const [where, markup] of Object.entries(everything(words, name, guest))) {
			expect(markup, `${where} names the person`).toContain(name);
			expect(withoutIsolated(markup, name), `${where}, guest: ${guest}`).not.toContain(name);
		}
});

test("every text that takes a value isolates it, in every language", () => {
	const value = "\u202Eevil";
	for (const [words, table] of [
		[english, { ...en, ...calls }],
		[arabic, ar],
	] as const) {
		const taking = (Object.keys(table) as Text[]).filter((key) => `${table[key]}`.includes("{"));
		expect(taking.length).toBeGreaterThan(15);
		for (const key of taking) {
			const fields = [...table[key].matchAll(/\{(\w+)\}/g)].map(([, field]) => [field, value]);
			const said = words.say(key, Object.fromEntries(fields));
			expect(said, key).toContain(value);
			expect(said.replaceAll(`\u2068${value}\u2069`, ""), key).not.toContain(value);
		}
	}
	const counted = new Words("en", { unread: { other: "{n} unread from {name}" } });
	expect(counted.count("unread", 3, { name: value })).toBe(`3 unread from \u2068${value}\u2069`);
});

test("a name in the language of the page stays as it is, for those who look for it", () => {
	expect(english.say("incomingVideo", { name: "Bob" })).toBe("Incoming video call from Bob");
	expect(english.list([{ name: "Bob" }, { name: "Zoë", guest: true }])).toBe("Bob, Zoë (guest)");
});

test("a guest is marked wherever a person is named, a user nowhere", () => {
	for (const words of [english, arabic]) {
		const mark = new RegExp(
			`class="guest">${words.say("guest")}<|\\(${words === english ? "guest" : "زائر"}\\)`,
		);
		for (const [where, markup] of Object.entries(everything(words, "Visitor", true)))
			expect(markup, where).toMatch(mark);
		for (const [where, markup] of Object.entries(everything(words, "Visitor", false)))
			expect(markup, where).not.toMatch(mark);
	}
	expect(english.called({ name: "Alice (guest)", guest: true }), "marked by the server").toBe(
		"Alice (guest)",
	);
	expect(english.called({ name: "Guest", guest: true }), "who gave no name").toBe("Guest");
});
