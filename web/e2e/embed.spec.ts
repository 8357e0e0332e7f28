import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Certificate } from "./certificate.ts";
import { expect, test } from "./fixtures.ts";
import { seesAndHears } from "./media.ts";
import { button, call, composer, hangUp, transcript, write } from "./page.ts";
import { Server } from "./server.ts";

/** Someone's site at http://shop.test, with users of its own and a Carillon elsewhere. */
class Shop implements AsyncDisposable {
	/** The body of its page, by path. */
	readonly pages = new Map<string, string>();
	readonly #http = createServer((request, response) => {
		response.setHeader("content-type", "text/html; charset=utf-8");
		const body = this.pages.get(request.url ?? "/") ?? "";
		response.end(`<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>${body}</html>`);
	});
	#server: Server | undefined;

	static async open(): Promise<Shop> {
		const shop = new Shop();
		await new Promise<void>((done) => shop.#http.listen(0, "127.0.0.1", done));
		shop.#server = new Server({
			CARILLON_AUTH_KEYS: "shop=0123456789abcdef0123456789abcdef",
			CARILLON_SIGNALING_ORIGINS: shop.url,
			CARILLON_REACH_KNOWN: "support",
		});
		await shop.#server.start();
		return shop;
	}

	get url(): string {
		return `http://shop.test:${(this.#http.address() as AddressInfo).port}`;
	}

	get server(): Server {
		if (!this.#server) throw new Error("the shop has no server yet");
		return this.#server;
	}

	/** What a device needs to visit a page of the shop. */
	visit(path: string): { url: string; hosts: string[] } {
		return { url: this.url + path, hosts: [new URL(this.url).host, new URL(this.server.url).host] };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#http.closeAllConnections();
		this.#http.close();
		await this.server.stop();
	}
}

test("on a site of others: one tag, the site's own users, and a queue that is valid before load", async ({
	people,
}) => {
	await using shop = await Shop.open();
	const { server, pages } = shop;
	pages.set(
		"/tag",
		`<script async src="${server.url}/popup.js" data-token="${server.token("ann")}" data-destination="support" data-name="Our support"></script>`,
	);
	pages.set(
		"/queue",
		`<script>
			window.carillon = (...call) => window.carillon.q.push(call);
			window.carillon.q = [];
			carillon("boot", { token: "${server.token("support")}", destination: "ann", name: "Ann", strings: { closeChat: "Hide" } });
			carillon("on", "ready", () => (window.isReady = true));
			carillon("open");
		</script>
		<script async src="${server.url}/popup.js"></script>`,
	);
	const ann = await (await people.device("ann", { site: shop.visit("/tag") })).tab();
	await expect(ann.getByRole("heading", { name: "Our support" })).toBeVisible();
	const support = await (await people.device("support", { site: shop.visit("/queue") })).bare();
	await expect(composer(support), "opened by the queue").toBeVisible();
	await expect(button(support, "Hide"), "the site's own text").toBeVisible();
	await expect.poll(() => support.evaluate(() => "isReady" in window)).toBe(true);

	await write(ann, "Do you ship abroad?");
	await expect(transcript(support).getByText("Do you ship abroad?")).toHaveCount(1);
	await write(support, "We do.");
	await expect(transcript(ann).getByText("We do.")).toHaveCount(1);

	await expect(ann.getByText("Calls need HTTPS")).toBeVisible();
	await expect(button(ann, "Video call")).toHaveCount(0);
});

test("a site that is not on the list, and a token of nobody, are told so", async ({ people }) => {
	await using shop = await Shop.open();
	const { server, pages } = shop;
	const tag = (token: string) =>
		`<script async src="${server.url}/popup.js" data-token="${token}" data-destination="support"></script>`;
	pages.set("/", tag(server.token("ann")));
	pages.set("/nobody", tag("not.a.token"));
	const other = { ...shop.visit("/"), url: shop.url.replace("shop.test", "other.test") };
	other.hosts.push(new URL(other.url).host);
	const stranger = await (await people.device("ann", { site: other })).bare();
	await button(stranger, "Open chat").click();
	await expect(stranger.getByText("This site is not allowed to use the chat server.")).toBeVisible();
	const nobody = await (await people.device("ann", { site: shop.visit("/nobody") })).bare();
	await button(nobody, "Open chat").click();
	await expect(nobody.getByText("You are signed out.")).toBeVisible();
});

test("the SDK alone, as an ES module, writes and is read", async ({ people, server }) => {
	const bob = await (await people.device(people.bob)).tab();
	const site = { url: `${server.url}/`, hosts: [new URL(server.url).host] };
	const page = await (await people.device(people.alice, { site })).bare();
	await page.evaluate(
		async ([alice, bob]) => {
			const { createClient } = (await import(
				`${location.origin}/sdk.js`
			)) as typeof import("../sdk/index.ts");
			const client = createClient({
				server: location.origin,
				getToken: async () => {
					const answer = await fetch("/demo/token", {
						method: "POST",
						headers: { "content-type": "application/json" },
						body: JSON.stringify({ user: alice }),
					});
					return (await answer.json()).token;
				},
			});
			client.connect();
			client.messages.send({ to: bob as string }, { text: "From code" });
		},
		[people.alice, people.bob],
	);
	await expect(transcript(bob).getByText("From code")).toHaveCount(1);
});

test("over HTTPS with a certificate: a call that survives a reload", async ({ people }) => {
	using certificate = new Certificate();
	const server = new Server(certificate.env);
	await server.start();
	try {
		expect(server.url).toMatch(/^https:/);
		const site = (user: string, peer: string) => ({
			url: `${server.url}/demo?user=${user}&with=${peer}`,
			hosts: [new URL(server.url).host],
		});
		const { alice: a, bob: b } = people;
		const alice = await (await people.device(a, { site: site(a, b) })).tab();
		const bob = await (await people.device(b, { site: site(b, a) })).tab();
		await call(alice, people.Alice, bob);
		await bob.reload();
		await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
		await hangUp(alice, bob);
	} finally {
		await server.stop();
	}
});
