import { afterEach, expect, test, vi } from "vitest";
import { Listeners } from "./listeners.ts";

afterEach(() => void vi.unstubAllGlobals());

test("a listener that throws keeps nothing from the others, nor from the popup", () => {
	const reported: unknown[] = [];
	vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
	const listeners = new Listeners();
	const heard: unknown[] = [];
	const fault = new Error("of the site");
	listeners.add("open", () => {
		throw fault;
	});
	const listener = (detail: unknown) => heard.push(detail);
	listeners.add("open", listener);
	listeners.call("open", 1);
	listeners.call("close", 2);
	listeners.remove("open", listener);
	listeners.call("open", 3);
	expect(heard).toEqual([1]);
	expect(reported).toEqual([fault, fault]);
});
