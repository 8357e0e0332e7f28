import { expect, test } from "./fixtures.ts";
import { hears } from "./media.ts";
import { alert, button, hangUp, status, voiceCall } from "./page.ts";

test.use({ env: { CARILLON_MEDIA_QUOTA_USER_PEERS: "1" } });

test("who has as many calls open as they may is told so, and the next one connects when one has ended", async ({
	people,
}) => {
	const carol = `carol-${people.bob}`;
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	const third = await (await people.device(carol, { peer: people.bob })).tab();
	await voiceCall(alice, people.Alice, bob);

	await button(third, "Voice call").click();
	await bob.getByRole("alertdialog").getByRole("button", { name: "Answer", exact: true }).click();
	const told = alert(bob, "Too many calls and streams are open");
	await expect(told).toBeVisible();
	await expect(status(alice, `${people.Bob} put you on hold`)).toBeVisible();

	await button(alice, "Hang up").click();
	await Promise.all([hears(third), hears(bob)]);
	await expect(told).toBeHidden();
	await hangUp(third, bob);
});
