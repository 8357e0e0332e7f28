import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/**
 * A stretch of network between pages and the server's media port, which a test can cut: datagrams of both directions are
 * forwarded or lost. Pages take it once `throughProxy` has run in them.
 */
export class UDPProxy implements AsyncDisposable {
	/** True: everything is lost. */
	cut = false;
	readonly #front = createSocket("udp4");
	/** By the address of the page's end: the socket that the server sees in its place. */
	readonly #upstream = new Map<string, Socket>();
	readonly #server: { host: string; port: number };

	private constructor(server: string) {
		const { hostname, port } = new URL(server);
		this.#server = { host: hostname, port: Number(port) };
	}

	/** To the server at a URL such as `udp://127.0.0.1:5000`. */
	static async open(server: string): Promise<UDPProxy> {
		const proxy = new UDPProxy(server);
		proxy.#front.on("message", (datagram, { address, port }) => {
			if (!proxy.cut) proxy.#socketFor(address, port).send(datagram, proxy.#server.port, proxy.#server.host);
		});
		proxy.#front.bind(0, "127.0.0.1");
		await once(proxy.#front, "listening");
		return proxy;
	}

	get port(): number {
		return (this.#front.address() as AddressInfo).port;
	}

	#socketFor(address: string, port: number): Socket {
		const key = `${address}:${port}`;
		let socket = this.#upstream.get(key);
		if (!socket) {
			socket = createSocket("udp4");
			socket.on("message", (datagram) => {
				if (!this.cut) this.#front.send(datagram, port, address);
			});
			this.#upstream.set(key, socket);
		}
		return socket;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of [this.#front, ...this.#upstream.values()]) socket.close();
	}
}

/** Runs in a page: media takes the proxy at this port, and no other way. */
export function throughProxy(port: number): void {
	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(config?: RTCConfiguration) {
			super({ ...config, iceServers: [] });
		}
		override setRemoteDescription(d: RTCSessionDescriptionInit): Promise<void> {
			const lines = (d.sdp ?? "").split("\r\n").flatMap((line) => {
				if (!line.startsWith("a=candidate:")) return [line];
				const words = line.split(" ");
				return words[2]?.toLowerCase() === "udp" ? [words.with(5, String(port)).join(" ")] : [];
			});
			return super.setRemoteDescription({ ...d, sdp: lines.join("\r\n") });
		}
	};
}
