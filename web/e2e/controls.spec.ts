import { expect, test } from "./fixtures.ts";
import { capturing, givesBack, hears, hearsNothing, offers, received, seesAndHears } from "./media.ts";
import { alert, button, call, hangUp, ring, status } from "./page.ts";

test("mute, camera off and hold are seen by the other, without a new offer", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	const before = [await offers(alice), await offers(bob)];

	await button(alice, "Mute microphone").click();
	await expect(bob.getByRole("img", { name: `${people.Alice} is muted` })).toBeVisible();
	await hearsNothing(bob);
	await button(alice, "Unmute microphone").click();
	await expect(bob.getByRole("img", { name: `${people.Alice} is muted` })).toBeHidden();
	await hears(bob);

	const picture = bob.getByLabel(people.Alice, { exact: true }).and(bob.locator("video"));
	await expect(picture).toBeVisible();
	await button(alice, "Turn camera off").click();
	await expect(picture).toBeHidden();
	await hears(bob);
	await button(alice, "Turn camera on").click();
	await expect(picture).toBeVisible();
	await seesAndHears(bob);

	await button(alice, "Hold").click();
	await expect(status(bob, `${people.Alice} put you on hold`)).toBeVisible();
	await givesBack(alice);
	await button(alice, "Resume").click();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);

	expect([await offers(alice), await offers(bob)], "offers made").toEqual(before);
	await hangUp(bob, alice);
});

test("another tab shows the call, mutes it and hangs up", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const [bob, other] = [await device.tab(), await device.tab({ open: false })];
	await button(alice, "Voice call").click();
	await button(bob, "Answer").click();
	await Promise.all([hears(alice), hears(bob)]);
	await button(other, "Mute microphone").click();
	await expect(button(bob, "Unmute microphone")).toBeVisible();
	await expect(alice.getByRole("img", { name: `${people.Bob} is muted` })).toBeVisible();
	await button(other, "Hang up").click();
	for (const page of [bob, alice]) await expect(button(page, "Hang up")).toBeHidden();
	await givesBack(bob);
});

test("a video ring answered without the camera, which is turned on later", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Video call").click();
	await button(bob, "Answer").click();
	await seesAndHears(bob);
	await hears(alice);
	expect((await received(alice)).framesDecoded, "no picture from Bob").toBe(0);
	await button(bob, "Turn camera on").click();
	await seesAndHears(alice);
});

test("devices are tried before a call, and the chosen camera is the one used", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Camera and microphone").click();
	await expect(alice.getByLabel("Your picture", { exact: true })).toBeVisible();
	const meter = alice.getByRole("meter", { name: "Microphone level" });
	await expect
		.poll(async () => Number(await meter.getAttribute("aria-valuenow")), { intervals: [50] })
		.toBeGreaterThan(0);
	const camera = alice.getByRole("combobox", { name: "Camera", exact: true });
	await camera.selectOption({ index: 3 }); // after "System default"; Chromium's second fake camera gives no picture
	const chosen = await camera.evaluate((select: HTMLSelectElement) => select.selectedOptions[0]?.text);
	await button(alice, "Done").click();
	await givesBack(alice);

	await button(alice, "Video call").click();
	await button(bob, "Answer").click();
	await seesAndHears(bob);
	const used = () =>
		alice.evaluate(
			() => window.probe.captured.find((t) => t.kind === "video" && t.readyState === "live")?.label,
		);
	expect(await used()).toBe(chosen);

	await button(alice, "Devices").click();
	await camera.selectOption({ index: 1 });
	await expect.poll(used, { message: "changed in the call" }).not.toBe(chosen);
	await seesAndHears(bob);
});

const problems = [
	["NotAllowedError", "The browser refused the camera."],
	["NotFoundError", "No camera was found."],
	["NotReadableError", "The camera is used by another program."],
] as const;

for (const [name, text] of problems)
	test(`a camera that cannot be had (${name}): said in words, and the call goes on by voice`, async ({
		people,
	}) => {
		const device = await people.device(people.alice);
		await device.context.addInitScript((error) => {
			const media = navigator.mediaDevices; // undefined on about:blank
			const open = media?.getUserMedia.bind(media);
			if (open)
				media.getUserMedia = async (wish) => {
					if (wish?.video) throw new DOMException("by the test", error);
					return open(wish);
				};
		}, name);
		const alice = await device.tab();
		const bob = await (await people.device(people.bob)).tab();
		await button(alice, "Video call").click();
		await expect(alert(alice, text)).toBeVisible();
		await button(bob, "Answer").click();
		await hears(bob);
		await expect(button(alice, "Turn camera on")).toBeVisible();
	});

test("a microphone that is refused at the prompt: said in words, and nobody is rung", async ({ people }) => {
	const device = await people.device(people.alice, {
		browser: { permissions: [] },
		init: () => {
			if (navigator.mediaDevices)
				navigator.mediaDevices.getUserMedia = async () => {
					throw new DOMException("by the test", "NotAllowedError");
				};
		},
	});
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Voice call").click();
	await expect(alert(alice, "The browser refused the microphone.")).toBeVisible();
	await expect(button(alice, "Hang up")).toBeHidden();
	await expect(ring(bob, "voice", people.Alice)).toHaveCount(0);
	expect(await capturing(alice)).toBe(false);
});
