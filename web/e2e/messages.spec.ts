import { expect, test } from "./fixtures.ts";
import { button, composer, transcript, write } from "./page.ts";

test("a message reaches all tabs of both once, and its receipts grow", async ({ people }) => {
	const aliceDevice = await people.device(people.alice);
	const alice = await aliceDevice.tab();
	const alice2 = await aliceDevice.tab();
	const bobDevice = await people.device(people.bob);
	await write(alice, "Is the blue kettle back?");
	for (const page of [alice, alice2])
		await expect(transcript(page).getByText("Is the blue kettle back?")).toHaveCount(1);
	await expect(transcript(alice).getByLabel("Sent", { exact: true })).toBeVisible();

	const bob = await bobDevice.tab();
	await expect(transcript(bob).getByText("Is the blue kettle back?")).toHaveCount(1);
	for (const page of [alice, alice2])
		await expect(transcript(page).getByLabel("Read", { exact: true })).toBeVisible();

	await composer(bob).pressSequentially("It");
	await expect(alice.getByText(/is typing|typing…/)).toBeVisible();
	await write(bob, "It is, since this morning.");
	for (const page of [alice, alice2])
		await expect(transcript(page).getByText("It is, since this morning.")).toHaveCount(1);
});

test("history is there after a reload and in another device", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.tab();
	for (const text of ["one", "two", "three"]) await write(alice, text);
	await expect(transcript(alice).getByText("three")).toBeVisible();
	await alice.reload();
	await button(alice, "Open chat").click();
	for (const text of ["one", "two", "three"])
		await expect(transcript(alice).getByText(text, { exact: true })).toHaveCount(1);
	const phone = await (await people.device(people.alice)).tab();
	for (const text of ["one", "two", "three"])
		await expect(transcript(phone).getByText(text, { exact: true })).toHaveCount(1);
});

test("an unread message is counted on the launcher and in the title", async ({ people }) => {
	const bob = await (await people.device(people.bob)).tab({ open: false });
	const title = await bob.title();
	const alice = await (await people.device(people.alice)).tab();
	await write(alice, "Hello Bob");
	await expect.poll(() => bob.title()).toContain("1");
	await button(bob, "Open chat").click();
	await expect(transcript(bob).getByText("Hello Bob")).toBeVisible();
	await expect.poll(() => bob.title()).toBe(title);
});

test("written while offline, sent once when back", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await device.context.setOffline(true);
	await write(alice, "From the tunnel");
	await expect(transcript(alice).getByText("From the tunnel")).toBeVisible();
	await device.context.setOffline(false);
	await expect(transcript(bob).getByText("From the tunnel")).toHaveCount(1);
	await expect(transcript(alice).getByText("From the tunnel")).toHaveCount(1);
});

test("without BroadcastChannel, Web Locks and SharedWorker everything still works", async ({ people }) => {
	const bare = () => {
		for (const name of ["BroadcastChannel", "SharedWorker"]) Reflect.deleteProperty(window, name);
		Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
	};
	const aliceDevice = await people.device(people.alice, { init: bare });
	const alice = await aliceDevice.tab();
	const alice2 = await aliceDevice.tab();
	const bob = await (await people.device(people.bob, { init: bare })).tab();
	await write(alice, "Plain and simple");
	for (const page of [alice, alice2, bob])
		await expect(transcript(page).getByText("Plain and simple")).toHaveCount(1);
	await button(alice, "Video call").click();
	await expect(bob.getByRole("alertdialog")).toBeVisible();
	await button(bob, "Decline").click();
	await expect(button(alice, "Hang up")).toBeHidden();
});

test("user objects are shared by all tabs of a user, and by no one else", async ({ people }) => {
	const device = await people.device(people.alice);
	const [one, two] = [await device.tab(), await device.tab()];
	const bob = await (await people.device(people.bob)).tab();
	type Popup = HTMLElement & {
		setUserObject(key: string, value: unknown): Promise<void>;
		getUserObject(key: string): unknown;
	};
	await one.evaluate(() =>
		(document.querySelector("carillon-popup") as Popup).setUserObject("cart", { kettles: 2 }),
	);
	const read = (page: typeof one) =>
		page.evaluate(() => (document.querySelector("carillon-popup") as Popup).getUserObject("cart"));
	await expect.poll(() => read(two)).toEqual({ kettles: 2 });
	expect((await read(bob)) ?? null).toBeNull();
});
