import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { alert, button, composer, ring, transcript, write } from "./page.ts";

/** The file of a part cannot be fetched, until what is returned is called. */
async function without(page: Page, part: string): Promise<() => Promise<void>> {
	const file = new RegExp(`/assets/${part}-[A-Z0-9]+\\.js`);
	await page.route(file, (route) => route.abort());
	return () => page.unroute(file);
}

test("a part that cannot be loaded says so, and is there when one tries again", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.bare();
	const back = await without(alice, "list");
	await button(alice, "Open chat").click();
	await write(alice, "Hello");
	await expect(transcript(alice).getByText("Hello")).toBeVisible();
	await button(alice, "Conversations").click();
	await expect(alert(alice, "This could not be loaded.")).toBeVisible();
	await back();
	await button(alice, "Try again").click();
	const bob = alice.getByRole("button", { name: new RegExp(`^${people.Bob}`) });
	await expect(bob).toBeVisible();
	await expect(bob, "who tried again goes on from there").toBeFocused();
	await bob.click();
	await expect(composer(alice)).toBeVisible();
});

test("a call whose part cannot be loaded says so, and rings when one clicks again", async ({ people }) => {
	const bob = await (await people.device(people.bob)).tab({ open: false });
	const device = await people.device(people.alice);
	const alice = await device.bare();
	const back = await without(alice, "call");
	await button(alice, "Open chat").click();
	await button(alice, "Voice call").click();
	await expect(alert(alice, "That did not work. Try again.")).toBeVisible();
	await expect(button(alice, "Voice call")).toBeVisible();
	await back();
	await button(alice, "Voice call").click();
	await expect(ring(bob, "voice", people.Alice)).toBeVisible();
});
