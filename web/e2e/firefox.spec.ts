import { type Firefox, launchFirefox, openInFirefox } from "./firefox.ts";
import { test as base, expect } from "./fixtures.ts";
import { capturing, givesBack, hears, hearsNothing, offers, seesAndHears, sounds } from "./media.ts";
import { ChromiumTab, type Tab, visibleText } from "./tab.ts";
import { ownAddress, throughProxy, UDPProxy } from "./udpproxy.ts";

type BrowserName = "Chromium" | "Firefox";

/** Opens one more tab of a device whose popup is open on the conversation with the other. */
type Device = () => Promise<Tab>;

const test = base.extend<
	{
		/** A device of this user; its media takes the network, if one is given. */
		device: (browser: BrowserName, user: string, network?: UDPProxy) => Promise<Device>;
	},
	{ firefox: Firefox }
>({
	firefox: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from this pattern.
		async ({}, use) => {
			const firefox = await launchFirefox();
			await use(firefox);
			await firefox.close();
		},
		{ scope: "worker" },
	],
	device: async ({ people, firefox, server, conduct }, use) => {
		const profiles: { close(): Promise<void> }[] = [];
		await use(async (browser, user, network) => {
			if (browser === "Chromium") {
				const device = await people.device(user);
				if (network) await device.context.addInitScript(throughProxy, network.address);
				return async () => new ChromiumTab(await device.tab());
			}
			const profile = await firefox.createBrowserContext();
			profiles.push(profile);
			const url = `${server.url}/demo?user=${user}&with=${user === people.alice ? people.bob : people.alice}`;
			return async () => {
				const tab = await openInFirefox(profile, url, conduct, network?.address);
				await tab.click("Open chat");
				await tab.shows("textbox", "Message");
				return tab;
			};
		});
		for (const profile of profiles) await profile.close();
	},
});

const seeAndHear = (...tabs: Tab[]) => Promise.all(tabs.map(seesAndHears));

const pairs = [
	["Firefox", "Chromium"],
	["Chromium", "Firefox"],
	["Firefox", "Firefox"],
] as const;

for (const [caller, callee] of pairs) {
	test(`${caller} writes to and calls ${callee}: messages, video, mute, a reload on both sides`, async ({
		people,
		device,
	}) => {
		const alice = await (await device(caller, people.alice))();
		const bob = await (await device(callee, people.bob))();
		for (const [from, to, text] of [
			[alice, bob, "Shall we talk?"],
			[bob, alice, "Call me."],
		] as const) {
			await from.write(text);
			await expect.poll(() => visibleText(to, "log")).toContain(text);
		}

		await alice.click("Video call");
		await bob.shows("alertdialog", `Incoming video call from ${people.Alice}`);
		await bob.click("Answer with video");
		await seeAndHear(alice, bob);

		for (const [from, name, to] of [
			[alice, people.Alice, bob],
			[bob, people.Bob, alice],
		] as const) {
			await from.click("Mute microphone");
			await to.shows("img", `${name} is muted`);
			await hearsNothing(to);
			await from.click("Unmute microphone");
			await hears(to);
		}

		for (const tab of [bob, alice]) {
			await tab.reload();
			await tab.shows("button", "Hang up");
			await seeAndHear(alice, bob);
		}
		await bob.click("Hang up");
		for (const tab of [alice, bob]) {
			await tab.hides("button", "Hang up");
			await givesBack(tab);
		}
	});

	test(`${caller} calls two tabs of ${callee}: both ring, one answers, the call moves to the other`, async ({
		people,
		device,
	}) => {
		const alice = await (await device(caller, people.alice))();
		const open = await device(callee, people.bob);
		const [one, two] = [await open(), await open()];
		await alice.click("Voice call");
		for (const tab of [one, two]) await tab.shows("alertdialog", `Incoming voice call from ${people.Alice}`);
		// That one of them sounds meanwhile is proved in Chromium: without a sound card, Firefox starts no AudioContext.
		await one.click("Answer");
		for (const tab of [one, two]) {
			await tab.hides("alertdialog", `Incoming voice call from ${people.Alice}`);
			await expect.poll(() => sounds(tab)).toBe(0);
		}
		await Promise.all([hears(alice), hears(one)]);
		expect(await capturing(two), "only the tab that answered captures").toBe(false);

		await two.click("Move call here");
		await Promise.all([hears(alice), hears(two)]);
		await givesBack(one);
		await one.shows("button", "Move call here");

		await alice.click("Hang up");
		for (const tab of [alice, one, two]) await tab.hides("button", "Hang up");
	});
}

test("a call between Firefox and Chromium does not reconnect while nothing is wrong", async ({
	people,
	device,
}) => {
	const alice = await (await device("Firefox", people.alice))();
	const bob = await (await device("Chromium", people.bob))();
	await alice.click("Video call");
	await bob.click("Answer with video");
	await seeAndHear(alice, bob);
	const seen = new Set<string>();
	await expect
		.poll(
			async () => {
				for (const tab of [alice, bob]) seen.add(await visibleText(tab, "status"));
				return [...seen].some((status) => /00:2[5-9]/.test(status));
			},
			{ message: "the call's clock shows 25 s", intervals: [200], timeout: 60_000 },
		)
		.toBe(true);
	expect([...seen].filter((status) => status.includes("Reconnecting"))).toEqual([]);
	await seeAndHear(alice, bob);
});

// Chromium nominates its pair again when it gets no answers; Firefox only goes on checking it, and the server has to see that
// nothing comes from its old address any more. The page would help with an ICE restart: here it cannot.
for (const browser of ["Chromium", "Firefox"] as const)
	test(`the NAT of ${browser} gives it another port: the call goes on, though the page makes no other offer`, async ({
		people,
		device,
		server,
	}) => {
		await using network = await UDPProxy.open(
			server.urls.get("media-udp") ?? "",
			browser === "Firefox" ? ownAddress() : undefined,
		);
		const alice = await (await device(browser, people.alice, network))();
		const bob = await (await device("Chromium", people.bob))();
		await alice.click("Video call");
		await bob.click("Answer with video");
		await seeAndHear(alice, bob);
		await alice.evaluate(() => {
			RTCPeerConnection.prototype.createOffer = () => new Promise<never>(() => {});
		});
		const before = await offers(alice);
		network.rebind();
		await seeAndHear(alice, bob);
		expect(await offers(alice)).toBe(before);
	});
