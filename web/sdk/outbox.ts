/**
 * Messages of mine that the server has not stored yet. A tab sends what was written in it, in order per destination;
 * what a dead tab left is sent by the tab that takes the lock. It does no harm when two tabs send the same one: the server
 * keeps one message per client id. A message leaves the outbox when it is answered, when it comes back as a change, or when
 * it was refused for good and the user discards it.
 */
import { Refusal, Unanswered } from "./errors.ts";
import { type OutboxStorage, openOutboxStorage, type QueuedMessage } from "./outbox.db.ts";
import type { OutboxJournal } from "./outbox.journal.ts";
import type { Delivery } from "./types.ts";
import { ignore, sleep } from "./wait.ts";
import type { Change, MessageSend } from "./wire.gen.ts";

/** Where no locks tell whether the tab that wrote a message lives, another tab sends it after this long. */
const orphanMs = 10_000;

export interface OutboxOptions {
	/** Sends over the best way there is. Fails with `Refusal` or `Unanswered`. */
	send(m: MessageSend, call: string | undefined, signal: AbortSignal): Promise<Change>;
	/** The server may be asked now. */
	ready(): boolean;
	/** A message of mine was stored, as this change says. */
	stored(c: Change, w: QueuedMessage): void;
	/** A message was added, changed or removed. */
	changed(w: QueuedMessage): void;
	tab(): string;
	/** Id of the direct conversation with a user, if it is known. */
	direct(user: string): string | undefined;
	inOneTab(job: string, work: () => Promise<void>): Promise<void>;
	livingTabs(): Promise<Set<string> | undefined>;
	random(): number;
	indexedDB: IDBFactory | undefined;
	journal: OutboxJournal;
}

interface Entry {
	readonly queued: QueuedMessage;
	state: Extract<Delivery, "queued" | "sending" | "unconfirmed" | "failed" | "sent">;
}

export class Outbox {
	readonly #o: OutboxOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #draining = new Set<string>();
	#storage: Promise<OutboxStorage> | undefined;
	#name = "";
	#newest = 0;
	#life = new AbortController();

	constructor(o: OutboxOptions) {
		this.#o = o;
	}

