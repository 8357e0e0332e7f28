import { expect, test } from "vitest";
import type { Preview } from "../../sdk/index.ts";
import type { Actions } from "../actions.ts";
import { Words } from "../strings/index.ts";
import { drawn } from "../testing/drawn.ts";
import { card } from "./card.ts";
import { draftCard } from "./composer.ts";

const preview: Preview = {
	url: "https://shop.example/blue",
	site: "shop.example",
	title: "\u202EThe blue one",
	description: "In stock again.",
	picture: { key: "KEY", width: 600, height: 315 },
};
const draw = (more: Partial<Preview> = {}) => drawn(card({ ...preview, ...more }, "https://chat.example"));

test("a card is one link to where the link leads, which tells that site nothing", () => {
	expect(draw()).toContain(
		'href="https://shop.example/blue" target="_blank" rel="noopener noreferrer nofollow ugc"',
	);
	expect(draw().match(/<a /g)).toHaveLength(1);
	expect(
		draw()
			.replace(/<[^>]*>/g, "")
			.replace(/\s+/g, " ")
			.trim(),
	).toBe("\u202EThe blue one In stock again. shop.example");
});

test("its picture comes from the chat's server, whatever is in its key, and its place is kept", () => {
	expect(draw()).toContain('src="https://chat.example/previews/KEY.jpg" width="600" height="315"');
	const foreign = { key: "../../x?//evil.example", width: 600, height: 315 };
	expect(draw({ picture: foreign })).toContain(
		'src="https://chat.example/previews/..%2F..%2Fx%3F%2F%2Fevil.example.jpg"',
	);
	expect(draw({ picture: { ...foreign, width: 64 } })).toContain('class="card small"');
	const { picture: _, ...bare } = preview;
	expect(drawn(card(bare, "https://chat.example"))).not.toContain("<img");
});

test("each text of strangers has its own direction", () => {
	expect(draw()).toContain('<strong dir="auto">\u202EThe blue one</strong>');
	expect(draw()).toContain('<span dir="auto">In stock again.</span>');
	expect(draw()).toContain('<bdi class="site">shop.example</bdi>');
});

test("a card that leads elsewhere than to the web is not drawn", () => {
	for (const url of [
		"javascript:alert(1)",
		"data:text/html,x",
		"//evil.example",
		"",
		" https://shop.example",
	])
		expect(draw({ url })).toBe("");
});

test("the card of a draft can be taken away", () => {
	expect(drawn(draftCard(new Words(), preview, "https://chat.example", {} as Actions))).toContain(
		'aria-label="Remove preview"',
	);
});
