/** Whom I added, wrote to or called: who may ring me where the server lets only contacts. The server keeps them. */
import type { Emitter } from "./emitter.ts";
import type { OwnStore } from "./own.ts";
import type { TabSocket } from "./socket.ts";
import type { ClientEvents, Contacts } from "./types.ts";
import type { Contact, User } from "./wire.gen.ts";

export class ContactList implements Contacts, OwnStore<Contact> {
	readonly #socket: TabSocket;
	readonly #events: Emitter<ClientEvents>;
	readonly #known = new Map<string, Contact>();

	constructor(socket: TabSocket, events: Emitter<ClientEvents>) {
		this.#socket = socket;
		this.#events = events;
	}

	list(): readonly User[] {
		return [...this.#known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
	}

	async add(user: string, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("contact.add", { user }, signal);
	}

	async remove(user: string, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("contact.remove", { user }, signal);
	}

	apply(c: Contact): void {
		if (c.gone) this.#known.delete(c.id);
		else this.#known.set(c.id, c);
		this.#events.emit("contact", c);
	}

	only(users: ReadonlySet<string>): void {
		for (const c of this.#known.values()) if (!users.has(c.id)) this.apply({ ...c, gone: true });
	}

	clear(): void {
		this.#known.clear();
	}
}