	/** Opens the storage of this server and user, with what earlier pages left on it. */
	async open(name: string): Promise<void> {
		if (name === this.#name) return;
		if (this.#name !== "") this.#drop();
		this.#name = name;
		this.#storage = openOutboxStorage(this.#o.indexedDB, name);
		this.#take(this.#o.journal.of(name));
		for (const { queued } of this.#entries.values()) {
			this.#o.journal.add(name, queued);
			ignore(this.#put(queued));
		}
		await this.#load(await this.#storage);
		// The welcome may have come before the storage was open.
		for (const e of this.#entries.values()) this.#drainSoon(this.#destination(e.queued));
	}

	add(w: QueuedMessage): void {
		// The time is also the order after a reload, so no two may have the same.
		w.at = this.#newest = Math.max(w.at, this.#newest + 1);
		this.#o.journal.add(this.#name, w);
		this.#entries.set(w.key, { queued: w, state: "queued" });
		this.#o.changed(w);
		ignore(this.#put(w));
		queueMicrotask(() => this.#drainSoon(this.#destination(w)));
	}

	/** Another tab wrote this message, and sends it; here it is shown at once. */
	mirror(w: QueuedMessage): void {
		if (this.#entries.has(w.key)) return;
		this.#entries.set(w.key, { queued: w, state: w.failed ? "failed" : "sending" });
		this.#o.changed(w);
	}

	retry(key: string): void {
		const e = this.#entries.get(key);
		if (e?.state !== "failed") return;
		const { failed: _, ...rest } = e.queued;
		this.add({ ...rest, tab: this.#o.tab() });
	}

	discard(key: string): void {
		this.#remove(key);
	}

	/** The server has stored it, as the welcome says. It is shown until it comes in its conversation. */
	accepted(key: string): void {
		const e = this.#entries.get(key);
		if (!e) return;
		this.#forget(key);
		this.#mark(e, "sent");
	}

	/** The server has stored it, and it has come. */
	settle(key: string | undefined): void {
		if (key !== undefined) this.#remove(key);
	}

	/** In the order in which they were written. */
	for(match: (w: QueuedMessage) => boolean): { queued: QueuedMessage; state: Delivery }[] {
		return [...this.#entries.values()].filter((e) => match(e.queued));
	}

	has(key: string): boolean {
		return this.#entries.has(key);
	}

	/** What was sent and not answered: the next hello asks about these. */
	pending(): string[] {
		return [...this.#entries.values()]
			.filter((e) => e.state === "unconfirmed" || e.state === "sending")
			.map((e) => e.queued.key)
			.slice(0, 100);
	}

	/** The connection is gone. */
	interrupted(): void {
		for (const e of this.#entries.values()) if (e.state === "sending") this.#mark(e, "unconfirmed");
	}

	/** After each welcome: sends what waits here, then what dead tabs left. */
	flush(): void {
		for (const e of this.#entries.values()) this.#drainSoon(this.#destination(e.queued));
		ignore(this.#o.inOneTab("outbox", () => this.#adopt()));
	}

	/** Sign-out: nothing of this user stays on the device. */
	async clear(): Promise<void> {
		const storage = this.#storage;
		this.#drop();
		this.#o.journal.clear();
		this.#name = "";
		this.#storage = undefined;
		await (await storage)?.clear().catch(() => {});
	}

	close(): void {
		this.#life.abort();
		void this.#storage?.then((s) => s.close());
	}

	#drop(): void {
		this.#life.abort();
		this.#life = new AbortController();
		const gone = [...this.#entries.values()];
		this.#entries.clear();
		for (const e of gone) this.#o.changed(e.queued);
	}

	async #load(storage: OutboxStorage): Promise<void> {
		this.#take(await storage.all().catch(() => []));
	}

	/** Messages that an earlier page or another tab wrote take their place among those that are here. */
	#take(written: QueuedMessage[]): void {
		const unknown = written.filter((w) => !this.#entries.has(w.key));
		if (unknown.length === 0) return;
		// They may have been sent before: the next hello asks.
		for (const w of unknown)
			this.#entries.set(w.key, { queued: w, state: w.failed ? "failed" : "unconfirmed" });
		const inOrder = [...this.#entries].sort(([, a], [, b]) => a.queued.at - b.queued.at);
		this.#entries.clear();
		for (const [key, e] of inOrder) this.#entries.set(key, e);
		for (const w of unknown) this.#o.changed(w);
	}

	/** Where this fails, as with a full disk, the message is sent all the same, and survives a reload of this tab only. */
	async #put(w: QueuedMessage): Promise<void> {
		const storage = await this.#storage;
		if (await storage?.put(w)) this.#o.journal.remove(w.key);
	}

	async #adopt(): Promise<void> {
		const storage = await this.#storage;
		if (!storage) return;
		await this.#load(storage);
		const livingTabs = await this.#o.livingTabs();
		const now = Date.now();
		for (const e of [...this.#entries.values()]) {
			const { tab, at } = e.queued;
			if (e.state === "failed" || e.state === "sent" || tab === this.#o.tab()) continue;
			if (livingTabs ? livingTabs.has(tab) : now - at < orphanMs) continue;
			e.queued.tab = this.#o.tab();
			if (e.state === "sending") e.state = "unconfirmed";
			this.#drainSoon(this.#destination(e.queued));
		}
	}

	/** Sends one at a time per destination, so that they arrive in the order in which they were written. */
	#drainSoon(name: string): void {
		if (this.#draining.has(name)) return;
		this.#draining.add(name);
		void this.#drain(name).finally(() => this.#draining.delete(name));
	}

	async #drain(name: string): Promise<void> {
		const life = this.#life.signal;
		for (let tries = 0; this.#o.ready() && !life.aborted; ) {
			const e = this.#next(name);
			if (!e) return;
			this.#mark(e, "sending");
			try {
				const change = await this.#o.send(request(e.queued), e.queued.call, life);
				// It takes its place in the transcript before it leaves the outbox.
				this.#o.stored(change, e.queued);
				this.#remove(e.queued.key);
				tries = 0;
				// The answer may have told which conversation the messages after it belong to.
				if (this.#destination(e.queued) !== name) this.#drainSoon(this.#destination(e.queued));
			} catch (err) {
				if (life.aborted || !this.#entries.has(e.queued.key)) continue;
				if (err instanceof Refusal && !err.temporary) this.#fail(e, err);
				else if (err instanceof Refusal) {
					this.#mark(e, "queued");
					const backoff = 500 + this.#o.random() * Math.min(20_000, 500 * 2 ** tries++);
					await sleep(err.retryMs || backoff, life).catch(() => {});
				} else {
					this.#mark(e, "unconfirmed");
					// After a loss of the connection the next welcome tries again. Any other error is a fault.
					if (!(err instanceof Unanswered)) throw err;
					return;
				}
			}
		}
	}

	/** The first for this destination, unless it is on its way already, under the name the destination had before. */
	#next(name: string): Entry | undefined {
		for (const e of this.#entries.values()) {
			if (
				e.state === "failed" ||
				e.state === "sent" ||
				e.queued.tab !== this.#o.tab() ||
				this.#destination(e.queued) !== name
			)
				continue;
			return e.state === "sending" ? undefined : e;
		}
		return undefined;
	}

	#destination(w: QueuedMessage): string {
		return w.conversation ?? this.#o.direct(w.to ?? "") ?? `to:${w.to}`;
	}

	#fail(e: Entry, err: Refusal): void {
		e.queued.failed = { code: err.code, message: err.message };
		ignore(this.#put(e.queued));
		this.#mark(e, "failed");
	}

	#mark(e: Entry, state: Entry["state"]): void {
		if (e.state === state || this.#entries.get(e.queued.key) !== e) return;
		e.state = state;
		this.#o.changed(e.queued);
	}

	#remove(key: string): void {
		const e = this.#entries.get(key);
		if (!e) return;
		this.#entries.delete(key);
		this.#forget(key);
		this.#o.changed(e.queued);
	}

	/** It is not to be sent any more, by whichever page. */
	#forget(key: string): void {
		this.#o.journal.remove(key);
		void this.#storage?.then((s) => s.delete(key)).catch(() => {});
	}
}

function request(w: QueuedMessage): MessageSend {
	const { key, conversation, to, kind, text, data, reply_to, mentions, forward, no_preview } = w;
	return {
		client_id: key,
		kind,
		...(conversation === undefined ? { to: to ?? "" } : { conversation }),
		...(text !== undefined && { text }),
		...(data !== undefined && { data }),
		...(reply_to !== undefined && { reply_to }),
		...(mentions !== undefined && { mentions }),
		...(forward !== undefined && { forward }),
		...(no_preview && { no_preview }),
	};
}
