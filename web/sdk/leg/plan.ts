/** Which ways to the server a connection tries, and in which order. */
import type { ICEServer } from "../wire.gen.ts";

/** If one attempt has not connected after this long, the next begins. The server gives up after 20 s in all. */
export const attemptMs = 6000;

/**
 * First everything at once, as ICE does. Then relays only: by TCP, then by TLS, for networks that let the first checks
 * through to nowhere.
 */
export function plan(servers: readonly ICEServer[], relayOnly: boolean): RTCConfiguration[] {
	const all: RTCConfiguration = {
		iceServers: servers.map((s) => ({ ...s, urls: [...s.urls] })),
		iceTransportPolicy: relayOnly ? "relay" : "all",
		bundlePolicy: "max-bundle",
	};
	const relay = (wanted: (url: string) => boolean): RTCConfiguration[] => {
		const iceServers = servers
			.map((s) => ({ ...s, urls: s.urls.filter(wanted) }))
			.filter((s) => s.urls.length > 0);
		return iceServers.length > 0 ? [{ ...all, iceServers, iceTransportPolicy: "relay" }] : [];
	};
	return [
		all,
		...relay((url) => url.startsWith("turn:") && url.includes("transport=tcp")),
		...relay((url) => url.startsWith("turns:")),
	];
}
