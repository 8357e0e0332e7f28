import { expect, type Locator, type Page } from "@playwright/test";
import { hears, seesAndHears } from "./media.ts";

// The accessible names are part of the interface: the tests find things by nothing else.
export const ring = (page: Page, kind: "video" | "voice", from: string): Locator =>
	page.getByRole("alertdialog", { name: `Incoming ${kind} call from ${from}`, exact: true });
export const status = (page: Page, text: string | RegExp): Locator =>
	page.getByRole("status").filter({ hasText: text });
export const alert = (page: Page, text: string | RegExp): Locator =>
	page.getByRole("alert").filter({ hasText: text });
export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });
/** The round button while the panel is closed. Its name holds the count that is seen on it. */
export const launcher = (page: Page): Locator =>
	page.getByRole("button", { name: /^Open chat( \(\d+\+?\))?$/ });
export const composer = (page: Page): Locator => page.getByRole("textbox", { name: "Message", exact: true });
export const transcript = (page: Page): Locator => page.getByRole("log", { name: "Messages", exact: true });

/** A video call from one page to another, until both see and hear each other. */
export async function call(from: Page, name: string, to: Page): Promise<void> {
	await button(from, "Video call").click();
	await expect(ring(to, "video", name)).toBeVisible();
	await button(to, "Answer with video").click();
	await Promise.all([seesAndHears(from), seesAndHears(to)]);
}

/** A voice call from one page to another, until both hear each other. */
export async function voiceCall(from: Page, name: string, to: Page): Promise<void> {
	await button(from, "Voice call").click();
	await expect(ring(to, "voice", name)).toBeVisible();
	await button(to, "Answer").click();
	await Promise.all([hears(from), hears(to)]);
}

/** The id of the tab that the page is open in, as the popup tells it. */
export const tabId = (page: Page): Promise<string> => page.evaluate(() => String(window.carillon?.("tabId")));

/** A copy of a page in a new tab, with what its tab has stored in `sessionStorage`. */
export async function copyOf(page: Page): Promise<Page> {
	const opened = page.context().waitForEvent("page");
	await page.evaluate(() => void window.open(location.href));
	return opened;
}

/** Clicks in both pages at once. Playwright's own click waits for a button that the quicker page may take away or cover. */
export async function clickBoth(pages: readonly [Page, Page], name: string): Promise<void> {
	const both = await Promise.all(pages.map((page) => button(page, name).elementHandle()));
	await Promise.all(both.map((handle) => handle?.evaluate((b) => (b as HTMLElement).click())));
}

/** Hangs up on one side, until the other is out of the call too. */
export async function hangUp(page: Page, other: Page): Promise<void> {
	await button(page, "Hang up").click();
	for (const p of [page, other]) await expect(button(p, "Hang up")).toBeHidden();
}

/** Writes a message and sends it with Enter. */
export async function write(page: Page, text: string): Promise<void> {
	await composer(page).fill(text);
	await composer(page).press("Enter");
}
