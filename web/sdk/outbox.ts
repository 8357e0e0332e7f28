/**
 * Messages of mine that the server has not stored yet. A tab sends what was written in it, in order per destination;
 * what a dead tab left is sent by whoever takes the lock. Two tabs that send the same one do no harm: the server keeps
 * one message per client id. A message leaves the outbox when it is answered or echoed, or when it is refused for good and
 * the user drops it.
 */
import { Refusal, Unanswered } from "./errors.ts";
import { openShelf, type Shelf, type Waiting } from "./outbox.db.ts";
import type { Delivery } from "./types.ts";
import { ignore, sleep } from "./wait.ts";
import type { Message, MessageSend } from "./wire.gen.ts";

/** Another tab's message without a lock to tell whether that tab lives: ours to send after this long. */
const orphanMs = 10_000;

export interface OutboxOptions {
	/** Sends over the best way there is. Fails with `Refusal` or `Unanswered`. */
	send(m: MessageSend, call: string | undefined, signal: AbortSignal): Promise<Message>;
	/** The server may be asked now. */
	ready(): boolean;
	/** A message of mine was stored. */
	stored(m: Message): void;
	/** A row appeared, changed or went; name of its destination. */
	changed(w: Waiting): void;
	tab(): string;
	/** Id of the direct conversation with a user, if it is known. */
	direct(user: string): string | undefined;
	alone(job: string, work: () => Promise<void>): Promise<void>;
	alive(): Promise<Set<string> | undefined>;
	random(): number;
	indexedDB: IDBFactory | undefined;
}

interface Entry {
	readonly waiting: Waiting;
	state: Extract<Delivery, "queued" | "sending" | "unconfirmed" | "failed">;
}

export class Outbox {
	readonly #o: OutboxOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #lanes = new Set<string>();
	#shelf: Promise<Shelf> | undefined;
	#name = "";
	#newest = 0;
	#life = new AbortController();

	constructor(o: OutboxOptions) {
		this.#o = o;
	}

