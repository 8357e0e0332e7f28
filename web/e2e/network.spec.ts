import type { Page } from "@playwright/test";
import { expect, openChat, test } from "./fixtures.ts";
import { received, seesAndHears } from "./media.ts";
import { button, call, hangUp, status, transcript, write } from "./page.ts";
import { throughProxy, UDPProxy } from "./udpproxy.ts";

for (const relay of ["udp", "tcp"] as const)
	test(`both behind a hard NAT: the call goes through TURN over ${relay.toUpperCase()}`, async ({
		people,
	}) => {
		const alice = await (await people.device(people.alice, { relay })).tab();
		const bob = await (await people.device(people.bob, { relay })).tab();
		await call(alice, people.Alice, bob);
		for (const page of [alice, bob]) expect((await received(page)).relay).toBe(relay);
	});

test("no datagram gets through while the WebSocket lives, then they do again: the call goes on", async ({
	people,
	server,
}) => {
	await using network = await UDPProxy.open(server.urls.get("media-udp") ?? "");
	const device = await people.device(people.alice);
	await device.context.addInitScript(throughProxy, network.address);
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);

	network.loses = () => true;
	await expect(status(alice, "Reconnecting…")).toBeVisible();
	await write(alice, "I cannot hear you");
	await expect(transcript(bob).getByText("I cannot hear you")).toHaveCount(1);
	await expect(status(bob, "Reconnecting…")).toBeVisible();

	network.loses = () => false;
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	for (const page of [alice, bob]) await expect(status(page, /^\d\d:\d\d$/)).toBeVisible();
	await hangUp(alice, bob);
	await expect(transcript(alice).getByText("Video call")).toHaveCount(1);
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
