/** Users: their presence, as far as someone watches it, and their profiles. */
import type { Emitter } from "./emitter.ts";
import { Refusal } from "./errors.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, PresenceStore } from "./types.ts";
import { ignore, waitFor } from "./wait.ts";
import { Watched } from "./watched.ts";
import type { Presence, User } from "./wire.gen.ts";

export class People implements PresenceStore {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #presence = new Map<string, Presence>();
	readonly #watched: Watched;
	readonly #profiles = new Map<string, User>();
	/** What is asked for now, once for all who want it. */
	readonly #fetching = new Map<string, Promise<User>>();

	constructor(socket: TabSocket, events: Emitter<ClientEvents>) {
		this.#socket = socket;
		this.#events = events;
		this.#watched = new Watched(socket, async (users) => {
			const answer = await socket.request("presence.watch", { users });
			for (const p of answer.users) this.set(p);
		});
	}

	get(user: string): Presence | undefined {
		return this.#presence.get(user);
	}

	watch(users: readonly string[], signal: AbortSignal): void {
		this.#watched.add(users, signal);
	}

	/** After a welcome: the new connection watches nobody yet. */
	greeted(): void {
		this.#watched.greeted();
	}

	set(p: Presence): void {
		const old = this.#presence.get(p.user);
		this.#presence.set(p.user, p);
		if (old?.state !== p.state || old.last_seen !== p.last_seen) this.#events.emit("presence", p);
	}

	/** Profiles that came with something else, as they are now. */
	learn(users: readonly User[]): void {
		for (const { id, name, picture, guest } of users)
			this.#profiles.set(id, { id, name, ...(picture && { picture }), ...(guest && { guest }) });
	}

	known(id: string): User | undefined {
		return this.#profiles.get(id);
	}

	/** Who is not known is asked for; `profile` tells when they are. */
	find(id: string): User | undefined {
		const known = this.#profiles.get(id);
		if (!known && !this.#fetching.has(id) && this.#socket.greeted)
			ignore(this.fetch(id).then((u) => this.#events.emit("profile", u)));
		return known;
	}

	async fetch(id: string, signal?: AbortSignal): Promise<User> {
		const known = this.#profiles.get(id);
		if (known) return known;
		let fetching = this.#fetching.get(id);
		if (!fetching) {
			fetching = this.#socket.requestUntilAnswered("user.get", { user: id }).then(
				(u) => {
					this.learn([u]);
					this.#fetching.delete(id);
					return u;
				},
				(err) => {
					// Whoever was refused is not asked for again at each drawing.
					if (!(err instanceof Refusal)) this.#fetching.delete(id);
					throw err;
				},
			);
			this.#fetching.set(id, fetching);
			ignore(fetching);
		}
		return waitFor(fetching, signal);
	}

	clear(): void {
		this.#presence.clear();
		this.#profiles.clear();
		this.#fetching.clear();
	}
}
