import { expect, test } from "vitest";
import { Part } from "./part.ts";
import { Words } from "./strings/index.ts";
import { drawn } from "./testing/drawn.ts";
import { partView } from "./views/part.ts";

const words = new Words();

/** A part that comes, or does not, when the test says so, and what is drawn of it. */
function wanted() {
	const tries: PromiseWithResolvers<string>[] = [];
	let changes = 0;
	const part = new Part(
		() => {
			let settle = {} as PromiseWithResolvers<string>;
			const promise = new Promise<string>((resolve, reject) => {
				settle = { resolve, reject } as PromiseWithResolvers<string>;
			});
			tries.push(settle);
			return promise;
		},
		() => changes++,
	);
	return { part, tries, draw: () => drawn(partView(words, part, (text) => text)), changes: () => changes };
}

test("a part is fetched when it is first drawn, once, and says that it is loading until it is here", async () => {
	const { part, tries, draw, changes } = wanted();
	expect(draw()).toContain("Loading…");
	expect(draw()).toContain("Loading…");
	expect(tries).toHaveLength(1);
	tries[0]?.resolve("what it has");
	await part.load();
	expect(changes()).toBe(1);
	expect(draw()).toBe("what it has");
});

test("a part that could not be fetched says so, and is fetched again only when somebody asks", async () => {
	const { part, tries, draw, changes } = wanted();
	draw();
	tries[0]?.reject(new TypeError("no network"));
	await part.load().catch(() => {});
	expect(changes()).toBe(1);
	expect(draw()).toContain('role="alert"');
	expect(draw()).toContain("Try again");
	expect(tries).toHaveLength(1);
	const again = part.load();
	expect(draw()).toContain("Loading…");
	tries[1]?.resolve("what it has");
	await again;
	expect(draw()).toBe("what it has");
});
