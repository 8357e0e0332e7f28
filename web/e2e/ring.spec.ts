import { expect, test } from "./fixtures.ts";
import { capturing, hears, seesAndHears } from "./media.ts";
import { button, ring, status } from "./page.ts";

test("a video call rings in every tab of every device; one answers, the rest fall silent", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const laptop = await people.device(people.bob);
	const phone = await people.device(people.bob);
	const tabs = [
		await laptop.tab(),
		await laptop.tab({ open: false }),
		await phone.tab({ open: false }),
	] as const;

	await button(alice, "Video call").click();
	await expect(status(alice, /Calling…|Ringing…/)).toBeVisible();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await expect(status(alice, "Ringing…")).toBeVisible();

	await button(tabs[0], "Answer with video").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeHidden();
	await expect(status(tabs[1], "Answered on another tab")).toBeVisible();
	await expect(status(tabs[2], "Answered on another device")).toBeVisible();

	await seesAndHears(alice);
	await seesAndHears(tabs[0]);
	await expect(status(alice, /^\d\d:\d\d$/)).toBeVisible();
	expect(await capturing(tabs[1]), "another tab captures nothing").toBe(false);
	expect(await capturing(tabs[2]), "another device captures nothing").toBe(false);

	await button(alice, "Hang up").click();
	await expect(button(tabs[0], "Hang up")).toBeHidden();
	await expect.poll(() => capturing(tabs[0]), { message: "camera and microphone given back" }).toBe(false);
	await expect.poll(() => capturing(alice), { message: "camera and microphone given back" }).toBe(false);
});

test("a voice call carries sound and no picture", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Voice call").click();
	await expect(ring(bob, "voice", people.Alice)).toBeVisible();
	await expect(button(bob, "Answer with video")).toBeHidden();
	await button(bob, "Answer").click();
	await hears(alice);
	await hears(bob);
});

test("two answers at the same time: one wins, the other gives its microphone back", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const one = await (await people.device(people.bob)).tab();
	const two = await (await people.device(people.bob)).tab();
	await button(alice, "Video call").click();
	await expect(ring(one, "video", people.Alice)).toBeVisible();
	await expect(ring(two, "video", people.Alice)).toBeVisible();
	await Promise.all([button(one, "Answer with video").click(), button(two, "Answer with video").click()]);
	await seesAndHears(alice);
	await expect.poll(async () => [await capturing(one), await capturing(two)].filter(Boolean).length).toBe(1);
});

test("decline silences every tab and tells the caller", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await people.device(people.bob);
	const tabs = [await bob.tab(), await bob.tab()] as const;
	await button(alice, "Video call").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await button(tabs[1], "Decline").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeHidden();
	await expect(button(alice, "Hang up")).toBeHidden();
	await expect.poll(() => capturing(alice)).toBe(false);
});

test("hanging up before the answer stops the ring everywhere", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await people.device(people.bob);
	const tabs = [await bob.tab(), await bob.tab()] as const;
	await button(alice, "Video call").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await button(alice, "Hang up").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeHidden();
});
