import type { Page } from "@playwright/test";
import type { Client } from "../sdk/index.ts";
import { clean } from "./axe.ts";
import { expect, openChat, test } from "./fixtures.ts";
import { button, composer, transcript, write } from "./page.ts";

const heading = (page: Page, name: string) => page.getByRole("heading", { name, exact: true });

/** A page makes a group with these users, and shows it. */
async function makeGroup(page: Page, name: string, members: string[]): Promise<void> {
	const conversation = await page.evaluate(
		async ([name, members]) => {
			const controller = window.carillon?.("controller") as { client: Client } | undefined;
			return (await controller?.client.conversations.create({ kind: "group", name, members }))?.id;
		},
		[name, members] as const,
	);
	await page.evaluate((id) => window.carillon?.("openConversation", id), conversation);
	await expect(heading(page, name)).toBeVisible();
}

/** Opens the list of conversations. */
async function showList(page: Page): Promise<void> {
	await button(page, "Conversations").click();
	await expect(heading(page, "Conversations")).toBeVisible();
}

test("who is asked into a group joins it in the list, or declines; ticks wait for all who joined", async ({
	people,
}) => {
	const dora = `dora-${people.bob}`;
	const alice = await (await people.device(people.alice)).tab();
	const bobDevice = await people.device(people.bob);
	const [bob, bob2] = [await bobDevice.tab(), await bobDevice.tab()];
	const doraPage = await (await people.device(dora, { peer: people.bob })).tab();
	await makeGroup(alice, "Tea", [people.bob, dora]);
	await write(alice, "Before anyone joined");
	for (const page of [bob, bob2, doraPage]) await showList(page);

	const invitation = (page: Page) =>
		page.getByRole("group", { name: `${people.Alice} invites you to Tea`, exact: true });
	await expect(invitation(bob2)).toBeVisible();
	for (const colorScheme of ["light", "dark"] as const) {
		await bob2.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		await clean(bob2, `an invitation, ${colorScheme}`);
	}
	await invitation(bob).getByRole("button", { name: "Join", exact: true }).click();
	await expect(heading(bob, "Tea")).toBeVisible();
	await expect(bob.getByText("2 members")).toBeVisible();
	await expect(invitation(bob2)).toBeHidden();
	await expect(bob2.getByRole("button", { name: /^Tea/ })).toBeVisible();
	await expect(transcript(bob).getByText("Before anyone joined")).toHaveCount(0);

	await invitation(doraPage).getByRole("button", { name: "Decline", exact: true }).click();
	await expect(invitation(doraPage)).toBeHidden();
	await expect(doraPage.getByRole("button", { name: /^Tea/ })).toHaveCount(0);

	await write(alice, "Who is here?");
	await expect(transcript(bob).getByText("Who is here?")).toHaveCount(1);
	await expect(transcript(bob).getByText(people.Alice)).toBeVisible();
	await expect(transcript(alice).getByLabel("Read", { exact: true })).toBeVisible();
	await composer(bob).pressSequentially("I");
	await expect(alice.getByText(`${people.Bob} is typing…`)).toBeVisible();
	await write(bob, "I am");
	await expect(transcript(alice).getByText("I am", { exact: true })).toHaveCount(1);
});

test("an invitation waits for who was away, and is read aloud as one thing", async ({ people }) => {
	const device = await people.device(people.bob);
	await (await device.tab({ open: false })).close();
	const alice = await (await people.device(people.alice)).tab();
	await makeGroup(alice, "Coffee", [people.bob]);
	const bob = await device.tab({ open: false });
	await openChat(bob);
	await showList(bob);
	await expect(bob.getByRole("group", { name: `${people.Alice} invites you to Coffee` })).toBeVisible();
});
