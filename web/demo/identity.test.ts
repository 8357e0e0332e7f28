import { afterEach, expect, test, vi } from "vitest";
import { signIn } from "./identity.ts";

afterEach(() => void vi.unstubAllGlobals());

test("who is refused reads why, in the server's words", async () => {
	const refusal = {
		title: "Bad Request",
		status: 400,
		detail: "Choose a name of 1–64 letters.",
		code: "bad_request",
	};
	vi.stubGlobal("fetch", async () => Response.json(refusal, { status: 400 }));
	await expect(signIn("  ")).rejects.toThrow("Choose a name of 1–64 letters.");
});

test("a server without a demo says so, and one that answers with a page does not confuse anyone", async () => {
	vi.stubGlobal("fetch", async () => new Response("404 page not found", { status: 404 }));
	await expect(signIn("alice")).rejects.toThrow("Demo sign-in is off on this server.");
	vi.stubGlobal("fetch", async () => new Response("<h1>Bad Gateway</h1>", { status: 502 }));
	await expect(signIn("alice")).rejects.toThrow("Signing in did not work. Try again.");
});
