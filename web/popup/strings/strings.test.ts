import { expect, test } from "vitest";
import { ar } from "./ar.ts";
import { calls } from "./en.calls.ts";
import { en as first } from "./en.ts";
import { addEnglish, Words, wordsFor } from "./index.ts";

addEnglish(calls);
/** All that is said in English. */
const en = { ...first, ...calls };

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

test("Arabic says everything that English says, with the same placeholders", () => {
	expect(Object.keys(ar).sort()).toEqual(Object.keys(en).sort());
	for (const [key, text] of Object.entries(en)) {
		const other = ar[key as keyof typeof ar];
		if (typeof text === "string") expect(placeholders(other as string), key).toEqual(placeholders(text));
		expect(JSON.stringify(other), `${key} is empty`).not.toMatch(/""/);
	}
});

test("every plural form that a language has is there", () => {
	for (const [locale, table] of [
		["en", en],
		["ar", ar],
	] as const) {
		const rules = new Intl.PluralRules(locale);
		for (const n of [0, 1, 2, 3, 11, 99, 100, 101]) {
			const words = new Words(locale, table);
			expect(words.count("unread", n), `${locale} ${n} ${rules.select(n)}`).not.toContain("{");
		}
	}
});

test("the names that tests and assistive scripts find things by are exact", () => {
	expect([en.openChat, en.closeChat, en.message, en.messages, en.send, en.voiceCall, en.videoCall]).toEqual([
		"Open chat",
		"Close chat",
		"Message",
		"Messages",
		"Send",
		"Voice call",
		"Video call",
	]);
	expect([
		en.answer,
		en.answerWithVideo,
		en.decline,
		en.hangUp,
		en.mute,
		en.unmute,
		en.cameraOff,
		en.cameraOn,
		en.moveHere,
	]).toEqual([
		"Answer",
		"Answer with video",
		"Decline",
		"Hang up",
		"Mute microphone",
		"Unmute microphone",
		"Turn camera off",
		"Turn camera on",
		"Move call here",
	]);
	expect([
		en.calling,
		en.ringing,
		en.connecting,
		en.reconnecting,
		en.answeredOnTab,
		en.answeredOnDevice,
	]).toEqual([
		"Calling…",
		"Ringing…",
		"Connecting…",
		"Reconnecting…",
		"Answered on another tab",
		"Answered on another device",
	]);
	expect(new Words().say("incomingVideo", { name: "Bob" })).toBe("Incoming video call from Bob");
	expect(new Words().say("incomingVoice", { name: "Bob" })).toBe("Incoming voice call from Bob");
});

test("a site's own texts replace ours, an unknown language is English", async () => {
	expect((await wordsFor("en", { send: "Go" })).say("send")).toBe("Go");
	expect((await wordsFor("xx")).say("send")).toBe("Send");
	expect((await wordsFor("ar-EG")).say("send")).toBe("إرسال");
});

test("what a part says is said twice nowhere", () => {
	expect(Object.keys(first).filter((key) => key in calls)).toEqual([]);
});
