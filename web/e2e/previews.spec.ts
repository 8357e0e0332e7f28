/** Previews of links: the server looks, everybody sees, and only the server asks the site. */
import { createServer, type Server as HTTPServer } from "node:http";
import type { AddressInfo } from "node:net";
import { clean } from "./axe.ts";
import { test as base, expect } from "./fixtures.ts";
import { button, composer, transcript, write } from "./page.ts";

/** A site that people link to. What is under `/slow` comes when it is let go. */
class Site {
	readonly #server: HTTPServer;
	readonly #waiting: (() => void)[] = [];
	asked = 0;

	constructor() {
		this.#server = createServer((request, response) => {
			this.asked++;
			if (request.url === "/picture.gif") {
				response.setHeader("Content-Type", "image/gif");
				response.end(Buffer.from(picture, "base64"));
				return;
			}
			const answer = () => {
				response.setHeader("Content-Type", "text/html; charset=utf-8");
				response.end(
					`<!doctype html><title>Title of ${request.url}</title><meta property="og:description" content="&lt;b&gt;bold&lt;/b&gt; وصف"><meta property="og:image" content="/picture.gif">`,
				);
			};
			if (request.url === "/slow") this.#waiting.push(answer);
			else answer();
		});
	}

	/** Its origin, once it listens. */
	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	async open(): Promise<void> {
		await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
	}

	letGo(): void {
		for (const answer of this.#waiting.splice(0)) answer();
	}

	close(): void {
		this.letGo();
		this.#server.close();
		this.#server.closeAllConnections();
	}
}

/** 16 by 16 pixels of one colour. */
const picture = "R0lGODlhEAAQAIAAAAAA/////ywAAAAAEAAQAAACDoSPqcvtD6OctNqLsz4FADs=";

const test = base.extend<object, { site: Site }>({
	site: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from this pattern.
		async ({}, use) => {
			const site = new Site();
			await site.open();
			await use(site);
			site.close();
		},
		{ scope: "worker" },
	],
	env: [
		async ({ site }, use) =>
			use({
				CARILLON_PREVIEWS_ALLOW_ADDRESSES: "127.0.0.1",
				CARILLON_PREVIEWS_PORTS: new URL(site.url).port,
				CARILLON_PREVIEWS_TIMEOUT_SECONDS: "60", // longer than a test needs to scroll
			}),
		{ scope: "worker" },
	],
});

test("a link is shown as a card, before it is sent and to whom it is sent, and only the server asks the site", async ({
	people,
	site,
	server,
}) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (
		await people.device(people.bob, {
			browser: { colorScheme: "dark", viewport: { width: 1100, height: 760 } },
		})
	).tab();
	const link = `${site.url}/blue`;
	await composer(alice).fill(`See ${link}`);
	await expect(alice.getByRole("link", { name: /Title of \/blue/ })).toBeVisible();
	await expect(button(alice, "Remove preview")).toBeVisible();
	await composer(alice).press("Enter");
	await expect(button(alice, "Remove preview")).toBeHidden();
	for (const page of [alice, bob]) {
		const card = transcript(page).getByRole("link", { name: /Title of \/blue/ });
		await expect(card).toBeVisible();
		await expect(card).toHaveAttribute("href", link);
		await expect(card).toHaveAttribute("rel", /noopener noreferrer nofollow/);
		await expect(card).toContainText("<b>bold</b> وصف"); // text, not markup
		await expect(card).toContainText(new URL(link).host);
		const image = card.locator("img");
		await expect(image).toHaveAttribute("src", new RegExp(`^${server.url}/previews/[A-Z2-7]{26}\\.jpg$`));
		await expect.poll(() => image.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBe(16);
	}
	expect(site.asked).toBe(2); // for the page and its picture, once: the pages of both people asked for nothing (conduct.ts)
	await clean(bob, "a card, dark");
});

test("a preview that was taken away is under no message", async ({ people, site }) => {
	const alice = await (await people.device(people.alice)).tab();
	const bob = await (await people.device(people.bob, { query: "lang=ar" })).bare();
	await bob.getByRole("button", { name: /الدردشة/ }).click();
	await composer(alice).fill(`${site.url}/first`);
	await button(alice, "Remove preview").click();
	await expect(alice.getByRole("link", { name: /Title of \/first/ })).toBeHidden();
	await composer(alice).press("Enter");
	await write(alice, `${site.url}/second`);
	for (const page of [alice, bob]) {
		await expect(page.getByRole("link", { name: /Title of \/second/ })).toBeVisible();
		await expect(page.getByRole("link", { name: /Title of \/first/ })).toHaveCount(0);
	}
});

test("a card that comes late moves nothing that is being read", async ({ people, site }) => {
	const alice = await (await people.device(people.alice)).tab();
	await write(alice, `${site.url}/slow`);
	for (let n = 1; n <= 25; n++) await write(alice, `line ${n}`);
	const bob = await (await people.device(people.bob)).tab();
	const line = transcript(bob).getByText("line 8", { exact: true });
	await line.scrollIntoViewIfNeeded();
	await expect(bob.getByRole("button", { name: /^Jump to latest/ })).toBeVisible();
	const before = await line.boundingBox();
	site.letGo();
	await expect(transcript(bob).getByRole("link", { name: /Title of \/slow/ })).toBeAttached();
	const after = await line.boundingBox();
	expect(Math.abs((after?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(1); // browsers scroll by whole pixels
	// Who reads at the end stays there.
	await expect(transcript(alice).getByText("line 25", { exact: true })).toBeInViewport();
});
