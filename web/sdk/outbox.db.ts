/** Where messages wait that the server has not stored yet: IndexedDB, or memory where that is refused. */
import type { Code, Kind, MessageRef } from "./wire.gen.ts";

/** One message on its way. */
export interface QueuedMessage {
	/** The client id: unique per user, the key of exactly-once. */
	key: string;
	conversation?: string;
	/** The other in a direct conversation. Goes to the server only while the conversation is not known. */
	to?: string;
	kind: Kind;
	text?: string;
	data?: unknown;
	/** Seq of the message that it answers. */
	reply_to?: number;
	mentions?: string[];
	/** It holds what this message holds. */
	forward?: MessageRef;
	/** The sender wants no preview of the link in it. */
	no_preview?: boolean;
	/** The call in whose view it was written. */
	call?: string;
	/** The tab that wrote it. */
	tab: string;
	/** Unix ms by this device's clock; for order and for show until the server has stored it. */
	at: number;
	failed?: { code: Code; message: string };
}

export interface OutboxStorage {
	all(): Promise<QueuedMessage[]>;
	/** Tells whether the message outlives the page now. */
	put(w: QueuedMessage): Promise<boolean>;
	delete(key: string): Promise<void>;
	clear(): Promise<void>;
	close(): void;
}

/** `name` holds server and user: what one user wrote is never sent as another. */
export async function openOutboxStorage(idb: IDBFactory | undefined, name: string): Promise<OutboxStorage> {
	if (!idb) return memory();
	try {
		const open = idb.open(name, 1);
		open.onupgradeneeded = () => open.result.createObjectStore("outbox", { keyPath: "key" });
		const db = await done(open);
		// Another tab deletes the database at sign-out: do not stand in its way.
		db.onversionchange = () => db.close();
		return new Database(db);
	} catch {
		return memory();
	}
}

class Database implements OutboxStorage {
	readonly #db: IDBDatabase;

	constructor(db: IDBDatabase) {
		this.#db = db;
	}

	all(): Promise<QueuedMessage[]> {
		return done(this.#store("readonly").getAll() as IDBRequest<QueuedMessage[]>);
	}

	put(w: QueuedMessage): Promise<boolean> {
		const store = this.#store("readwrite");
		store.put(w);
		const { transaction } = store;
		return new Promise((resolve, reject) => {
			transaction.oncomplete = () => resolve(true);
			transaction.onabort = () => reject(transaction.error);
		});
	}

	async delete(key: string): Promise<void> {
		await done(this.#store("readwrite").delete(key));
	}

	async clear(): Promise<void> {
		await done(this.#store("readwrite").clear());
	}

	close(): void {
		this.#db.close();
	}

	#store(mode: IDBTransactionMode): IDBObjectStore {
		return this.#db.transaction("outbox", mode).objectStore("outbox");
	}
}

function memory(): OutboxStorage {
	const messages = new Map<string, QueuedMessage>();
	return {
		all: async () => [...messages.values()],
		put: async (w) => {
			messages.set(w.key, w);
			return false;
		},
		delete: async (key) => void messages.delete(key),
		clear: async () => messages.clear(),
		close: () => {},
	};
}

function done<T>(request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}
