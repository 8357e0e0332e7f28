import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const here = import.meta.dirname;

/** Files of the folders, tests apart, each with the files it imports: for values, for types, or later. */
function imports(...folders: string[]): Map<string, string[]> {
	const found = new Map<string, string[]>();
	for (const folder of folders)
		for (const name of readdirSync(join(here, folder), { recursive: true, encoding: "utf8" })) {
			if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
			const file = join(folder, name);
			const text = readFileSync(join(here, file), "utf8");
			const named = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
			found.set(
				file,
				[...named].map(([, path = ""]) => join(dirname(file), path)),
			);
		}
	return found;
}

/** A way from a file back to itself; undefined: there is none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
	const done = new Set<string>();
	const walk = (file: string, path: string[]): string[] | undefined => {
		if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
		if (done.has(file)) return undefined;
		for (const next of graph.get(file) ?? []) {
			const found = walk(next, [...path, file]);
			if (found) return found;
		}
		done.add(file);
		return undefined;
	};
	for (const file of graph.keys()) {
		const found = walk(file, []);
		if (found) return found;
	}
	return undefined;
}

test("no file imports itself by way of others, not even for its types", () => {
	expect(circle(imports("sdk", "popup", "demo"))?.join(" → ")).toBeUndefined();
});

test("the search sees imports of every kind, and finds a circle", () => {
	const graph = imports("sdk", "popup", "demo");
	expect(graph.get("popup/shared.ts")).toContain("popup/alerts.ts"); // import("…")
	expect(graph.get("popup/loader.ts")).toContain("popup/options.ts"); // import type
	expect(
		circle(
			new Map([
				["a", ["b"]],
				["b", ["c"]],
				["c", ["b"]],
			]),
		),
	).toEqual(["b", "c", "b"]);
});

test("views are drawn from data: none of them knows the controller, the element or the page", () => {
	const graph = imports("popup");
	const reached = new Set<string>();
	const walk = (file: string) => {
		if (reached.has(file) || file.startsWith("sdk")) return;
		reached.add(file);
		for (const next of graph.get(file) ?? []) walk(next);
	};
	for (const file of graph.keys()) if (file.startsWith("popup/views/")) walk(file);
	const shell = ["controller", "composing", "element", "popup", "shared", "account"];
	for (const forbidden of [...shell, "calls/calling", "calls/entry", "calls/shared"])
		expect([...reached]).not.toContain(`popup/${forbidden}.ts`);
});
