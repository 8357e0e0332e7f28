import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { seesAndHears } from "./media.ts";
import { button, ring } from "./page.ts";
import { isDTLS, UDPProxy } from "./proxy.ts";

/** Sends all media of a page through a port: no relay, no TCP, and the server's UDP candidate has that port. */
function throughPort(port: number): void {
	const Original = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Original {
		constructor(config?: RTCConfiguration) {
			super({ ...config, iceServers: [], iceTransportPolicy: "all" });
		}
		override setRemoteDescription(answer: RTCSessionDescriptionInit): Promise<void> {
			const sdp = answer.sdp
				?.replace(/^a=candidate:\S+ \d tcp .*\r\n/gm, "")
				.replace(/^(a=candidate:\S+ \d udp \d+ \S+) \d+ /gm, `$1 ${port} `);
			return super.setRemoteDescription({ ...answer, ...(sdp && { sdp }) });
		}
	};
}

/** PeerConnections that have offered. */
const offered = (page: Page) =>
	page.evaluate(() => window.probe.peers.filter((pc) => pc.localDescription).length);

test("a DTLS handshake that gets nothing through: a new connection is made, and the call comes up", async ({
	people,
	server,
}) => {
	const [host = "", port = ""] = (server.urls.get("media-udp") ?? "").replace(/^udp:\/*/, "").split(":");
	// STUN checks are answered, but of the first connection's handshake everything is lost.
	const lost = (d: Buffer, connection: number) => connection <= 0 && isDTLS(d);
	const proxy = new UDPProxy({ host, port: Number(port) }, lost);
	const front = await proxy.start();
	const alice = await (await people.device(people.alice)).tab();
	const device = await people.device(people.bob);
	await device.context.addInitScript(throughPort, front);
	const bob = await device.tab();
	await button(alice, "Video call").click();
	await expect(ring(bob, "video", people.Alice)).toBeVisible();
	await button(bob, "Answer with video").click();
	await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
	expect(proxy.dropped, "the first handshake was in vain").toBeGreaterThan(0);
	expect(await offered(bob), "so the page made a second PeerConnection").toBe(2);
	proxy.close();
});
