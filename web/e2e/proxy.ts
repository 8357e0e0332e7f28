import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

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

/** One port of a browser, and the socket that speaks for it to the server. */
interface Client {
	readonly back: Socket;
	/** The ICE connection that it belongs to, as its checks say. */
	connection: string | undefined;
}

/** Stands before a server's media port on loopback and drops what a test wants to be lost. */
export class UDPProxy {
	readonly #server: { host: string; port: number };
	readonly #drop: (datagram: Buffer, connection: number) => boolean;
	readonly #front = createSocket("udp4");
	readonly #clients = new Map<number, Client>();
	/** In the order in which they began. An ICE restart counts as another one. */
	readonly #connections: string[] = [];
	dropped = 0;

	/** `drop` is asked for each datagram of either side. Connections count from 0; -1: none was named yet. */
	constructor(
		server: { host: string; port: number },
		drop: (datagram: Buffer, connection: number) => boolean,
	) {
		this.#server = server;
		this.#drop = drop;
	}

	/** Begins to listen, and returns the port. */
	async start(): Promise<number> {
		this.#front.on("message", (datagram, { port }) => {
			const client = this.#clients.get(port) ?? this.#open(port);
			client.connection = username(datagram) ?? client.connection;
			const { connection, back } = client;
			if (connection && !this.#connections.includes(connection)) this.#connections.push(connection);
			this.#pass(datagram, client, () => back.send(datagram, this.#server.port, this.#server.host));
		});
		this.#front.bind(0, "127.0.0.1");
		await once(this.#front, "listening");
		return this.#front.address().port;
	}

	close(): void {
		for (const socket of [this.#front, ...[...this.#clients.values()].map((c) => c.back)]) socket.close();
	}

	#open(port: number): Client {
		const client: Client = { back: createSocket("udp4"), connection: undefined };
		client.back.on("message", (datagram) =>
			this.#pass(datagram, client, () => this.#front.send(datagram, port, "127.0.0.1")),
		);
		this.#clients.set(port, client);
		return client;
	}

	#pass(datagram: Buffer, { connection }: Client, send: () => void): void {
		if (this.#drop(datagram, this.#connections.indexOf(connection ?? ""))) this.dropped++;
		else send();
	}
}