	/** Opens the shelf of this server and user, with what earlier pages left on it. */
	async open(name: string): Promise<void> {
		if (name === this.#name) return;
		if (this.#name !== "") this.#drop();
		this.#name = name;
		const early = [...this.#entries.values()];
		this.#shelf = openShelf(this.#o.indexedDB, name);
		const shelf = await this.#shelf;
		for (const e of early) ignore(shelf.put(e.waiting));
		await this.#load(shelf);
		// The greeting may have come before the stores did.
		for (const e of this.#entries.values()) this.#run(this.#lane(e.waiting));
	}

	add(w: Waiting): void {
		// Also the order after a reload: no two may bear the same time.
		w.at = this.#newest = Math.max(w.at, this.#newest + 1);
		this.#entries.set(w.key, { waiting: w, state: "queued" });
		this.#o.changed(w);
		void this.#put(w).then(() => this.#run(this.#lane(w)));
	}

	/** Another tab wrote it; shown here at once, sent there. */
	mirror(w: Waiting): void {
		if (this.#entries.has(w.key)) return;
		this.#entries.set(w.key, { waiting: w, state: w.failed ? "failed" : "sending" });
		this.#o.changed(w);
	}

	retry(key: string): void {
		const e = this.#entries.get(key);
		if (e?.state !== "failed") return;
		const { failed: _, ...rest } = e.waiting;
		this.add({ ...rest, tab: this.#o.tab() });
	}

	discard(key: string): void {
		this.#remove(key);
	}

	/** It is in a history: by answer, by echo, or by the greeting's `accepted`. */
	settle(key: string | undefined): void {
		if (key !== undefined) this.#remove(key);
	}

	/** In the order in which they were written. */
	for(match: (w: Waiting) => boolean): { waiting: Waiting; state: Delivery }[] {
		return [...this.#entries.values()].filter((e) => match(e.waiting));
	}

	has(key: string): boolean {
		return this.#entries.has(key);
	}

	/** Sent once and without an answer: hello asks about these. */
	pending(): string[] {
		return [...this.#entries.values()]
			.filter((e) => e.state === "unconfirmed" || e.state === "sending")
			.map((e) => e.waiting.key)
			.slice(0, 100);
	}

	/** The connection is gone. */
	interrupted(): void {
		for (const e of this.#entries.values()) if (e.state === "sending") this.#mark(e, "unconfirmed");
	}

	/** After each greeting: sends what waits here, then what dead tabs left. */
	flush(): void {
		for (const e of this.#entries.values()) this.#run(this.#lane(e.waiting));
		ignore(this.#o.alone("outbox", () => this.#adopt()));
	}

	/** Sign-out: nothing of this user stays on the device. */
	async clear(): Promise<void> {
		const shelf = await this.#shelf;
		this.#drop();
		await shelf?.clear().catch(() => {});
		this.#name = "";
	}

	close(): void {
		this.#life.abort();
		void this.#shelf?.then((s) => s.close());
	}

	#drop(): void {
		this.#life.abort();
		this.#life = new AbortController();
		const gone = [...this.#entries.values()];
		this.#entries.clear();
		for (const e of gone) this.#o.changed(e.waiting);
	}

	async #load(shelf: Shelf): Promise<void> {
		const held = await shelf.all().catch(() => []);
		for (const w of held.sort((a, b) => a.at - b.at)) {
			if (this.#entries.has(w.key)) continue;
			// It may have been sent: the next hello asks.
			this.#entries.set(w.key, { waiting: w, state: w.failed ? "failed" : "unconfirmed" });
			this.#o.changed(w);
		}
	}

	async #put(w: Waiting): Promise<void> {
		// A full disk costs survival of a reload, not the message.
		await (await this.#shelf)?.put(w).catch(() => {});
	}

	async #adopt(): Promise<void> {
		const shelf = await this.#shelf;
		if (!shelf) return;
		await this.#load(shelf);
		const alive = await this.#o.alive();
		const now = Date.now();
		for (const e of [...this.#entries.values()]) {
			const { tab, at } = e.waiting;
			if (e.state === "failed" || tab === this.#o.tab()) continue;
			if (alive ? alive.has(tab) : now - at < orphanMs) continue;
			e.waiting.tab = this.#o.tab();
			if (e.state === "sending") e.state = "unconfirmed";
			this.#run(this.#lane(e.waiting));
		}
	}

	/** One at a time per destination, so that they arrive in the order in which they were written. */
	#run(name: string): void {
		if (this.#lanes.has(name)) return;
		this.#lanes.add(name);
		void this.#drain(name).finally(() => this.#lanes.delete(name));
	}

	async #drain(name: string): Promise<void> {
		const life = this.#life.signal;
		for (let tries = 0; this.#o.ready() && !life.aborted; ) {
			const e = this.#next(name);
			if (!e) return;
			this.#mark(e, "sending");
			try {
				const m = await this.#o.send(request(e.waiting), e.waiting.call, life);
				this.#remove(e.waiting.key);
				this.#o.stored(m);
				tries = 0;
				// The answer may have told the conversation of what waits behind it.
				if (this.#lane(e.waiting) !== name) this.#run(this.#lane(e.waiting));
			} catch (err) {
				if (life.aborted || !this.#entries.has(e.waiting.key)) continue;
				if (err instanceof Refusal && !err.temporary) this.#fail(e, err);
				else if (err instanceof Refusal) {
					this.#mark(e, "queued");
					const backoff = 500 + this.#o.random() * Math.min(20_000, 500 * 2 ** tries++);
					await sleep(err.retryMs || backoff, life).catch(() => {});
				} else {
					this.#mark(e, "unconfirmed");
					// With the connection, the next greeting tries again; without a loss this is not the network.
					if (!(err instanceof Unanswered)) throw err;
					return;
				}
			}
		}
	}

	/** The first of this lane, unless it is under way already, from when its lane had another name. */
	#next(name: string): Entry | undefined {
		for (const e of this.#entries.values()) {
			if (e.state === "failed" || e.waiting.tab !== this.#o.tab() || this.#lane(e.waiting) !== name) continue;
			return e.state === "sending" ? undefined : e;
		}
		return undefined;
	}

	#lane(w: Waiting): string {
		return w.conversation ?? this.#o.direct(w.to ?? "") ?? `to:${w.to}`;
	}

	#fail(e: Entry, err: Refusal): void {
		e.waiting.failed = { code: err.code, message: err.message };
		void this.#put(e.waiting);
		this.#mark(e, "failed");
	}

	#mark(e: Entry, state: Entry["state"]): void {
		if (e.state === state || this.#entries.get(e.waiting.key) !== e) return;
		e.state = state;
		this.#o.changed(e.waiting);
	}

	#remove(key: string): void {
		const e = this.#entries.get(key);
		if (!e) return;
		this.#entries.delete(key);
		void this.#shelf?.then((s) => s.delete(key)).catch(() => {});
		this.#o.changed(e.waiting);
	}
}

function request({ key, conversation, to, kind, text, data }: Waiting): MessageSend {
	return {
		client_id: key,
		kind,
		...(conversation === undefined ? { to: to ?? "" } : { conversation }),
		...(text !== undefined && { text }),
		...(data !== undefined && { data }),
	};
}
