import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { givesBack, hears } from "./media.ts";
import { alert, button, call, composer, launcher, ring, transcript, write } from "./page.ts";

type Box = { x: number; y: number; width: number; height: number };

async function box(locator: Locator): Promise<Box> {
	await expect(locator).toBeVisible();
	await still(locator.page());
	return (await locator.boundingBox()) as Box;
}

/** Nothing moves any more. What repeats for ever, such as the pulse of a ring, is not waited for. */
async function still(page: Page): Promise<void> {
	await page.evaluate(() =>
		Promise.all(
			(document.querySelector("carillon-popup")?.shadowRoot?.getAnimations() ?? [])
				.filter((a) => a.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY)
				.map((a) => a.finished.catch(() => {})),
		),
	);
}

const overlap = (a: Box, b: Box) =>
	a.x + 0.5 < b.x + b.width &&
	b.x + 0.5 < a.x + a.width &&
	a.y + 0.5 < b.y + b.height &&
	b.y + 0.5 < a.y + a.height;
const inside = (a: Box, b: Box) =>
	a.x >= b.x - 0.5 &&
	a.y >= b.y - 0.5 &&
	a.x + a.width <= b.x + b.width + 0.5 &&
	a.y + a.height <= b.y + b.height + 0.5;

/** Nothing lies over the middle of it. */
async function onTop(locator: Locator): Promise<void> {
	await expect(locator).toBeVisible();
	await still(locator.page());
	const top = await locator.evaluate((element) => {
		const { left, top, width, height } = element.getBoundingClientRect();
		const root = element.getRootNode() as ShadowRoot;
		const hit = root.elementFromPoint(left + width / 2, top + height / 2);
		return hit !== null && element.contains(hit);
	});
	expect(top, "nothing lies over it").toBe(true);
}

/** All of its text is seen: nothing is cut off or replaced by dots. */
async function whole(locator: Locator): Promise<void> {
	const cut = await locator.evaluate(
		(e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1,
	);
	expect(cut, "the text is cut off").toBe(false);
}

/** Runs in a page: whoever wants this is refused. */
function refuse(kind: "audio" | "video"): void {
	const media = navigator.mediaDevices; // undefined on about:blank
	const open = media?.getUserMedia.bind(media);
	if (open)
		media.getUserMedia = async (wish) => {
			if (wish?.[kind]) throw new DOMException("by the test", "NotAllowedError");
			return open(wish);
		};
}

test("a microphone that is refused: said on the card of the ring, which can be answered without", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob, { browser: { permissions: [] } });
	await device.context.addInitScript(refuse, "audio" as const);
	const bob = await device.tab();
	await button(alice, "Voice call").click();
	const card = ring(bob, "voice", people.Alice);
	await card.getByRole("button", { name: "Answer", exact: true }).click();
	const problem = card.getByRole("alert");
	await expect(problem).toContainText("The browser refused the microphone.");
	await onTop(problem);
	await card.getByRole("button", { name: "Answer without microphone" }).click();
	await hears(bob);
	await expect(card).toBeHidden();
	await expect(alice.getByRole("img", { name: `${people.Bob} is muted` })).toBeVisible();
	await expect(button(bob, "Unmute microphone")).toBeVisible();

	await button(bob, "Unmute microphone").click();
	await expect(alert(bob, "The browser refused the microphone."), "said once").toHaveCount(1);
});

test("a short name is whole in the caption of a call", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	for (const [page, name] of [
		[alice, people.Bob],
		[bob, people.Alice],
	] as const) {
		const caption = page.locator(".caption").getByText(name, { exact: true });
		await expect(caption).toBeVisible();
		await whole(caption);
		await whole(caption.locator(".."));
	}
});

test("an error in a call covers no picture, and can be put away", async ({ people }) => {
	const device = await people.device(people.alice);
	await device.context.addInitScript(refuse, "video" as const);
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Video call").click();
	await button(bob, "Answer with video").click();
	const problem = alert(alice, "The browser refused the camera.");
	const picture = alice.locator("video.remote");
	await expect
		.poll(async () => overlap(await box(problem), await box(picture)), {
			message: "once the panel has its size, the error stands beside the picture",
		})
		.toBe(false);
	await button(alice, "Dismiss").click();
	await expect(problem).toBeHidden();
	await expect(button(alice, "Hang up")).toBeVisible();
});

test("a long name has room in the header and in a ring, and no badge lies on the arrow", async ({
	people,
}) => {
	const long = `bartholomew-featherstone-${people.alice}`;
	const bob = await (await people.device(people.bob, { peer: long })).tab();
	const caller = await (await people.device(long, { peer: people.bob })).tab();
	const carol = await (await people.device(`carol-${people.bob}`, { peer: people.bob })).tab();
	await write(carol, "From Carol");
	const back = button(bob, "Conversations");
	await expect(back).toHaveAccessibleDescription("1 unread message");
	expect(overlap(await box(back.locator("svg")), await box(back.locator(".badge")))).toBe(false);
	expect(inside(await box(back.locator(".badge")), await box(back))).toBe(true);
	await whole(bob.getByRole("heading", { level: 2 }).last());

	await button(caller, "Video call").click();
	const card = bob.getByRole("alertdialog");
	const [cardBox, decline] = [await box(card), await box(card.getByRole("button", { name: "Decline" }))];
	expect(inside(decline, cardBox), "Decline is within the card").toBe(true);
	await whole(card.getByRole("button", { name: "Decline" }));
	await button(caller, "Hang up").click();
	await expect(card).toBeHidden();

	await caller.context().close();
	const seen = bob.locator(".presence");
	await expect(seen).toContainText("Last seen");
	await whole(seen);
});

