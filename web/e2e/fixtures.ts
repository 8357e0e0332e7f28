import { type Browser, type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import { Server } from "./server.ts";

/** Records every PeerConnection of a page, so that tests can ask for its statistics. */
function recordPeerConnections(relayOnly: boolean): void {
	const made: RTCPeerConnection[] = [];
	const Original = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Original {
		constructor(config?: RTCConfiguration) {
			super(relayOnly ? { ...config, iceTransportPolicy: "relay" } : config);
			made.push(this);
		}
	};
	Object.assign(window, { peerConnections: made });
}

/** A device: one browser profile of one person, with any number of tabs. */
export class Device {
	constructor(
		readonly context: BrowserContext,
		readonly server: Server,
		readonly user: string,
		readonly peer: string,
	) {}

	/** Opens a tab with the popup open on the conversation with the peer. */
	async tab(options: { open?: boolean } = {}): Promise<Page> {
		const page = await this.context.newPage();
		await page.goto(`${this.server.url}/demo?user=${this.user}&with=${this.peer}`);
		if (options.open ?? true) {
			await page.getByRole("button", { name: "Open chat" }).click();
			await expect(page.getByRole("textbox", { name: "Message" })).toBeVisible();
		}
		return page;
	}
}

export interface People {
	alice: string;
	bob: string;
	Alice: string;
	Bob: string;
	/** A new device of this user, whose popup talks to the other. */
	device(user: string, options?: { relayOnly?: boolean; init?: () => void }): Promise<Device>;
}

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
let pairs = 0;

export const test = base.extend<{ people: People }, { server: Server; env: Record<string, string> }>({
	// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from this pattern.
	env: [async ({}, use) => use({}), { scope: "worker", option: true }],
	server: [
		async ({ env }, use) => {
			const server = new Server(env);
			await server.start();
			await use(server);
			await server.stop();
		},
		{ scope: "worker" },
	],
	people: async ({ browser, server }, use) => {
		pairs++;
		const [alice, bob] = [`alice${pairs}`, `bob${pairs}`];
		const contexts: BrowserContext[] = [];
		await use({
			alice,
			bob,
			Alice: capital(alice),
			Bob: capital(bob),
			async device(user, options = {}) {
				const context = await newDevice(browser);
				contexts.push(context);
				await context.addInitScript(recordPeerConnections, options.relayOnly ?? false);
				if (options.init) await context.addInitScript(options.init);
				return new Device(context, server, user, user === alice ? bob : alice);
			},
		});
		for (const c of contexts) await c.close();
	},
});

function newDevice(browser: Browser): Promise<BrowserContext> {
	return browser.newContext({
		permissions: ["camera", "microphone", "notifications"],
		viewport: { width: 1100, height: 760 },
	});
}

export { expect };
