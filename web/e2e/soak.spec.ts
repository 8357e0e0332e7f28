import { type ChildProcess, spawn } from "node:child_process";
import { cpus } from "node:os";
import { expect, test } from "./fixtures.ts";
import { hears, seesAndHears } from "./media.ts";
import { button, call, hangUp, status } from "./page.ts";
import { untouched, used } from "./untouched.ts";

// A few repetitions in each run of the suite; `npm run soak` makes as many as people do in a bad week. The name of the variable
// does not begin with CARILLON_, because the server refuses a variable of that kind that it does not know.
const soak = process.env.SOAK !== undefined;
const reloads = soak ? 50 : 4;
const moves = soak ? 30 : 4;
const waitingCalls = soak ? 20 : 2;

test(`${reloads} reloads in a row: seen and heard after each, and no page is clicked`, async ({ people }) => {
	test.setTimeout(60_000 + reloads * 20_000);
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	await call(alice, people.Alice, bob);
	const page = await untouched(bob);
	for (let i = 0; i < reloads; i++) {
		await bob.reload();
		await Promise.all([seesAndHears(page), seesAndHears(alice)]);
		expect(await used(page), "nobody clicked").toBe(false);
	}
	await hangUp(bob, alice);
});

test(`${moves} moves in a row between two tabs and a phone: seen and heard after each`, async ({
	people,
}) => {
	test.setTimeout(60_000 + moves * 20_000);
	const alice = await (await people.device(people.alice)).tab();
	const laptop = await people.device(people.bob);
	const tabs = [await laptop.tab(), await laptop.tab(), await (await people.device(people.bob)).tab()];
	const at = (i: number) => tabs[i % tabs.length] as (typeof tabs)[number];
	await call(alice, people.Alice, at(0));
	for (let i = 1; i <= moves; i++) {
		await button(at(i), "Move call here").click();
		await Promise.all([seesAndHears(alice), seesAndHears(at(i))]);
		for (const other of [at(i + 1), at(i + 2)]) await expect(button(other, "Move call here")).toBeVisible();
	}
	await hangUp(at(moves), alice);
});

/** Keeps every core busy until it is disposed of. */
class Load implements Disposable {
	readonly #loops: ChildProcess[] = cpus().map(() => spawn(process.execPath, ["-e", "for (;;);"]));

	[Symbol.dispose](): void {
		for (const loop of this.#loops) loop.kill("SIGKILL");
	}
}

test(`a waiting call is answered ${waitingCalls} times on a machine with no core to spare`, async ({
	people,
}) => {
	test.setTimeout(90_000 + waitingCalls * 40_000);
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob)).tab();
	const carol = await (await people.device(`carol-${people.bob}`, { peer: people.bob })).tab();
	await call(alice, people.Alice, bob);
	using _ = new Load();
	for (let i = 0; i < waitingCalls; i++) {
		await button(carol, "Voice call").click();
		await bob.getByRole("alertdialog").getByRole("button", { name: "Answer", exact: true }).click();
		await Promise.all([hears(carol), hears(bob)]);
		await expect(status(alice, `${people.Bob} put you on hold`)).toBeVisible();
		await hangUp(carol, carol);
		await button(bob, `Back to the call with ${people.Alice}`).click();
		await button(bob, "Resume").click();
		await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	}
	await hangUp(bob, alice);
});
