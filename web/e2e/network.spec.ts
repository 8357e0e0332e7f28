import type { Page } from "@playwright/test";
import { expect, openChat, test } from "./fixtures.ts";
import { received } from "./media.ts";
import { button, call, transcript, write } from "./page.ts";

for (const relay of ["udp", "tcp"] as const)
	test(`both behind a hard NAT: the call goes through TURN over ${relay.toUpperCase()}`, async ({
		people,
	}) => {
		const alice = await (await people.device(people.alice, { relay })).tab();
		const bob = await (await people.device(people.bob, { relay })).tab();
		await call(alice, people.Alice, bob);
		for (const page of [alice, bob]) expect((await received(page)).relay).toBe(relay);
	});

interface Cut {
	/** Closes the page's WebSockets; no new one gets through. */
	cutWebSocket(): void;
}

function cuttable(): void {
	const open: WebSocket[] = [];
	const Original = window.WebSocket;
	let cut = false;
	window.WebSocket = class extends Original {
		constructor(url: string | URL, protocols?: string | string[]) {
			super(cut ? new URL("/nowhere", url) : url, protocols);
			open.push(this);
		}
	};
	const tools: Cut = {
		cutWebSocket() {
			cut = true;
			for (const socket of open) socket.close();
		},
	};
	Object.assign(window, tools);
}

/** Messages that left on the call's data channel. */
function sentOnChannel(page: Page): Promise<number> {
	return page.evaluate(async () => {
		let messages = 0;
		for (const pc of window.probe.peers)
			for (const s of (await pc.getStats()).values())
				if (s.type === "data-channel" && s.label === "chat") messages += s.messagesSent;
		return messages;
	});
}

test("written in the call view with the WebSocket cut: it goes over the data channel, once", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice, { init: cuttable })).tab();
	const alice2 = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	const before = await sentOnChannel(alice);
	await alice.evaluate(() => (window as unknown as Cut).cutWebSocket());
	await write(alice, "Can you read this?");
	for (const page of [alice, alice2, bob])
		await expect(transcript(page).getByText("Can you read this?")).toHaveCount(1);
	expect(await sentOnChannel(alice)).toBeGreaterThan(before);
	await write(bob, "Loud and clear");
	for (const page of [alice, alice2, bob])
		await expect(transcript(page).getByText("Loud and clear")).toHaveCount(1);
	await alice2.reload();
	await openChat(alice2);
	for (const text of ["Can you read this?", "Loud and clear"])
		await expect(transcript(alice2).getByText(text)).toHaveCount(1);
	await button(bob, "Hang up").click();
});
