/** What I have decided for all of my devices. */
import type { Emitter } from "./emitter.ts";
import type { OwnStore } from "./own.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, PreferencesStore } from "./types.ts";
import type { Preferences, PreferencesChange } from "./wire.gen.ts";

/** Of a user who has decided nothing. */
const undecided: Preferences = { presence: "everyone", calls: "everyone", groups: "everyone" };

export class MyPreferences implements PreferencesStore, OwnStore<Preferences> {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	#now = undecided;

	constructor(socket: TabSocket, events: Emitter<ClientEvents>) {
		this.#socket = socket;
		this.#events = events;
	}

	get now(): Preferences {
		return this.#now;
	}

	get busy(): boolean {
		return (this.#now.busy_until ?? 0) > Date.now();
	}

	async set(change: PreferencesChange, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("preferences.set", change, signal);
	}

	apply(p: Preferences): void {
		this.#now = p;
		this.#events.emit("preferences", p);
	}

	only(names: ReadonlySet<string>): void {
		if (names.size === 0 && this.#now !== undecided) this.apply(undecided);
	}

	clear(): void {
		this.#now = undecided;
	}
}
