/** Values that all tabs and devices of one user share. The server has the truth; what a tab sets shows there at once. */
import type { Emitter } from "./emitter.ts";
import type { OwnStore } from "./own.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, UserObjects } from "./types.ts";
import type { UserObject } from "./wire.gen.ts";

export class ObjectStore implements UserObjects, OwnStore<UserObject> {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #values = new Map<string, UserObject>();

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

	/** `missed`: it is not new, so listeners hear of it only if it differs from what is known. */
	apply(o: UserObject, missed = false): void {
		const before = this.#values.get(o.key);
		if (o.value === null || o.value === undefined) this.#values.delete(o.key);
		else this.#values.set(o.key, o);
		const same = JSON.stringify(before?.value ?? null) === JSON.stringify(o.value ?? null);
		if (!missed || !same) this.#events.emit("userobject", o);
	}

	only(keys: ReadonlySet<string>): void {
		for (const [key, o] of this.#values) if (!keys.has(key)) this.apply({ ...o, value: null });
	}

	clear(): void {
		this.#values.clear();
	}
}
