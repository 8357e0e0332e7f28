import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test as base, expect } from "./fixtures.ts";
import { call, hangUp } from "./page.ts";
import { binary } from "./server.ts";

const secret = "a secret that two processes share";

/** A server without relays of its own, and beside it `carillon turn` in another process. */
const test = base.extend<object, { env: Record<string, string> }>({
	env: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from this pattern.
		async ({}, use) => {
			const relay = spawn(binary, ["turn", "--listen", "127.0.0.1:0", "--private", "127.0.0.1:0"], {
				env: { ...process.env, CARILLON_LOG: "warn", CARILLON_TURN_SECRETS: secret },
				stdio: ["ignore", "pipe", "inherit"],
			});
			const gone = once(relay, "exit");
			const urls: string[] = [];
			for await (const line of createInterface({ input: relay.stdout })) {
				if (line === "ready") break;
				if (line.startsWith("turn:")) urls.push(line);
			}
			await use({
				CARILLON_TURN_OFF: "true",
				CARILLON_ICE_URLS: urls.join(","),
				CARILLON_ICE_SECRET: secret,
			});
			relay.kill();
			await gone;
		},
		{ scope: "worker" },
	],
});

test("another carillon's TURN serves the call", async ({ people, server }) => {
	expect(server.urls.has("turn-udp"), "no relays of its own").toBe(false);
	const alice = await (await people.device(people.alice, { relay: "udp" })).tab();
	const bob = await (await people.device(people.bob, { relay: "tcp" })).tab();
	await call(alice, people.Alice, bob);
	await hangUp(alice, bob);
});
