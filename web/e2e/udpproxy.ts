import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";

/** By the first byte. https://www.rfc-editor.org/rfc/rfc7983#section-7 */
export const isDTLS = (datagram: Buffer): boolean => (datagram[0] ?? 0) >= 20 && (datagram[0] ?? 0) <= 63;

/** Who asks, in a STUN request: the ICE credentials of both sides, which no two connections share. */
function username(datagram: Buffer): string | undefined {
	if (datagram.length < 20 || datagram.readUInt16BE(0) !== 0x0001) return undefined;
	for (let at = 20; at + 4 <= datagram.length; ) {
		const length = datagram.readUInt16BE(at + 2);
		if (datagram.readUInt16BE(at) === 0x0006) return datagram.toString("utf8", at + 4, at + 4 + length);
		at += 4 + Math.ceil(length / 4) * 4;
	}
	return undefined;
}

/** One port of a browser. */
interface Client {
	readonly address: string;
	readonly port: number;
	/** The socket that the server sees in its place. */
	socket: Socket;
	/** The ICE connection that it belongs to, as its checks say. */
	connection: string | undefined;
}

/**
 * A stretch of network between pages and the server's media port, on which a test may lose datagrams. Pages take it once
 * `throughProxy` has run in them.
 */
export class UDPProxy implements AsyncDisposable {
	/**
	 * Whether a datagram of either direction is lost. Connections count from 0 in the order in which they began, an ICE restart
	 * as another one; -1: none was named yet.
	 */
	loses: (datagram: Buffer, connection: number) => boolean = () => false;
	/** How many datagrams were lost. */
	lost = 0;
	readonly #front = createSocket("udp4");
	/** By the address of the page's end. */
	readonly #clients = new Map<string, Client>();
	readonly #connections: string[] = [];
	readonly #server: { host: string; port: number };

	private constructor(server: string) {
		const { hostname, port } = new URL(server);
		this.#server = { host: hostname, port: Number(port) };
	}

	/** To the server at a URL such as `udp://127.0.0.1:5000`. Pages see the proxy under the address `host`, which is this machine's. */
	static async open(server: string, host = "127.0.0.1"): Promise<UDPProxy> {
		const proxy = new UDPProxy(server);
		proxy.#front.on("message", (datagram, { address, port }) => proxy.#fromPage(datagram, address, port));
		proxy.#front.bind(0, host);
		await once(proxy.#front, "listening");
		return proxy;
	}

	get address(): { address: string; port: number } {
		const { address, port } = this.#front.address() as AddressInfo;
		return { address, port };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of [this.#front, ...[...this.#clients.values()].map((c) => c.socket)]) socket.close();
	}

	/**
	 * What a NAT does that has forgotten its clients: the server sees every page come from another port, and what it sends to the
	 * ports from before is lost. The pages do not notice.
	 */
	rebind(): void {
		for (const client of this.#clients.values()) {
			client.socket.close();
			client.socket = this.#open(client.address, client.port);
		}
	}

	#fromPage(datagram: Buffer, address: string, port: number): void {
		const client = this.#client(address, port);
		client.connection = username(datagram) ?? client.connection;
		const { connection, socket } = client;
		if (connection && !this.#connections.includes(connection)) this.#connections.push(connection);
		this.#forward(datagram, client, () => socket.send(datagram, this.#server.port, this.#server.host));
	}

	#client(address: string, port: number): Client {
		const key = `${address}:${port}`;
		let client = this.#clients.get(key);
		if (!client) {
			client = { address, port, socket: this.#open(address, port), connection: undefined };
			this.#clients.set(key, client);
		}
		return client;
	}

	/** A socket that the server sees in place of a page's port. */
	#open(address: string, port: number): Socket {
		const socket = createSocket("udp4");
		socket.on("message", (datagram) =>
			this.#forward(datagram, this.#client(address, port), () => this.#front.send(datagram, port, address)),
		);
		return socket;
	}

	#forward(datagram: Buffer, { connection }: Client, send: () => void): void {
		if (this.loses(datagram, this.#connections.indexOf(connection ?? ""))) this.lost++;
		else send();
	}
}

/** An address of this machine beside its loopback one, if it has any: Firefox has no candidate that reaches loopback without a relay. */
export function ownAddress(): string {
	const all = Object.values(networkInterfaces()).flatMap((i) => i ?? []);
	return all.find((a) => a.family === "IPv4" && !a.internal)?.address ?? "127.0.0.1";
}

/** Runs in a page: media takes the proxy at this address, and no other way. */
export function throughProxy({ address, port }: { address: string; port: number }): void {
	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(config?: RTCConfiguration) {
			super({ ...config, iceServers: [], iceTransportPolicy: "all" });
		}
		override setRemoteDescription(d: RTCSessionDescriptionInit): Promise<void> {
			const lines = (d.sdp ?? "").split("\r\n").flatMap((line) => {
				if (!line.startsWith("a=candidate:")) return [line];
				const words = line.split(" ");
				return words[2]?.toLowerCase() === "udp"
					? [words.with(4, address).with(5, String(port)).join(" ")]
					: [];
			});
			return super.setRemoteDescription({ ...d, sdp: lines.join("\r\n") });
		}
	};
}
