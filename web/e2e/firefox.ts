import { expect } from "@playwright/test";
import { type Browser, type BrowserContext, type ElementHandle, launch, type Page } from "puppeteer-core";
import type { Conduct } from "./conduct.ts";
import type { InPage } from "./media.ts";
import { install } from "./probe.ts";
import { appearMs, type Role, type Tab } from "./tab.ts";
import { throughProxy } from "./udpproxy.ts";

export type Firefox = Browser;

/** Debian's Firefox without a window, with a fake camera and a fake microphone, on loopback alone. */
export function launchFirefox(): Promise<Firefox> {
	return launch({
		browser: "firefox",
		executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
		headless: true,
		extraPrefsFirefox: {
			"media.navigator.streams.fake": true,
			"media.navigator.permission.disabled": true,
			"media.peerconnection.ice.loopback": true,
			"media.peerconnection.ice.obfuscate_host_addresses": false,
			// A proxy where nobody listens: what Firefox itself wants from elsewhere fails at once.
			"network.proxy.type": 1,
			"network.proxy.http": "127.0.0.1",
			"network.proxy.http_port": 9,
			"network.proxy.ssl": "127.0.0.1",
			"network.proxy.ssl_port": 9,
			"network.proxy.no_proxies_on": "127.0.0.1",
		},
	});
}

/** A new tab of a profile, at this URL. Media takes the proxy at this address, if there is one. */
export async function openInFirefox(
	context: BrowserContext,
	url: string,
	conduct: Conduct,
	proxy?: { address: string; port: number },
): Promise<Tab> {
	const page = await context.newPage({ type: "window" });
	page.on("request", (request) => conduct.asked(request.url(), [new URL(url).host]));
	page.on("pageerror", (error) => conduct.threw(error));
	await page.evaluateOnNewDocument(install, {});
	if (proxy) await page.evaluateOnNewDocument(throughProxy, proxy);
	await page.goto(url);
	return new FirefoxTab(page);
}

/** Finds things as a screen reader does, by role and accessible name, within the popup. */
class FirefoxTab implements Tab {
	readonly #page: Page;

	constructor(page: Page) {
		this.#page = page;
	}

	evaluate<Result, Argument = undefined>(
		inPage: InPage<Result, Argument>,
		argument?: Argument,
	): Promise<Result> {
		return this.#page.evaluate(inPage as InPage<Result, unknown>, argument) as Promise<Result>;
	}

	bringToFront(): Promise<void> {
		return this.#page.bringToFront();
	}

	async reload(): Promise<void> {
		await this.#page.reload();
	}

	async click(name: string): Promise<void> {
		await this.#page.bringToFront();
		await this.#page.locator(selector("button", name)).setTimeout(appearMs).click();
	}

	async write(text: string): Promise<void> {
		await this.#page.locator(selector("textbox", "Message")).setTimeout(appearMs).fill(text);
		await this.#page.keyboard.press("Enter");
	}

	async shows(role: Role, name: string): Promise<void> {
		await expect.poll(() => this.#visible(role, name), { message: `${role} ${name}` }).toBe(true);
	}

	async hides(role: Role, name: string): Promise<void> {
		await expect.poll(() => this.#visible(role, name), { message: `${role} ${name}` }).toBe(false);
	}

	async #visible(role: Role, name: string): Promise<boolean> {
		const found: ElementHandle[] = await this.#page.$$(selector(role, name));
		for (const element of found) if (await element.isVisible().catch(() => false)) return true;
		return false;
	}
}

/** Firefox calls the role `img` by its newer name. */
const selector = (role: Role, name: string) =>
	`carillon-popup >>>> ::-p-aria([name="${name}"][role="${role === "img" ? "image" : role}"])`;
