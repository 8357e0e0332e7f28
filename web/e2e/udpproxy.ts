import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

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
	/** The socket that the server sees in its place. */
	readonly socket: Socket;
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

	/** To the server at a URL such as `udp://127.0.0.1:5000`. */
	static async open(server: string): Promise<UDPProxy> {
		const proxy = new UDPProxy(server);
		proxy.#front.on("message", (datagram, { address, port }) => proxy.#fromPage(datagram, address, port));
		proxy.#front.bind(0, "127.0.0.1");
		await once(proxy.#front, "listening");
		return proxy;
	}

	get port(): number {
		return (this.#front.address() as AddressInfo).port;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of [this.#front, ...[...this.#clients.values()].map((c) => c.socket)]) socket.close();
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
			const made: Client = { socket: createSocket("udp4"), connection: undefined };
			made.socket.on("message", (datagram) =>
				this.#forward(datagram, made, () => this.#front.send(datagram, port, address)),
			);
			this.#clients.set(key, (client = made));
		}
		return client;
	}

	#forward(datagram: Buffer, { connection }: Client, send: () => void): void {
		if (this.loses(datagram, this.#connections.indexOf(connection ?? ""))) this.lost++;
		else send();
	}
}

/** Runs in a page: media takes the proxy at this port, and no other way. */
export function throughProxy(port: number): void {
	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(config?: RTCConfiguration) {
			super({ ...config, iceServers: [], iceTransportPolicy: "all" });
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
