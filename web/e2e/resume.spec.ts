import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { capturing, givesBack, hears, received, seesAndHears } from "./media.ts";
import { button, call, copyOf, hangUp, ring, status, tabId, transcript, voiceCall } from "./page.ts";
import { offersButton, untouched, used } from "./untouched.ts";

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
	await hangUp(bob, alice);
});

for (const { name, muted, devicesMs } of [
	{ name: "with devices that open late", muted: false, devicesMs: 1500 },
	{ name: "muted", muted: true, devicesMs: 0 },
])
	test(`a page that is reloaded ${name} sounds before anyone clicks in it`, async ({ people }) => {
		const alice = await (await people.device(people.alice)).tab();
		const bob = await (await people.device(people.bob, { devicesMs })).tab();
		await voiceCall(alice, people.Alice, bob);
		if (muted) await button(bob, "Mute microphone").click();
		await bob.reload();
		const page = await untouched(bob);
		await hears(page);
		expect(await offersButton(page, "Play sound"), "nothing to click").toBe(false);
		expect(await used(page), "nobody clicked").toBe(false);
	});

for (const { name, use } of [
	{ name: "a click beside the popup", use: (page: Page) => page.mouse.click(5, 5) },
	{ name: "a key", use: (page: Page) => page.keyboard.press("a") },
])
	test(`a page that is reloaded and gets no microphone says so; ${name} lets it sound`, async ({
		people,
	}) => {
		const alice = await (await people.device(people.alice)).tab();
		const device = await people.device(people.bob, {
			init: () => {
				if (navigator.mediaDevices && sessionStorage.getItem("refuse"))
					navigator.mediaDevices.getUserMedia = async () => {
						throw new DOMException("by the test", "NotAllowedError");
					};
			},
		});
		const bob = await device.tab();
		await voiceCall(alice, people.Alice, bob);
		await bob.evaluate(() => sessionStorage.setItem("refuse", "1"));
		await bob.reload();
		const page = await untouched(bob);
		await expect.poll(() => offersButton(page, "Play sound")).toBe(true);
		expect((await received(page)).audioEnergy, "the browser plays nothing yet").toBe(0);
		expect(await used(page), "nobody clicked").toBe(false);
		await use(bob);
		await hears(page);
		await expect.poll(() => offersButton(page, "Play sound")).toBe(false);
	});

test("a reload of the caller's page while it rings: it rings on and can be answered", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Video call").click();
	await expect(ring(bob, "video", people.Alice)).toBeVisible();
	await alice.reload();
	await expect(button(alice, "Hang up")).toBeVisible();
	await button(bob, "Answer with video").click();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
});

test("a call moves to another tab, and to another device, without leaving", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const laptop = await people.device(people.bob);
	const [one, two] = [await laptop.tab(), await laptop.tab()];
	const phone = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, one);
	const frames = (await received(alice)).framesDecoded;
	for (const [from, to] of [
		[one, two],
		[two, phone],
	] as const) {
		await button(to, "Move call here").click();
		await Promise.all([seesAndHears(alice), seesAndHears(to)]);
		await givesBack(from);
		await expect(button(from, "Move call here")).toBeVisible();
	}
	expect((await received(alice)).framesDecoded, "the caller's connection stayed").toBeGreaterThan(frames);
	await hangUp(phone, alice);
	await expect(transcript(alice).getByText("Video call")).toHaveCount(1);
});

test("the tab that hosts the call crashes: the other is told, and another tab takes over", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const bob = await device.tab();
	await call(alice, people.Alice, bob);
	const crashed = bob.waitForEvent("crash");
	void bob.goto("chrome://crash").catch(() => undefined);
	await crashed;
	await expect(status(alice, "Reconnecting…")).toBeVisible();
	const other = await device.tab({ open: false });
	await button(other, "Move call here").click();
	await Promise.all([seesAndHears(alice), seesAndHears(other)]);
});

test("closing the tab that hosts the call ends it for the other within seconds", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	await bob.close();
	await expect(button(alice, "Hang up")).toBeHidden();
	await givesBack(alice);
});

for (const signal of ["SIGKILL", "SIGTERM"] as const)
	test(`the server ends by ${signal} in the middle of a call and starts again: media is back`, async ({
		people,
		server,
	}) => {
		const alice = await (await people.device(people.alice)).tab();
		const bob = await (await people.device(people.bob)).tab();
		await call(alice, people.Alice, bob);
		await server.restart(signal);
		await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
		await hangUp(bob, alice);
		await expect(transcript(alice).getByText("Video call")).toHaveCount(1);
	});

test("offline and back in a call: media is restarted, the call goes on", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	await device.context.setOffline(true);
	await expect(alice.getByText("You are offline.")).toBeVisible();
	await device.context.setOffline(false);
	await expect(alice.getByText("You are offline.")).toBeHidden();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	await hangUp(alice, bob);
});

test("a copy of the tab that hosts the call is another tab and leaves the call where it is", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const bob = await device.tab();
	await call(alice, people.Alice, bob);
	const copy = await copyOf(bob);
	await expect(button(copy, "Move call here")).toBeVisible();
	expect(await tabId(copy)).not.toBe(await tabId(bob));
	expect(await capturing(copy)).toBe(false);
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	await copy.reload();
	await expect(button(copy, "Move call here")).toBeVisible();
	expect(await capturing(copy), "not even after a reload of the copy").toBe(false);
});
