import type { Page } from "@playwright/test";
import type { People } from "./fixtures.ts";
import { expect, test } from "./fixtures.ts";
import { hears } from "./media.ts";
import { button, composer, hangUp, launcher, ring, transcript, write } from "./page.ts";
import type { Server } from "./server.ts";

/** A page whose popup has no token: whoever opens it becomes a guest. What the page sends is noted. */
async function visitor(people: People, server: Server, sent: string[] = []): Promise<Page> {
	const site = { url: `${server.url}/`, hosts: [new URL(server.url).host] };
	const page = await (await people.device("visitor", { site })).bare();
	page.on("websocket", (socket) => socket.on("framesent", (frame) => sent.push(String(frame.payload))));
	await page.evaluate((destination) => {
		const script = Object.assign(document.createElement("script"), { src: "/popup.js" });
		script.dataset.destination = destination;
		document.body.append(script);
	}, people.alice);
	await launcher(page).click();
	await expect(composer(page)).toBeVisible();
	return page;
}

/** The mark beside a name. */
const mark = (page: Page) => page.getByText("Guest", { exact: true });

test("a guest is marked where they write, ring and talk; a user is not", async ({ people, server }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await write(bob, "From a user");
	await expect(transcript(alice).getByText("From a user")).toHaveCount(1);
	await expect(mark(alice)).toHaveCount(0);

	const guest = await visitor(people, server);
	await write(guest, "From a visitor");
	await button(alice, "Conversations").click();
	const entry = alice.getByRole("button", { name: /From a visitor/ });
	await expect(entry).toContainText("Guest");
	await expect(alice.getByRole("button", { name: /From a user/ })).not.toContainText("Guest");

	await button(guest, "Voice call").click();
	const card = ring(alice, "voice", "Guest");
	await expect(card.getByText("Guest", { exact: true }), "the name and the mark").toHaveCount(2);
	await button(alice, "Answer").click();
	await Promise.all([hears(guest), hears(alice)]);
	await expect(
		alice.getByRole("group", { name: "Voice call" }).getByText("Guest", { exact: true }),
	).toHaveCount(2);
	await hangUp(alice, guest);
});

test("a guest who signs in later in the same page and browser is not known by what the page sends", async ({
	people,
	server,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const sent: string[] = [];
	const guest = await visitor(people, server, sent);
	await write(guest, "As a guest");
	await expect(transcript(guest).getByText("As a guest")).toHaveCount(1);
	const hellos = () =>
		sent
			.flatMap((text) => text.split("\n"))
			.map((line) => JSON.parse(line) as { method?: string; params: { tab: string; device: string } })
			.filter((frame) => frame.method === "hello")
			.map((frame) => frame.params);
	await expect.poll(() => hellos().length).toBe(1);
	const known = hellos()[0];
	const before = sent.length;

	await guest.evaluate(async (user) => {
		const answer = await fetch("/demo/token", {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ user }),
		});
		window.carillon?.("identify", { token: (await answer.json()).token });
	}, people.bob);
	await expect.poll(() => hellos().length).toBeGreaterThan(1);
	await write(guest, "Now as myself");
	await expect(transcript(alice).getByText("Now as myself")).toHaveCount(1);
	const later = sent.slice(before).join("\n");
	for (const id of [known?.tab, known?.device]) {
		expect(id?.length).toBeGreaterThan(8);
		expect(later).not.toContain(id);
	}
});
