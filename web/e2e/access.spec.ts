import { ar } from "../popup/strings/ar.ts";
import { calls } from "../popup/strings/en.calls.ts";
import { en } from "../popup/strings/en.ts";
import { clean } from "./axe.ts";
import { type DeviceOptions, expect, test } from "./fixtures.ts";
import { button, composer, transcript } from "./page.ts";

const modes: Record<string, DeviceOptions> = {
	light: { browser: { colorScheme: "light" } },
	dark: { browser: { colorScheme: "dark" } },
	"right to left": { query: "lang=ar" },
	"on a phone": { browser: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } },
};

for (const [mode, options] of Object.entries(modes))
	test(`axe finds nothing, ${mode}`, async ({ people, server }) => {
		const words = mode === "right to left" ? ar : { ...en, ...calls };
		const calm = { ...options, browser: { reducedMotion: "reduce" as const, ...options.browser } };
		const device = await people.device(people.alice, {
			...calm,
			browser: { permissions: ["camera", "microphone"], ...calm.browser },
		});
		const alice = await device.bare();
		await expect(button(alice, words.openChat)).toBeVisible();
		await clean(alice, "the shop with the popup closed", "html");

		const bob = await (await people.device(people.bob)).tab();
		await button(bob, "Video call").click();
		const ringing = alice.getByRole("alertdialog");
		await expect(ringing).toBeVisible();
		await clean(alice, "a ring");
		await button(alice, words.answerWithVideo).click();
		await expect(button(alice, words.hangUp)).toBeVisible();
		await expect(alice.locator("video.remote")).toBeVisible();
		await clean(alice, "in a call");
		await button(alice, words.hangUp).click();
		await expect(button(alice, words.videoCall)).toBeVisible();

		const message = alice.getByRole("textbox", { name: words.message, exact: true });
		await message.fill("https://example.test/ and a word");
		await message.press("Enter");
		await expect(alice.getByRole("log").getByText("and a word")).toBeVisible();
		await clean(alice, "a conversation");
		await button(alice, words.deviceMenu).click();
		await expect(button(alice, words.done)).toBeVisible();
		await clean(alice, "the device menu");
		await button(alice, words.conversations).click();
		await expect(alice.getByRole("heading", { name: words.conversations })).toBeVisible();
		await clean(alice, "the list");

		await alice.goto(`${server.url}/`);
		if (mode !== "right to left") {
			await expect(button(alice, "Sign in")).toBeVisible();
			await clean(alice, "the sign-in page", "html");
		}
	});

test("by keyboard alone: open, write, send, close; focus returns", async ({ people }) => {
	const alice = await (await people.device(people.alice)).bare();
	const launcher = button(alice, "Open chat");
	await expect(launcher).toBeVisible();
	await expect
		.poll(async () => {
			await alice.keyboard.press("Tab");
			return launcher.evaluate((b) => (b.getRootNode() as ShadowRoot).activeElement === b);
		})
		.toBe(true);
	await alice.keyboard.press("Enter");
	await expect(composer(alice)).toBeFocused();
	await alice.keyboard.type("Written without a mouse");
	await alice.keyboard.press("Enter");
	await expect(transcript(alice).getByText("Written without a mouse")).toHaveCount(1);
	await expect(composer(alice)).toBeFocused();
	await alice.keyboard.press("Escape");
	await expect(composer(alice)).toBeHidden();
	await expect(launcher).toBeFocused();
});

test("on a phone the panel covers the screen, and can be closed", async ({ people }) => {
	const browser = { ...modes["on a phone"]?.browser, reducedMotion: "reduce" as const };
	const device = await people.device(people.alice, { browser });
	const alice = await device.tab();
	const box = await alice.getByRole("dialog").boundingBox();
	expect(box).toEqual({ x: 0, y: 0, width: 390, height: 844 });
	await button(alice, "Close chat").click();
	await expect(button(alice, "Open chat")).toBeVisible();
});
