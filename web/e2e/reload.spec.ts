import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { capturing, hears } from "./media.ts";
import { button, copyOf, tabId, voiceCall } from "./page.ts";

// Between the old page and the new one more time may pass than a visitor's machine needs.
test.use({ env: { CARILLON_CALL_SUSPEND_SECONDS: "30" } });

/** Until the page itself hosts the call. */
async function hosts(page: Page, why?: string): Promise<void> {
	await expect(button(page, "Hang up"), why).toBeVisible();
	await expect(button(page, "Move call here"), why).toBeHidden();
}

// A few in each run of the suite; `npm run soak` makes more.
const reloads = process.env.SOAK === undefined ? 6 : 30;

test(`${reloads} reloads of a slow page keep its call, and a copy of it never takes it`, async ({
	people,
}) => {
	test.setTimeout(60_000 + reloads * 20_000);
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const bob = await device.tab();
	await voiceCall(alice, people.Alice, bob);
	const copy = await copyOf(bob);
	await expect(button(copy, "Move call here")).toBeVisible();
	const debug = await device.context.newCDPSession(bob);
	await debug.send("Emulation.setCPUThrottlingRate", { rate: 6 });
	for (let n = 0; n < reloads; n++) {
		await bob.reload();
		await hosts(bob, `after reload ${n + 1}`);
		expect(await capturing(copy)).toBe(false);
	}
	await debug.send("Emulation.setCPUThrottlingRate", { rate: 1 });
	await Promise.all([hears(alice), hears(bob)]);
	await expect(button(copy, "Move call here")).toBeVisible();
});

test("a reload keeps its call though the browser releases the old page's lock late", async ({
	people,
	server,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const bob = await device.tab();
	await voiceCall(alice, people.Alice, bob);
	const old = await tabId(bob);
	// Another page stands in line for the lock before the page that is loaded next, and so keeps it from that one.
	const other = await device.context.newPage();
	await other.goto(`${server.url}/`);
	await other.evaluate((name) => {
		const held = new Promise<void>((release) => Object.assign(window, { release }));
		void navigator.locks.request(name, () => held);
	}, `tab:${old}`);
	await bob.reload();
	await expect.poll(() => tabId(bob)).not.toBe(old);
	await expect(button(bob, "Move call here"), "it may be a copy, as far as it knows").toBeVisible();
	await other.evaluate(() => (window as unknown as { release(): void }).release());
	await hosts(bob);
	await Promise.all([hears(alice), hears(bob)]);
});

for (const method of ["call.start", "call.answer"] as const)
	test(`the connection is lost before the answer to ${method}: the tab asks again, and the call goes on`, async ({
		people,
	}) => {
		const alice = await (await people.device(people.alice)).tab({ open: false });
		const bob = await (await people.device(people.bob)).tab({ open: false });
		const page = method === "call.start" ? alice : bob;
		let cuts = 0;
		await page.routeWebSocket(/\/ws$/, (socket) => {
			const server = socket.connectToServer();
			let asked: number | undefined;
			socket.onMessage((text) => {
				for (const line of String(text).split("\n")) {
					const frame = JSON.parse(line) as { id?: number; method?: string };
					if (frame.method === method) asked = frame.id;
				}
				server.send(text);
			});
			server.onMessage((text) => {
				const answered = String(text)
					.split("\n")
					.some((line) => line !== "" && asked !== undefined && JSON.parse(line).id === asked);
				if (!answered || cuts > 0) return socket.send(text);
				cuts++;
				void socket.close();
				void server.close();
			});
		});
		for (const p of [alice, bob]) await p.reload();
		await button(alice, "Open chat").click();
		await voiceCall(alice, people.Alice, bob);
		expect(cuts, "the answer was lost once").toBe(1);
		for (const p of [alice, bob]) await hosts(p);
	});
