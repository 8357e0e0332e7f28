import {
	type BrowserContext,
	type BrowserContextOptions,
	test as base,
	expect,
	type Page,
} from "@playwright/test";
import type {} from "../popup/loader.ts";
import { Conduct } from "./conduct.ts";
import { composer, launcher } from "./page.ts";
import { install, type ProbeOptions } from "./probe.ts";
import { Server } from "./server.ts";

export interface DeviceOptions extends ProbeOptions {
	/** Whom its popup talks to. */
	peer?: string;
	/** Runs in every page before its own scripts. */
	init?: () => void;
	/** Of the browser: size, colours, permissions. */
	browser?: BrowserContextOptions;
	/** Further parameters of the demo page, such as `lang=ar`. */
	query?: string;
	/** A page of a site that embeds the popup, instead of the demo; and what that may ask besides the server. */
	site?: { url: string; hosts: string[] };
}

/** A device: one browser profile of one person, with any number of tabs. */
export class Device {
	constructor(
		readonly context: BrowserContext,
		readonly url: string,
	) {}

	/** A tab whose popup is open on the conversation with the peer, or closed. */
	async tab({ open = true } = {}): Promise<Page> {
		const page = await this.context.newPage();
		await page.goto(this.url);
		await expect(launcher(page)).toBeVisible();
		if (open) await openChat(page);
		else await online(page);
		return page;
	}

	/** A tab in which nothing is waited for: its page may be in another language, or of a site without a popup. */
	async bare(): Promise<Page> {
		const page = await this.context.newPage();
		await page.goto(this.url);
		return page;
	}
}

export async function openChat(page: Page): Promise<void> {
	await launcher(page).click();
	await expect(composer(page)).toBeVisible();
}

/** Waits until the page has caught up with the server: from then on it rings. */
export async function online(page: Page): Promise<void> {
	await page.waitForFunction(() => {
		type Account = { base: { socket: { state: { state: string } } } };
		return (window.carillon?.("account") as Account | undefined)?.base.socket.state.state === "online";
	});
}

/** The two people of a test, whom no other test knows. */
export interface People {
	/** Their user ids. */
	alice: string;
	bob: string;
	/** Their names on screen. */
	Alice: string;
	Bob: string;
	/** A new device of this user, whose popup talks to the other. */
	device(user: string, options?: DeviceOptions): Promise<Device>;
}

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
let pairs = 0;

export const test = base.extend<
	{ people: People; conduct: Conduct },
	{ server: Server; env: Record<string, string> }
>({
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
	// biome-ignore lint/correctness/noEmptyPattern: as above.
	conduct: async ({}, use) => {
		const conduct = new Conduct();
		await use(conduct);
		conduct.check();
	},
	people: async ({ browser, server, conduct }, use) => {
		pairs++;
		const [alice, bob] = [`alice${pairs}`, `bob${pairs}`];
		const contexts: BrowserContext[] = [];
		await use({
			alice,
			bob,
			Alice: capital(alice),
			Bob: capital(bob),
			async device(user, options = {}) {
				const context = await browser.newContext({
					permissions: ["camera", "microphone", "notifications"],
					viewport: { width: 1100, height: 760 },
					...options.browser,
				});
				contexts.push(context);
				watch(context, options.site?.hosts ?? [new URL(server.url).host], conduct);
				await context.addInitScript(install, {
					...(options.relay && { relay: options.relay }),
					largePicture: options.largePicture ?? false,
					devicesMs: options.devicesMs ?? 0,
				});
				if (options.init) await context.addInitScript(options.init);
				const peer = options.peer ?? (user === alice ? bob : alice);
				const query = options.query ? `&${options.query}` : "";
				const url = options.site?.url ?? `${server.url}/demo?user=${user}&with=${peer}${query}`;
				return new Device(context, url);
			},
		});
		for (const c of contexts) await c.close();
	},
});

/** Tells `conduct` what the pages of this context ask, and what they throw. */
function watch(context: BrowserContext, hosts: string[], conduct: Conduct): void {
	context.on("request", (request) => conduct.asked(request.url(), hosts));
	context.on("page", (page) => page.on("websocket", (socket) => conduct.asked(socket.url(), hosts)));
	context.on("weberror", (error) => conduct.threw(error.error()));
}

export { expect };