test("the way to the newest message counts what has come, and lies over no text", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	for (let i = 1; i <= 12; i++) await write(bob, `Line ${i}\nof a story`);
	await expect(transcript(alice).getByText("Line 12")).toBeVisible();
	await transcript(alice).evaluate((log) => log.scrollTo({ top: 0 }));
	const latest = alice.getByRole("button", { name: /^Jump to latest/ });
	await expect(latest).toHaveAccessibleName("Jump to latest");
	await write(bob, "One");
	await write(bob, "Two");
	await expect(latest).toHaveAccessibleName("Jump to latest: 2 new messages");
	const button = await box(latest);
	expect(overlap(button, await box(transcript(alice))), "not over the messages").toBe(false);
	expect(overlap(button, await box(composer(alice))), "not over the composer").toBe(false);
	await latest.click();
	await expect(latest).toBeHidden();
	await expect(transcript(alice).getByText("Two", { exact: true })).toBeInViewport();
});

test("each paragraph is set by its own direction", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	await write(alice, "A sentence in English, long enough to fill the line\nمرحبا\nshort");
	const measure = () =>
		transcript(alice)
			.locator(".content")
			.evaluate((text) => {
				const { left, right } = text.getBoundingClientRect();
				const node = [...text.childNodes].find(
					(n) => n.nodeType === Node.TEXT_NODE && n.textContent?.includes("short"),
				);
				const edges = (word: string) => {
					const range = document.createRange();
					const at = node?.textContent?.indexOf(word) ?? 0;
					range.setStart(node as Node, at);
					range.setEnd(node as Node, at + word.length);
					const line = range.getBoundingClientRect();
					return { start: Math.round(line.left - left), end: Math.round(right - line.right) };
				};
				return { arabic: edges("مرحبا"), english: edges("short") };
			});
	await expect
		.poll(async () => (await measure()).arabic.start, { message: "the bubble has its size" })
		.toBeGreaterThan(20);
	const ends = await measure();
	expect(ends.arabic.end, "Arabic begins at the right").toBe(0);
	expect(ends.english.start, "English begins at the left").toBe(0);
	expect(ends.english.end).toBeGreaterThan(20);
});

test("what was read differs from what was delivered by more than a colour", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab({ open: false });
	await write(alice, "Seen?");
	const ground = (name: string) =>
		transcript(alice)
			.getByLabel(name, { exact: true })
			.evaluate((tick) => getComputedStyle(tick).backgroundColor);
	expect(await ground("Delivered")).toBe("rgba(0, 0, 0, 0)");
	await launcher(bob).click();
	await expect(transcript(alice).getByLabel("Read", { exact: true })).toBeVisible();
	expect(await ground("Read")).not.toBe("rgba(0, 0, 0, 0)");
});

test("the menu of devices opens next to its button, before a call and in one", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	const menu = alice.getByRole("group", { name: "Camera and microphone" });
	const gap = (a: Box, b: Box) => Math.max(a.y - (b.y + b.height), b.y - (a.y + a.height));
	await button(alice, "Camera and microphone").click();
	expect(gap(await box(menu), await box(button(alice, "Camera and microphone")))).toBeLessThan(24);
	await button(alice, "Done").click();
	await givesBack(alice);

	await call(alice, people.Alice, bob);
	await button(alice, "Devices").click();
	const [sheet, control] = [await box(menu), await box(button(alice, "Devices"))];
	expect(overlap(sheet, control)).toBe(false);
	expect(gap(sheet, control)).toBeLessThan(24);
	for (const name of ["Camera", "Speaker"]) await onTop(menu.getByRole("combobox", { name, exact: true }));
	await button(bob, "Mute microphone").click();
	await button(alice, "Done").click();
	await onTop(alice.getByRole("img", { name: `${people.Bob} is muted` }));
});

for (const colorScheme of ["light", "dark"] as const)
	test(`the demo's popup wears the shop's colours, ${colorScheme}`, async ({ people }) => {
		const alice = await (await people.device(people.alice, { browser: { colorScheme } })).tab();
		const colours = () =>
			alice.evaluate(() => {
				const link = document.querySelector(".primary") as Element;
				const popup = document.querySelector("carillon-popup")?.shadowRoot;
				const own = popup?.querySelector(".launcher") as Element;
				return [link, own].map((e) => getComputedStyle(e).backgroundColor);
			});
		const [shop, popup] = await colours();
		expect(popup).toBe(shop);
		await alice.emulateMedia({ colorScheme: colorScheme === "light" ? "dark" : "light" });
		await expect.poll(async () => (await colours())[1], { message: "and goes with them" }).not.toBe(popup);
		const after = await colours();
		expect(after[1]).toBe(after[0]);
	});
