import { expect, test } from "vitest";
import samples from "../../preview/testdata/links.json" with { type: "json" };
import { firstLink, linkify, onlyEmoji } from "./linkify.ts";

const links = (text: string) =>
	linkify(text)
		.filter((p) => p.href)
		.map((p) => [p.text, p.href]);

test.each([
	["see https://example.com/a?b=c#d.", [["https://example.com/a?b=c#d", "https://example.com/a?b=c#d"]]],
	[
		"(https://en.wikipedia.org/wiki/Bell_(instrument))",
		[["https://en.wikipedia.org/wiki/Bell_(instrument)", "https://en.wikipedia.org/wiki/Bell_(instrument)"]],
	],
	["www.example.com, really", [["www.example.com", "https://www.example.com/"]]],
	["write to bob@example.com!", [["bob@example.com", "mailto:bob@example.com"]]],
	[
		"http://a.example and https://b.example",
		[
			["http://a.example", "http://a.example/"],
			["https://b.example", "https://b.example/"],
		],
	],
	["javascript:alert(1) data:text/html,x file:///etc/passwd vbscript:x", []],
	["https:// and http://", []],
	["version 1.2.3, 10:30, a@b", []],
	["https://shop.example@evil.example/pay", []],
	["https://shop.example:pw@evil.example and www.shop.example@evil.example", []],
	["https://@evil.example", []],
	["https://shop.example/@alice", [["https://shop.example/@alice", "https://shop.example/@alice"]]],
	["https://evil.example/\u202Emoc.knab", [["https://evil.example/", "https://evil.example/"]]],
])("links in %j", (text, want) => {
	expect(links(text)).toEqual(want);
});

test.each(samples)("the first link of $text is the one that the server looks at", ({ text, href }) => {
	expect(firstLink(text) ?? "").toBe(href);
});

test("the pieces are the text, nothing added or lost", () => {
	for (const text of [
		"",
		"plain",
		"a https://x.example b",
		"https://x.example",
		"<b>https://x.example/<i></b>",
		"مرحبا https://x.example/؟",
	])
		expect(
			linkify(text)
				.map((p) => p.text)
				.join(""),
		).toBe(text);
});

test("no link leads anywhere but to the web or to mail", () => {
	for (const text of [
		'https://x.example"onclick=1',
		"https://x.example'><script>",
		"HTTPS://X.EXAMPLE",
		"jAvAsCrIpT://www.x.example/%0aalert(1)",
	])
		for (const [, href] of links(text)) expect(href).toMatch(/^(https?:\/\/|mailto:)/);
});

test("a few emoji alone are large, text is not", () => {
	expect(onlyEmoji("🎉")).toBe(true);
	expect(onlyEmoji("👍🏽 👩‍💻")).toBe(true);
	expect(onlyEmoji("🎉🎉🎉🎉")).toBe(false);
	expect(onlyEmoji("ok 🎉")).toBe(false);
	expect(onlyEmoji("")).toBe(false);
});
