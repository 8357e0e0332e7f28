/** Who types. It is sent at most every 3 s and believed for 6 s, so that a tab that dies while its user types stops typing. */
import type { Emitter } from "./emitter.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents } from "./types.ts";
import type { Typing } from "./wire.gen.ts";

const repeatMs = 3000;
const believeMs = 6000;

export class TypingStore {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #said = new Map<string, number>();
	/** conversation → user → timer that ends it. */
	readonly #typists = new Map<string, Map<string, ReturnType<typeof setTimeout>>>();

	constructor(socket: TabSocket, events: Emitter<ClientEvents>) {
		this.#socket = socket;
		this.#events = events;
	}

	say(conversation: string, on: boolean): void {
		const now = performance.now();
		const said = this.#said.get(conversation);
		if (on ? said !== undefined && now - said < repeatMs : said === undefined) return;
		if (on) this.#said.set(conversation, now);
		else this.#said.delete(conversation);
		this.#socket.notify("typing", { conversation, on });
	}

	received(t: Typing, me: string): void {
		const { conversation, user, on } = t;
		if (!user || user === me) return;
		let users = this.#typists.get(conversation);
		if (!users) this.#typists.set(conversation, (users = new Map()));
		clearTimeout(users.get(user));
		users.delete(user);
		if (on)
			users.set(
				user,
				setTimeout(() => this.received({ conversation, user, on: false }, me), believeMs),
			);
		this.#events.emit("typing", t);
	}

	/** A message ends its writer's typing. */
	wrote(conversation: string, user: string, me: string): void {
		if (this.#typists.get(conversation)?.has(user)) this.received({ conversation, user, on: false }, me);
	}

	list(conversation: string): string[] {
		return [...(this.#typists.get(conversation)?.keys() ?? [])];
	}

	clear(): void {
		for (const users of this.#typists.values()) for (const timer of users.values()) clearTimeout(timer);
		this.#typists.clear();
		this.#said.clear();
	}
}
