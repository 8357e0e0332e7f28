import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "./fixtures.ts";

test("a page of another site gets no frame around ours, and no window of ours to talk to", async ({
	people,
	server,
}) => {
	const ours = `${server.url}/demo?user=${people.alice}&with=${people.bob}`;
	const theirs = createServer((_, response) => {
		response.setHeader("content-type", "text/html; charset=utf-8");
		response.end(`<!doctype html><title>Another site</title><iframe src="${ours}"></iframe>`);
	});
	await new Promise<void>((done) => theirs.listen(0, "127.0.0.1", done));
	try {
		const url = `http://shop.test:${(theirs.address() as AddressInfo).port}/`;
		const site = { url, hosts: [new URL(url).host, new URL(server.url).host] };
		const page = await (await people.device(people.alice, { site })).bare();
		await expect
			.poll(() => page.frames().map((frame) => frame.url()))
			.toContain("chrome-error://chromewebdata/");
		await page.evaluate(() => {
			document.querySelector("iframe")?.remove();
			const heard: unknown[] = [];
			addEventListener("message", (event) => heard.push(event.data));
			Object.assign(window, { heard });
		});
		const opening = page.context().waitForEvent("page");
		await page.evaluate((ours) => void Object.assign(window, { opened: window.open(ours) }), ours);
		const opened = await opening;
		await expect(opened).toHaveURL(ours);
		await opened.waitForLoadState();
		// Neither has the other: the window that was opened looks closed, and knows no opener.
		const left = () => page.evaluate(() => (window as unknown as { opened: Window }).opened.closed);
		await expect.poll(left).toBe(true);
		expect(await opened.evaluate(() => window.opener)).toBe(null);
		expect(await page.evaluate(() => (window as unknown as { heard: unknown[] }).heard)).toEqual([]);
	} finally {
		theirs.closeAllConnections();
		theirs.close();
	}
});
