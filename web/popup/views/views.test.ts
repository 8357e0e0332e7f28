import { expect, test } from "vitest";
import type { CallLog, CallView, Ring, Row } from "../../sdk/index.ts";
import type { Actions } from "../actions.ts";
import type { RingCard } from "../calls/shown.ts";
import { Part } from "../part.ts";
import type { ChatPanel } from "../screen.ts";
import { drawn } from "../testing/drawn.ts";
import { chat, noon, position, screen } from "../testing/screens.ts";
import { callBar } from "./callbars.ts";
import { chatHeader } from "./header.ts";
import { panelView } from "./panel.ts";
import { ringsView } from "./ring.ts";
import { transcript } from "./transcript.ts";

const actions = {} as Actions; // nothing here is clicked

function row(seq: number, sender: string, more: Partial<Row["message"]> = {}): Row {
	const message = {
		id: `m${seq}`,
		conversation: "c",
		seq,
		n: seq,
		sender,
		kind: "text" as const,
		text: `text ${seq}`,
		sent_at: noon,
	};
	return {
		key: `k${seq}`,
		message: { ...message, ...more },
		delivery: sender === "me" ? "read" : "received",
	};
}

const call = (sender: string, log: Partial<CallLog>) =>
	row(1, sender, { kind: "call", data: { media: "audio", ...log } });
const view = (more: object = {}) =>
	({
		id: "1",
		phase: "active",
		here: true,
		sameDevice: true,
		activeSince: 0,
		call: { caller: "bob", conversation: "c", state: "active" },
		me: { user: "me", microphone: true },
		others: [{ user: "bob", name: "Bob" }],
		...more,
	}) as unknown as CallView;
const ring = {
	id: "9",
	media: "video",
	from: { user: "carol", name: "Carol" },
	waiting: false,
	silenced: false,
} as Ring;
const card = (more: Partial<RingCard> = {}): RingCard => ({
	ring,
	impossible: undefined,
	problem: undefined,
	holds: undefined,
	...more,
});
const names = (markup: string) =>
	[...markup.matchAll(/<button[^>]*>(.*?)<\/button>/g)].map(([, inner = ""]) =>
		inner.replace(/<[^>]*>/g, "").trim(),
	);

test("a run of bubbles has one time, under the last", () => {
	const markup = drawn(
		transcript(screen(), chat([row(1, "bob"), row(2, "bob"), row(3, "me")]), actions, position),
	);
	expect(markup.match(/class="bubble/g)).toHaveLength(3);
	expect(markup.match(/<time/g)).toHaveLength(2);
});

test("while it rings the log says so, and offers nothing; then one's own call can be made again, another's be answered by one", () => {
	const text = (r: Row) => drawn(transcript(screen(), chat([r]), actions, position));
	expect(text(call("bob", { state: "ringing" }))).toContain("Ringing…");
	expect(text(call("bob", { state: "ringing" }))).not.toContain("Call back");
	expect(text(call("bob", { state: "active" }))).toContain("Going on now");
	const ended = { state: "ended", reason: "completed", duration_ms: 5000 } as const;
	expect(text(call("bob", ended))).toContain("Call back");
	expect(text(call("me", ended))).toContain("Call again");
	expect(text(call("me", ended))).not.toContain("Call back");
});

test("names, messages and links are isolated from the direction of what stands around them", () => {
	const backwards = "\u202E";
	const face = { id: "bob", name: `${backwards}Bob` };
	const panel = chat([row(1, "bob", { text: `${backwards}look: https://shop.example` })], { face });
	const log = drawn(transcript(screen(), panel, actions, position));
	expect(log).toContain(`<span class="content" dir="auto">${backwards}look: `);
	expect(log).toMatch(/<a href="https:\/\/shop.example\/" dir="auto"/);
	expect(log).toContain(`<p class="lead" dir="auto">${backwards}Bob`);
	expect(drawn(chatHeader(screen(), panel, actions))).toContain(`<bdi>${backwards}Bob</bdi>`);
	const from = { ...ring.from, name: `${backwards}Bob` };
	expect(drawn(ringsView(screen({ rings: [card({ ring: { ...ring, from } })] }), actions))).toContain(
		`<bdi>${backwards}Bob</bdi>`,
	);
});

test("the way to the newest message says how many have come", () => {
	const latest = (unseen: number) =>
		drawn(transcript(screen(), chat([row(1, "bob")]), actions, { ...position, atEnd: false, unseen }));
	expect(latest(0)).toContain('aria-label="Jump to latest"');
	expect(latest(1)).toContain('aria-label="Jump to latest: 1 new message"');
	expect(names(latest(3))).toContain("3 new messages");
});

test("a ring that cannot be answered for want of a microphone says so on its card, and can be answered without", () => {
	const plain = drawn(ringsView(screen({ rings: [card()] }), actions));
	expect(names(plain)).toEqual(["", "Answer with video", "Answer", "Decline"]);
	const problem = { call: "9", text: "The browser refused the microphone.", microphone: true };
	const refused = drawn(ringsView(screen({ rings: [card({ problem })] }), actions));
	expect(refused).toContain('role="alert">The browser refused the microphone.');
	expect(names(refused)).toEqual(["", "Answer without microphone", "Answer with video", "Answer", "Decline"]);
	const other = { ...problem, microphone: false };
	expect(names(drawn(ringsView(screen({ rings: [card({ problem: other })] }), actions)))).toEqual(
		names(plain),
	);
});

test("a waiting call says whom answering puts on hold", () => {
	const waiting = card({ ring: { ...ring, waiting: true }, holds: "Bob" });
	expect(drawn(ringsView(screen({ rings: [waiting] }), actions))).toContain("Answering puts Bob on hold.");
	expect(drawn(ringsView(screen({ rings: [card()] }), actions))).not.toContain("on hold");
});

test("the way back to a call has the name in it that is seen on it", () => {
	const leg = { held: false } as never;
	const markup = drawn(callBar(screen({ call: { kind: "here", view: view(), leg, held: [] } }), actions));
	expect(markup).toContain('aria-label="Back to the call with Bob"');
});

test("a connection that has ended for good shows neither a skeleton nor a field that nobody reads", () => {
	const list = new Part(
		async () => {},
		() => {},
	);
	const context = { call: undefined, callPart: undefined, list, log: position, sent() {} };
	const panel = (more: Partial<ChatPanel>) => {
		const shown = chat([], more);
		return drawn(panelView(screen({ panel: shown }), shown, actions, context));
	};
	expect(panel({})).toContain("<textarea");
	const stopped = panel({ stopped: true, connection: "stopped_bad_token", callButtons: { kind: "none" } });
	expect(stopped).toContain("You are signed out. Sign in to this site again to go on.");
	expect(stopped).not.toMatch(/<textarea|skeleton|Write a message or start/);
});

test("what waits in other conversations stands beside the arrow", () => {
	const header = (unreadElsewhere: number) =>
		drawn(chatHeader(screen(), chat([], { unreadElsewhere }), actions));
	expect(header(0)).not.toContain("badge");
	expect(header(120)).toContain("99+");
	expect(header(120)).toContain('aria-label="120 unread messages"');
});
