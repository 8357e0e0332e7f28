import { expect, online, openChat, test } from "./fixtures.ts";
import { button, composer, transcript, write } from "./page.ts";

test("a message reaches all tabs of both once, and its marks grow", async ({ people }) => {
	const aliceDevice = await people.device(people.alice);
	const [alice, alice2] = [await aliceDevice.tab(), await aliceDevice.tab()];
	const bobDevice = await people.device(people.bob);
	await write(alice, "Is the blue kettle back?");
	for (const page of [alice, alice2])
		await expect(transcript(page).getByText("Is the blue kettle back?")).toHaveCount(1);
	await expect(transcript(alice).getByLabel("Sent", { exact: true })).toBeVisible();

	const bob = await bobDevice.tab({ open: false });
	await expect(transcript(alice).getByLabel("Delivered", { exact: true })).toBeVisible();
	await openChat(bob);
	await expect(transcript(bob).getByText("Is the blue kettle back?")).toHaveCount(1);
	for (const page of [alice, alice2])
		await expect(transcript(page).getByLabel("Read", { exact: true })).toBeVisible();

	await composer(bob).pressSequentially("It");
	await expect(alice.getByText(`${people.Bob} is typing…`)).toBeVisible();
	await write(bob, "It is, since this morning.");
	for (const page of [alice, alice2])
		await expect(transcript(page).getByText("It is, since this morning.")).toHaveCount(1);
	await expect(alice.getByText(`${people.Bob} is typing…`)).toBeHidden();
});

test("history is there after a reload and on another device", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.tab();
	for (const text of ["one", "two", "three"]) await write(alice, text);
	await expect(transcript(alice).getByText("three")).toBeVisible();
	await alice.reload();
	await openChat(alice);
	const phone = await (await people.device(people.alice)).tab();
	for (const page of [alice, phone])
		for (const text of ["one", "two", "three"])
			await expect(transcript(page).getByText(text, { exact: true })).toHaveCount(1);
});

test("an unread message is counted on the launcher and in the title until it is read in any tab", async ({
	people,
}) => {
	const device = await people.device(people.bob);
	const [bob, bob2] = [await device.tab({ open: false }), await device.tab({ open: false })];
	const title = await bob.title();
	const alice = await (await people.device(people.alice)).tab();
	await write(alice, "Hello Bob");
	for (const page of [bob, bob2]) {
		await expect.poll(() => page.title()).toBe(`(1) ${title}`);
		await expect(button(page, "Open chat (1)")).toBeVisible();
	}
	await openChat(bob);
	await expect(transcript(bob).getByText("Hello Bob")).toBeVisible();
	for (const page of [bob, bob2]) await expect.poll(() => page.title()).toBe(title);
});

test("a message from someone else is counted at the list and replaces no conversation", async ({
	people,
}) => {
	const bob = await (await people.device(people.bob)).tab();
	const carol = await (await people.device(`carol-${people.bob}`, { peer: people.bob })).tab();
	await write(bob, "For Alice");
	await write(carol, "From Carol");
	const back = button(bob, "Conversations");
	await expect(back).toHaveAccessibleDescription("1 unread message");
	await expect(transcript(bob).getByText("For Alice")).toBeVisible();
	await back.click();
	await bob.getByRole("button", { name: /From Carol/ }).click();
	await expect(transcript(bob).getByText("From Carol")).toBeVisible();
});

test("written while offline, sent once when back", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await device.context.setOffline(true);
	await write(alice, "From the tunnel");
	await write(alice, "and out of it");
	await expect(transcript(alice).getByText("From the tunnel")).toBeVisible();
	await expect(transcript(bob).getByText("From the tunnel")).toHaveCount(0);
	await device.context.setOffline(false);
	for (const page of [bob, alice])
		await expect(transcript(page).getByRole("article")).toContainText(["From the tunnel", "and out of it"]);
});

