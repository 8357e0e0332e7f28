import { expect, test } from "vitest";
import guide from "../../docs/EMBEDDING.md?raw";
import { DeferredCommands } from "./commands.ts";
import { Popup } from "./popup.ts";

const documented = guide.match(/## Methods and events\n`([^`]+)`/)?.[1]?.split(/\s+/) ?? [];

test("every command that the guide names is a method of a popup", () => {
	expect(documented.length).toBeGreaterThan(20);
	for (const name of documented) expect(Popup.prototype, name).toHaveProperty(name);
});

test("every command that waits for the chat part is in the guide", () => {
	const deferred = Object.getOwnPropertyNames(DeferredCommands.prototype).filter((n) => n !== "constructor");
	expect(deferred).toContain("startCall");
	for (const name of deferred) expect(documented).toContain(name);
});

test("a command given before the chat part is loaded waits for it, and answers what it answers", async () => {
	const given: unknown[] = [];
	const chat = {
		startCall: (...p: unknown[]) => {
			given.push(p);
			return Promise.resolve("called");
		},
	};
	class Page extends DeferredCommands {
		override load = async () => chat as never;
	}
	expect(await new Page().startCall({ to: "bob" })).toBe("called");
	expect(given).toEqual([[{ to: "bob" }]]);
});
