/** What other people and the page around write, shown without doing what it says. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { holds, mostTime } from "../sdk/testing/property.ts";
import { linkify, onlyEmoji } from "./linkify.ts";
import { fromDataset } from "./options.ts";

const piece = fc.oneof(
	fc.string({ unit: "binary" }),
	fc.webUrl({ withFragments: true, withQueryParameters: true }),
	fc.emailAddress(),
	fc.constantFrom(
		"https://",
		"www.",
		"javascript:",
		"data:",
		"@",
		":",
		"/",
		"\\",
		"?",
		"#",
		".",
		")",
		"(",
		"\u202e",
		"\u2066",
		"\0",
		"\n",
		"%0a",
		"user:pw@",
	),
);
const written = fc.array(piece).map((all) => all.join(""));

test("links in any text lead to the web or to mail, and show where", { timeout: mostTime }, () => {
	holds(written, (text) => {
		const pieces = linkify(text);
		expect(pieces.map((p) => p.text).join("")).toBe(text);
		for (const { text: shown, href } of pieces) {
			if (href === undefined) continue;
			expect(href).toMatch(/^(https?:\/\/|mailto:)/);
			expect(shown).not.toMatch(/[\s<>"'\p{Bidi_Control}]/u);
			const to = new URL(href);
			expect(to.username + to.password).toBe("");
			// What is shown is the address, and no other address than it leads to.
			if (to.protocol !== "mailto:")
				expect(new URL(/^https?:/i.test(shown) ? shown : `https://${shown}`).host).toBe(to.host);
		}
		expect(typeof onlyEmoji(text)).toBe("boolean");
	});
});

/** Far longer than a message may be, so that time which grows with the square of the length ends the test. */
test("a message that is one long link, or nearly many, is read at once", { timeout: 30_000 }, () => {
	const long = 400_000;
	for (const [head, part, end] of [
		["https://x.example/", "(", ""],
		["https://x.example/", ")", ""],
		["https://x.example/", "(.", ")"],
		["", "a@", ""],
		["", "a.", "@"],
		["", "www.", ""],
		["", "a-", "@b"],
		["a@", "b.", ""],
	] as const) {
		const text = head + part.repeat(long / part.length) + end;
		expect(
			linkify(text)
				.map((p) => p.text)
				.join(""),
		).toBe(text);
	}
});

test("attributes of any text make options, and the text of a name stays text", { timeout: mostTime }, () => {
	holds(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.json())), (data) => {
		const options = fromDataset(data) as Record<string, unknown>;
		for (const key of ["destination", "name", "token"])
			if (Object.hasOwn(data, key)) expect(options[key]).toBe(data[key]);
		expect(Object.getPrototypeOf({})).toBe(Object.prototype);
		expect(({} as Record<string, unknown>).polluted).toBeUndefined();
	});
});