test("a tab that comes back is sent what has changed, each thing once", async ({ people }) => {
	const bob = await (await people.device(people.bob)).tab();
	const alice = await (await people.device(people.alice)).tab({ open: false });
	const greetings: { resumed: boolean; diverged: string[] }[] = [];
	alice.on("websocket", (socket) =>
		socket.on("framereceived", ({ payload }) => {
			for (const line of String(payload).split("\n")) {
				const { result } = JSON.parse(line || "{}") as { result?: (typeof greetings)[number] };
				if (result && "resumed" in result) greetings.push(result);
			}
		}),
	);
	const backWith = async (text: string) => {
		// As a page that goes into the back/forward cache and comes out of it.
		await alice.evaluate(() => dispatchEvent(new Event("pagehide")));
		await write(bob, text);
		await expect(transcript(bob).getByLabel("Sent", { exact: true }).last()).toBeVisible();
		await alice.evaluate(() => dispatchEvent(new Event("pageshow")));
		await online(alice);
	};
	// At first nobody has opened the chat, then it shows the conversation.
	await backWith("While the popup was closed");
	await openChat(alice);
	await expect(transcript(alice).getByText("While the popup was closed")).toHaveCount(1);
	await backWith("While it was open");
	await expect(transcript(alice).getByText("While it was open")).toHaveCount(1);
	await expect(transcript(alice).getByRole("article")).toHaveCount(2);
	expect(greetings.length).toBeGreaterThanOrEqual(2);
	for (const greeting of greetings) expect(greeting).toMatchObject({ resumed: true, diverged: [] });
});

test("what is written offline outlives a reload of the page", async ({ people }) => {
	const device = await people.device(people.alice, {
		init: () => {
			// The page loads, but nothing gets through until the test says so.
			const Original = window.WebSocket;
			window.WebSocket = class extends Original {
				constructor(url: string | URL, protocols?: string | string[]) {
					super(localStorage.getItem("cut") ? new URL("/nowhere", url) : url, protocols);
				}
			};
		},
	});
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await write(alice, "First");
	await expect(transcript(bob).getByText("First")).toBeVisible();
	await alice.evaluate(() => localStorage.setItem("cut", "1"));
	await alice.reload();
	await openChat(alice);
	await write(alice, "Kept in the browser");
	await expect(transcript(alice).getByLabel("Waiting to be sent")).toBeVisible();
	await alice.evaluate(() => localStorage.removeItem("cut"));
	await alice.reload();
	await online(alice);
	await expect(transcript(bob).getByText("Kept in the browser")).toHaveCount(1);
});

test("user objects are shared by all tabs of a user, and by no one else", async ({ people }) => {
	const device = await people.device(people.alice);
	const [one, two] = [await device.tab(), await device.tab({ open: false })];
	const bob = await (await people.device(people.bob)).tab({ open: false });
	await two.evaluate(() => {
		window.carillon?.("on", "userobject", (object: unknown) => Object.assign(window, { heard: object }));
	});
	await one.evaluate(() => window.carillon?.("setUserObject", "cart", { kettles: 2 }));
	const read = (page: typeof one) => page.evaluate(() => window.carillon?.("getUserObject", "cart"));
	await expect.poll(() => read(two)).toEqual({ kettles: 2 });
	const heard = await two.evaluate(() => (window as unknown as { heard: unknown }).heard);
	expect(heard).toMatchObject({ key: "cart", value: { kettles: 2 } });
	await two.reload();
	await expect.poll(() => read(two), { message: "kept by the server" }).toEqual({ kettles: 2 });
	expect((await read(bob)) ?? null).toBeNull();
});

test("signed out everywhere: every tab and device stops, and nothing is kept", async ({ people }) => {
	const laptop = await people.device(people.alice);
	const [one, two] = [await laptop.tab(), await laptop.tab()];
	const phone = await (await people.device(people.alice)).tab();
	await write(one, "Secret");
	for (const page of [one, two, phone]) await expect(transcript(page).getByText("Secret")).toBeVisible();
	await one.evaluate(() => {
		type Controller = { client: { signOut(p: { everywhere: boolean }): Promise<void> } };
		const controller = window.carillon?.("controller") as Controller | undefined;
		return controller?.client.signOut({ everywhere: true });
	});
	for (const page of [one, two, phone]) await expect(transcript(page).getByText("Secret")).toHaveCount(0);
	await expect(phone.getByText("You were signed out.")).toBeVisible();
	const kept = await phone.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
	expect(kept).not.toContain("Secret");
});
