/** Whom I have blocked. The server keeps them, and lets them reach me no more; their messages in groups are for the page to hide. */
import type { Emitter } from "./emitter.ts";
import type { OwnStore } from "./own.ts";
import type { TabSocket } from "./socket.ts";
import type { Blocks, ClientEvents } from "./types.ts";
import type { Block } from "./wire.gen.ts";

export class BlockList implements Blocks, OwnStore<Block> {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #known = new Map<string, Block>();

	constructor(socket: TabSocket, events: Emitter<ClientEvents>) {
		this.#socket = socket;
		this.#events = events;
	}

	list(): readonly string[] {
		return [...this.#known.keys()].sort();
	}

	has(user: string): boolean {
		return this.#known.has(user);
	}

	async add(user: string, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("block.add", { user }, signal);
	}

	async remove(user: string, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("block.remove", { user }, signal);
	}

	apply(b: Block): void {
		if (b.gone) this.#known.delete(b.user);
		else this.#known.set(b.user, b);
		this.#events.emit("block", b);
	}

	only(users: ReadonlySet<string>): void {
		for (const b of this.#known.values()) if (!users.has(b.user)) this.apply({ ...b, gone: true });
	}

	clear(): void {
		this.#known.clear();
	}
}
