import { expect, test } from "./fixtures.ts";
import { capturing, received, seesAndHears } from "./media.ts";
import { button, call, ring, status, transcript, write } from "./page.ts";

test("a call survives a reload of either page", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	for (const page of [bob, alice]) {
		await page.reload();
		await expect(button(page, "Hang up")).toBeVisible();
		await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	}
	await expect(ring(bob, "video", people.Alice)).toBeHidden();
});

test("a call moves to another tab without a gap", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bobDevice = await people.device(people.bob);
	const [one, two] = [await bobDevice.tab(), await bobDevice.tab()];
	await call(alice, people.Alice, one);
	await button(two, "Move call here").click();
	await Promise.all([seesAndHears(alice), seesAndHears(two)]);
	await expect
		.poll(() => capturing(one), { message: "the old tab gives camera and microphone back" })
		.toBe(false);
	await expect(button(one, "Move call here")).toBeVisible();
	await button(two, "Hang up").click();
	await expect(button(alice, "Hang up")).toBeHidden();
});

test("the tab that hosts the call crashes: the other is told and does not wait for ever", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const bobDevice = await people.device(people.bob);
	const bob = await bobDevice.tab();
	await call(alice, people.Alice, bob);
	await bob.goto("chrome://crash").catch(() => undefined);
	await expect(status(alice, "Reconnecting…")).toBeVisible();
	const other = await bobDevice.tab({ open: false });
	await expect(button(other, "Move call here")).toBeVisible();
	await button(other, "Move call here").click();
	await Promise.all([seesAndHears(alice), seesAndHears(other)]);
});

test("closing the hosting tab ends the call for the other within seconds", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	await bob.close({ runBeforeUnload: false });
	await expect(button(alice, "Hang up")).toBeHidden({ timeout: 30_000 });
});

test("the server is killed and restarted in the middle of a call: media is back", async ({
	people,
	server,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	await server.restart();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	await button(bob, "Hang up").click();
	await expect(button(alice, "Hang up")).toBeHidden();
});

test("both behind a hard NAT: the call goes through TURN", async ({ people }) => {
	const alice = await (await people.device(people.alice, { relayOnly: true })).tab();
	const bob = await (await people.device(people.bob, { relayOnly: true })).tab();
	await call(alice, people.Alice, bob);
	expect((await received(alice)).relayed && (await received(bob)).relayed, "media is relayed").toBe(true);
});

test("written in the call view with the WebSocket cut: it goes over the data channel", async ({ people }) => {
	const device = await people.device(people.alice, {
		init: () => {
			const open: WebSocket[] = [];
			const Original = window.WebSocket;
			let refused = false;
			window.WebSocket = class extends Original {
				constructor(url: string | URL, protocols?: string | string[]) {
					super(refused ? "ws://127.0.0.1:9/" : url, protocols);
					open.push(this);
				}
			};
			Object.assign(window, {
				cutWebSocket: () => {
					refused = true;
					for (const socket of open) socket.close();
				},
			});
		},
	});
	const alice = await device.tab();
	const alice2 = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	const sent = () =>
		alice.evaluate(async () => {
			let messages = 0;
			for (const pc of (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections)
				for (const s of (await pc.getStats()).values())
					if (s.type === "data-channel" && s.label === "chat") messages += s.messagesSent;
			return messages;
		});
	const before = await sent();
	await alice.evaluate(() => (window as unknown as { cutWebSocket(): void }).cutWebSocket());
	await write(alice, "Can you read this?");
	for (const page of [alice, alice2, bob])
		await expect(transcript(page).getByText("Can you read this?")).toHaveCount(1);
	expect(await sent()).toBeGreaterThan(before);
	await bob.reload();
	await button(bob, "Open chat")
		.click()
		.catch(() => undefined);
	await expect(transcript(bob).getByText("Can you read this?")).toHaveCount(1);
});
