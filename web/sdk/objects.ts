/** Values that all tabs and devices of one user share. The server has the truth; what a tab sets shows there at once. */
import type { Emitter } from "./emitter.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, UserObjects } from "./types.ts";
import type { UserObject } from "./wire.gen.ts";

export class ObjectStore implements UserObjects {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	#values = new Map<string, UserObject>();

	constructor(socket: TabSocket, events: Emitter<ClientEvents>) {
		this.#socket = socket;
		this.#events = events;
	}

	get(key: string): unknown {
		return this.#values.get(key)?.value ?? null;
	}

	all(): ReadonlyMap<string, UserObject> {
		return this.#values;
	}

	async set(key: string, value: unknown, signal?: AbortSignal): Promise<void> {
		await this.#socket.requestUntilAnswered("userobject.set", { key, value: value ?? null }, signal);
	}

	/** The welcome has all of them; listeners hear of those that differ. */
	greeted(objects: readonly UserObject[]): void {
		const now = new Map(objects.map((o) => [o.key, o]));
		const before = this.#values;
		this.#values = now;
		for (const o of objects)
			if (JSON.stringify(before.get(o.key)?.value) !== JSON.stringify(o.value))
				this.#events.emit("userobject", o);
		for (const [key, o] of before) if (!now.has(key)) this.#events.emit("userobject", { ...o, value: null });
	}

	apply(o: UserObject): void {
		if (o.value === null || o.value === undefined) this.#values.delete(o.key);
		else this.#values.set(o.key, o);
		this.#events.emit("userobject", o);
	}

	clear(): void {
		this.#values = new Map();
	}
}
