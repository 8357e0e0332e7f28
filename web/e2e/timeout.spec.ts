import { expect, test } from "./fixtures.ts";
import { givesBack } from "./media.ts";
import { button, ring, status, transcript } from "./page.ts";

test.use({ env: { CARILLON_CALL_RING_SECONDS: "15" } });

test("a ring that nobody answers ends by itself, and is missed", async ({ people }) => {
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	const [bob, closed] = [await device.tab(), await device.tab({ open: false })];
	const title = await closed.title();
	await button(alice, "Video call").click();
	for (const tab of [bob, closed]) await expect(ring(tab, "video", people.Alice)).toBeVisible();
	await expect(status(alice, `${people.Bob} did not answer`)).toBeVisible({ timeout: 30_000 });
	for (const tab of [bob, closed]) await expect(ring(tab, "video", people.Alice)).toBeHidden();
	await expect(transcript(bob).getByText("Missed video call")).toHaveCount(1);
	await expect(transcript(alice).getByText("No answer")).toHaveCount(1);
	await expect.poll(() => closed.title(), { message: "the title is itself again" }).toContain(title);
	await givesBack(alice);
});
