import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { seesAndHears } from "./media.ts";
import { button, ring } from "./page.ts";
import { isDTLS, throughProxy, UDPProxy } from "./udpproxy.ts";

/** PeerConnections that have offered. */
const offered = (page: Page) =>
	page.evaluate(() => window.probe.peers.filter((pc) => pc.localDescription).length);

test("a DTLS handshake that gets nothing through: a new connection is made, and the call comes up", async ({
	people,
	server,
}) => {
	await using network = await UDPProxy.open(server.urls.get("media-udp") ?? "");
	// STUN checks are answered, but of the first connection's handshake everything is lost.
	network.loses = (datagram, connection) => connection <= 0 && isDTLS(datagram);
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	await device.context.addInitScript(throughProxy, network.address);
	const bob = await device.tab();
	await button(alice, "Video call").click();
	await expect(ring(bob, "video", people.Alice)).toBeVisible();
	await button(bob, "Answer with video").click();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	expect(network.lost, "the first handshake was in vain").toBeGreaterThan(0);
	expect(await offered(bob), "so the page made a second PeerConnection").toBe(2);
});
