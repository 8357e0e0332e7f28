import { expect, test } from "./fixtures.ts";
import { hears } from "./media.ts";
import { alert, button, call, composer, hangUp, launcher, ring, status, transcript } from "./page.ts";

test("the log says that it rings while it rings; a call that is taken back was cancelled", async ({
	people,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await button(alice, "Voice call").click();
	await expect(ring(bob, "voice", people.Alice)).toBeVisible();
	for (const page of [alice, bob]) {
		await expect(transcript(page).getByText("Ringing…")).toBeVisible();
		await expect(transcript(page).getByText("Going on now")).toHaveCount(0);
	}
	await button(alice, "Hang up").click();
	await expect(status(alice, "Call cancelled")).toBeVisible();
	await expect(button(alice, "Call again")).toBeVisible();
	await expect(button(bob, "Call back")).toBeVisible();
	for (const name of ["Call back", "Call ended"]) await expect(alice.getByText(name)).toHaveCount(0);
});

test("a waiting call says whom answering holds; where a call was answered is soon old news", async ({
	people,
}) => {
	const carol = `carol-${people.bob}`;
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const [bob, other] = [await device.tab(), await device.tab({ open: false })];
	const third = await (await people.device(carol, { peer: people.bob })).tab();
	await call(alice, people.Alice, bob);
	await expect(status(other, "Answered on another tab")).toBeVisible();
	await expect(status(other, /^\d\d:\d\d$/), "then how long it lasts").toBeVisible();

	await button(third, "Voice call").click();
	await expect(bob.getByRole("alertdialog")).toContainText(`Answering puts ${people.Alice} on hold.`);
	await button(third, "Hang up").click();
	await hangUp(alice, bob);
});

test("a call begun offline is made when the network is back", async ({ people }) => {
	const device = await people.device(people.alice);
	const alice = await device.tab();
	const bob = await (await people.device(people.bob)).tab();
	await expect
		.poll(() =>
			alice.evaluate(() =>
				performance.getEntriesByType("resource").some(({ name }) => /\/call-\w+\.js$/.test(name)),
			),
		)
		.toBe(true);
	await device.context.setOffline(true);
	await button(alice, "Voice call").click();
	await expect(status(alice, "Calling…")).toBeVisible();
	await expect(alice.getByText("You are offline.")).toBeVisible();
	await expect(alert(alice, /./)).toHaveCount(0);
	await device.context.setOffline(false);
	await button(bob, "Answer").click();
	await Promise.all([hears(alice), hears(bob)]);
});

test("a token that is not taken: said in words that help, and nothing pretends to load", async ({
	people,
}) => {
	const device = await people.device(people.alice);
	await device.context.route("**/demo/token", (route) =>
		route.fulfill({ json: { token: "not.a.token", user: { id: people.alice, name: people.Alice } } }),
	);
	const alice = await device.bare();
	await launcher(alice).click();
	await expect(alice.getByText("You are signed out. Sign in to this site again to go on.")).toBeVisible();
	await expect(alice.getByText("Loading messages…")).toHaveCount(0);
	await expect(composer(alice)).toHaveCount(0);
	await expect(button(alice, "Voice call")).toHaveCount(0);
});
