import { expect, online, openChat, test } from "./fixtures.ts";
import { capturing, hears, sounds } from "./media.ts";
import { button, copyOf, ring, tabId, transcript, write } from "./page.ts";

test("twenty tabs ring, one answers, nineteen fall silent", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const tabs = await Promise.all(Array.from({ length: 20 }, () => device.tab({ open: false })));
	await button(alice, "Voice call").click();
	for (const tab of tabs) await expect(ring(tab, "voice", people.Alice)).toBeVisible();
	const [host, ...others] = tabs;
	if (!host) throw new Error("no tab");
	await host.bringToFront();
	await button(host, "Answer").click();
	for (const tab of tabs) await expect(ring(tab, "voice", people.Alice)).toBeHidden();
	await hears(host);
	for (const tab of others) {
		await expect(button(tab, "Move call here")).toBeVisible();
		expect(await capturing(tab)).toBe(false);
		await expect.poll(() => sounds(tab)).toBe(0);
	}
	await button(alice, "Hang up").click();
	for (const tab of tabs) await expect(button(tab, "Hang up")).toBeHidden();
});

test("a tab that was frozen while the caller gave up is silent the moment it is back", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const frozen = await device.tab();
	const awake = await device.tab();
	await button(alice, "Video call").click();
	for (const tab of [frozen, awake]) await expect(ring(tab, "video", people.Alice)).toBeVisible();

	const debug = await device.context.newCDPSession(frozen);
	await debug.send("Debugger.enable");
	const paused = new Promise((done) => debug.once("Debugger.paused", done));
	await debug.send("Debugger.pause");
	await paused;
	await button(alice, "Hang up").click();
	await expect(ring(awake, "video", people.Alice)).toBeHidden();
	await debug.send("Debugger.resume");
	await expect(ring(frozen, "video", people.Alice)).toBeHidden();
	await expect.poll(() => sounds(frozen)).toBe(0);
});

test("a tab that was offline while the caller gave up does not ring when it is back", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const bob = await device.tab();
	const phone = await (await people.device(people.bob)).tab();
	await button(alice, "Video call").click();
	for (const tab of [bob, phone]) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await device.context.setOffline(true);
	await button(alice, "Hang up").click();
	await expect(ring(phone, "video", people.Alice)).toBeHidden();
	await device.context.setOffline(false);
	await expect(ring(bob, "video", people.Alice)).toBeHidden();
	await expect(transcript(bob).getByText("Missed video call")).toHaveCount(1);
});

test("a page from the back/forward cache has what was written and rings at once", async ({
	people,
	server,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await write(bob, "Before I leave");
	await expect(transcript(alice).getByText("Before I leave")).toBeVisible();
	await bob.goto(`${server.url}/`);
	await write(alice, "While you were away");
	await button(alice, "Video call").click();
	await bob.goBack({ waitUntil: "commit" });
	await expect(ring(bob, "video", people.Alice)).toBeVisible();
	await expect(transcript(bob).getByText("While you were away")).toHaveCount(1);
	expect(
		await bob.evaluate(() => window.probe.shown),
		"the page itself came back and was not loaded anew",
	).toEqual([false, true]);
	await button(bob, "Decline").click();
	await expect(button(alice, "Hang up")).toBeHidden();
});

test("each tab keeps its own conversation; a copied tab gets an id of its own", async ({ people }) => {
	const device = await people.device(people.bob);
	const one = await device.tab();
	const two = await copyOf(one);
	await online(two);
	const [first, second] = [await tabId(one), await tabId(two)];
	expect(second).not.toBe(first);
	await one.reload();
	await online(one);
	expect(await tabId(one), "a reload keeps the id").toBe(first);
	await openChat(two);
	await button(two, "Conversations").click();
	await expect(two.getByRole("heading", { name: "Conversations" })).toBeVisible();
	await openChat(one);
});

test("without BroadcastChannel, Web Locks and SharedWorker everything still works", async ({ people }) => {
	const bare = () => {
		for (const name of ["BroadcastChannel", "SharedWorker"]) Reflect.deleteProperty(window, name);
		Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
	};
	const device = await people.device(people.alice, { init: bare });
	const [alice, alice2] = [await device.tab(), await device.tab()];
	const bobs = await people.device(people.bob, { init: bare });
	const [bob, bob2] = [await bobs.tab(), await bobs.tab({ open: false })];
	await write(alice, "Plain and simple");
	for (const page of [alice, alice2, bob])
		await expect(transcript(page).getByText("Plain and simple")).toHaveCount(1);
	await button(alice, "Voice call").click();
	for (const tab of [bob, bob2]) await expect(ring(tab, "voice", people.Alice)).toBeVisible();
	await button(bob, "Answer").click();
	await expect(ring(bob2, "voice", people.Alice)).toBeHidden();
	await Promise.all([hears(alice), hears(bob)]);
	await bob.reload();
	await expect(button(bob, "Hang up")).toBeVisible();
	await Promise.all([hears(alice), hears(bob)]);
});
