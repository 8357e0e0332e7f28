/** Which ways to the server a connection tries, and in which order. */
import type { ICEServer } from "../wire.gen.ts";

/** If one way has not connected after this long, the next is tried. By default the server gives up after 20 s in all. */
export const attemptMs = 6000;

/**
 * First all ways at once, among which ICE chooses. Then only relays, by TCP and then by TLS, for networks in which the
 * checks of ICE succeed and media does not get through.
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
