import type { Page } from "@playwright/test";
import { Certificate } from "./certificate.ts";
import { test as base, expect } from "./fixtures.ts";
import { button, call, hangUp } from "./page.ts";

/** A server with a certificate, whose HTTPS, ICE-TCP and TURN over TLS have one port. */
const test = base.extend<object, { env: Record<string, string> }>({
	env: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from this pattern.
		async ({}, use) => {
			using certificate = new Certificate();
			// The same address as http.listen and media.listen of the fixture, so the port is the same too.
			await use({ ...certificate.env, CARILLON_TURN_TLS: "127.0.0.1:0" });
		},
		{ scope: "worker" },
	],
});

/** A network that lets no UDP out, and no relay: only ICE-TCP is left. */
function withoutUDP(): void {
	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(config?: RTCConfiguration) {
			super({ ...config, iceServers: [] });
		}
		override setRemoteDescription(d: RTCSessionDescriptionInit): Promise<void> {
			return super.setRemoteDescription({
				...d,
				sdp: (d.sdp ?? "").replace(/^a=candidate:\S+ \d+ udp .*\r\n/gim, ""),
			});
		}
	};
}

/** A network that lets out nothing but TLS. */
function onlyTLS(): void {
	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(config: RTCConfiguration = {}) {
			const iceServers = (config.iceServers ?? []).map((server) => ({
				...server,
				urls: [server.urls].flat().filter((url) => url.startsWith("turns:")),
			}));
			super({ ...config, iceTransportPolicy: "relay", iceServers });
		}
	};
}

interface Way {
	/** Of the page's end of the connection. */
	candidate: string;
	/** Between the page and what it connects to. */
	protocol: string;
	port: number;
}

/** How the media of the page's live call travels. */
async function way(page: Page): Promise<Way | undefined> {
	return page.evaluate(async () => {
		for (const pc of window.probe.peers) {
			if (pc.connectionState !== "connected") continue;
			const stats = await pc.getStats();
			for (const pair of stats.values()) {
				if (pair.type !== "candidate-pair" || !pair.nominated || pair.state !== "succeeded") continue;
				const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
				if (local.candidateType !== "relay")
					return { candidate: local.candidateType, protocol: local.protocol, port: remote.port };
				const port = Number(/:(\d+)(\?|$)/.exec(local.url)?.[1]);
				return { candidate: "relay", protocol: local.relayProtocol, port };
			}
		}
		return undefined;
	});
}

for (const { name, init, candidate, protocol } of [
	{ name: "over ICE-TCP", init: withoutUDP, candidate: /host|prflx/, protocol: "tcp" },
	{ name: "through TURN over TLS", init: onlyTLS, candidate: /relay/, protocol: "tls" },
])
	test(`only the port of the page gets out: both see and hear each other ${name}`, async ({
		people,
		server,
	}) => {
		expect(server.url).toMatch(/^https:/);
		const port = Number(new URL(server.url).port);
		const alice = await (await people.device(people.alice, { init })).tab();
		const bob = await (await people.device(people.bob, { init })).tab();
		await call(alice, people.Alice, bob);
		// While a check waits for its answer the browser has no pair that "succeeded".
		for (const page of [alice, bob])
			await expect
				.poll(() => way(page))
				.toMatchObject({ protocol, port, candidate: expect.stringMatching(candidate) });
		await hangUp(alice, bob);
		await expect(button(bob, "Video call")).toBeVisible();
	});
