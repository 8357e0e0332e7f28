import { expect, online, test } from "./fixtures.ts";
import { capturing, givesBack, hears, seesAndHears, sounds } from "./media.ts";
import { alert, button, call, clickBoth, hangUp, ring, status, transcript } from "./page.ts";

test("a video call rings in every tab of every device; one answers, the rest fall silent", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice, { largePicture: true })).tab();
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
	// These are on screen for some seconds only, so they are looked for first.
	await Promise.all([
		expect(status(tabs[1], "Answered on another tab")).toBeVisible(),
		expect(status(tabs[2], "Answered on another device")).toBeVisible(),
	]);
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeHidden();

	await Promise.all([seesAndHears(alice), seesAndHears(tabs[0])]);
	await expect(status(alice, /^\d\d:\d\d$/)).toBeVisible();
	for (const tab of [tabs[1], tabs[2]]) expect(await capturing(tab), "only the host captures").toBe(false);

	await hangUp(alice, tabs[0]);
	await givesBack(tabs[0]);
	await givesBack(alice);
	for (const tab of tabs) await expect(button(tab, "Move call here")).toBeHidden();
});

test("one tab of a browser sounds, another browser sounds too, and all stop with the answer", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const laptop = await people.device(people.bob);
	const phone = await people.device(people.bob);
	const near = [await laptop.tab(), await laptop.tab()] as const;
	const far = await phone.tab();
	const laptopSounds = async () => (await sounds(near[0])) + (await sounds(near[1]));

	await button(alice, "Voice call").click();
	await expect.poll(laptopSounds, { message: "one tab of the laptop rings" }).toBe(1);
	await expect.poll(() => sounds(far), { message: "the phone rings" }).toBe(1);
	await expect.poll(() => sounds(alice), { message: "the caller hears that it rings" }).toBe(1);
	expect(await laptopSounds(), "still one").toBe(1);

	await button(near[1], "Answer").click();
	for (const page of [alice, ...near, far]) await expect.poll(() => sounds(page)).toBe(0);
	await hears(alice);
});

test("a voice call carries sound and no picture", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Voice call").click();
	await expect(ring(bob, "voice", people.Alice)).toBeVisible();
	await expect(button(bob, "Answer with video")).toBeHidden();
	await button(bob, "Answer").click();
	await Promise.all([hears(alice), hears(bob)]);
	const cameras = (page: typeof bob) =>
		page.evaluate(() => window.probe.captured.filter((t) => t.kind === "video").length);
	expect([await cameras(alice), await cameras(bob)], "no camera was opened").toEqual([0, 0]);
});

test("two answers at the same time: one wins, the other gives its microphone back", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const one = await (await people.device(people.bob)).tab();
	const two = await (await people.device(people.bob)).tab();
	await button(alice, "Video call").click();
	await expect(ring(one, "video", people.Alice)).toBeVisible();
	await expect(ring(two, "video", people.Alice)).toBeVisible();
	await clickBoth([one, two], "Answer with video");
	await seesAndHears(alice);
	await expect.poll(async () => [await capturing(one), await capturing(two)].filter(Boolean).length).toBe(1);
	const loser = (await capturing(one)) ? two : one;
	await expect(button(loser, "Move call here")).toBeVisible();
	await expect(alert(loser, /./), "losing is silent").toHaveCount(0);
});

test("decline silences every tab and tells the caller", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await people.device(people.bob);
	const tabs = [await bob.tab(), await bob.tab()] as const;
	await button(alice, "Video call").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await button(tabs[1], "Decline").click();
	await expect(status(alice, `${people.Bob} declined`)).toBeVisible();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeHidden();
	await expect(button(alice, "Hang up")).toBeHidden();
	await givesBack(alice);
});

test("hanging up before the answer stops the ring everywhere; the call counts as missed", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await people.device(people.bob);
	const tabs = [await bob.tab(), await bob.tab({ open: false })] as const;
	await button(alice, "Video call").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await button(alice, "Hang up").click();
	for (const tab of tabs) await expect(ring(tab, "video", people.Alice)).toBeHidden();
	await expect(transcript(tabs[0]).getByText("Missed video call")).toHaveCount(1);
	await givesBack(alice);
});

test("both call at the same moment: it becomes one call, and nobody is rung", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await clickBoth([alice, bob], "Video call");
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	for (const page of [alice, bob]) await expect(page.getByRole("alertdialog")).toHaveCount(0);
	await hangUp(alice, bob);
	for (const page of [alice, bob]) await expect(transcript(page).getByText("Video call")).toHaveCount(1);
});

test("a call while in a call waits without ringtone; answering it holds the first", async ({ people }) => {
	const carol = `carol-${people.bob}`;
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	const third = await (await people.device(carol, { peer: people.bob })).tab();
	await call(alice, people.Alice, bob);

	await button(third, "Voice call").click();
	const waiting = bob.getByRole("alertdialog");
	await expect(waiting).toContainText("Call waiting");
	await waiting.getByRole("button", { name: "Answer", exact: true }).click();
	await Promise.all([hears(third), hears(bob)]);
	await expect(status(alice, `${people.Bob} put you on hold`)).toBeVisible();

	await hangUp(third, third);
	await button(bob, `Back to the call with ${people.Alice}`).click();
	await button(bob, "Resume").click();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	await hangUp(bob, alice);
	await givesBack(bob);
});

test("a tab that opens while it rings joins in, and the launcher keeps its name", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	await button(alice, "Video call").click();
	await expect(status(alice, "Calling…")).toBeVisible();
	const late = await device.tab({ open: false });
	await expect(ring(late, "video", people.Alice)).toBeVisible();
	await expect(button(late, "Open chat")).toBeVisible();
	await expect(status(alice, "Ringing…")).toBeVisible();
	await button(alice, "Hang up").click();
	await online(late);
	await expect(ring(late, "video", people.Alice)).toBeHidden();
});
