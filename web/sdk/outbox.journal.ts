/**
 * Messages in the moment between Enter and IndexedDB, in `sessionStorage`: that is written at once, so that a reload in
 * this moment loses nothing. It lives as long as the tab.
 */
import type { QueuedMessage } from "./outbox.db.ts";
import { get, put, remove } from "./storage.ts";

/** `name` holds server and user. It is empty while nobody is known: then the message is that of who signs in here. */
interface Line {
	name: string;
	queued: QueuedMessage;
}

export class OutboxJournal {
	readonly #storage: Storage | undefined;
	readonly #key: string;

	constructor(storage: Storage | undefined, prefix: string, server: string) {
		this.#storage = storage;
		this.#key = `${prefix}:outbox:${server}`;
	}

	add(name: string, queued: QueuedMessage): void {
		this.#write([...this.#lines().filter((l) => l.queued.key !== queued.key), { name, queued }]);
	}

	remove(key: string): void {
		const lines = this.#lines();
		const others = lines.filter((l) => l.queued.key !== key);
		if (others.length < lines.length) this.#write(others);
	}

	/** What this user wrote, and what was written before anybody was known. */
	of(name: string): QueuedMessage[] {
		return this.#lines()
			.filter((l) => l.name === name || l.name === "")
			.map((l) => l.queued);
	}

	clear(): void {
		remove(this.#storage, this.#key);
	}

	#lines(): Line[] {
		try {
			return JSON.parse(get(this.#storage, this.#key) ?? "[]") as Line[];
		} catch {
			return []; // not written by us
		}
	}

	#write(lines: Line[]): void {
		if (lines.length > 0) put(this.#storage, this.#key, JSON.stringify(lines));
		else this.clear();
	}
}
