/**
 * Which tab this is, and whether this page may go on where an earlier page of its tab ended.
 *
 * These ids are for the pages of this browser profile only. Under which ids a page speaks to a server is said by `who.ts`.
 *
 * The tab id lives in `sessionStorage` and survives a reload. Duplicating a tab and `window.open` copy that storage, so a
 * copy begins with the id of a page that lives. Each page therefore holds the Web Lock `tab:<id>`. Who finds it taken is a
 * copy, or was reloaded so quickly that the browser has not released the lock of the page before: it waits a little, then
 * goes on under a new id. A reload loses nothing by that, for the legs in its storage are decided later (`mayTakeOver`),
 * when the lock of their tab is released and the page before is surely gone. Two facts tell then what this page is:
 *
 * - A page that goes leaves a mark in its storage. The next page of the same tab sees it, a copy has a storage of its own.
 * - A page that lives answers on a BroadcastChannel. One that was killed left no mark, and answers nobody.
 *
 * Without Web Locks the mark alone tells a reload from a copy.
 */
import type { Environment } from "./environment.ts";
import { acquire, acquireIfFree } from "./lock.ts";
import { get, put, remove } from "./storage.ts";
import { abortAfter, sleep } from "./wait.ts";

/** How long a page waits for the lock of its stored id before it takes a new id. */
const lockWaitMs = 300;
/** How often a page that waits for another's lock asks whether that page lives. */
const askMs = 1000;
/** The mark of a page in another process may be seen this much later than the release of its lock. */
const markWaitMs = 1000;

export interface Tab {
	readonly id: string;
	/** Resolves when the id belongs to this page alone. */
	settled(): Promise<void>;
	/**
	 * Waits until the page that had a tab id is gone. Resolves with true when it was the page before this one, so that its
	 * legs are ours; with false when this page is a copy of it. Fails when the signal aborts.
	 */
	mayTakeOver(tab: string, signal: AbortSignal): Promise<boolean>;
	/** At pagehide: the locks would keep the page out of the back/forward cache, and the next page waits for them. */
	release(): void;
}

/** A question whether the page of a tab lives, or the answer that it does. */
type Message = { readonly asks: string } | { readonly lives: string };

const shared = new WeakMap<object, Tab>();

/** One identity per page, whatever number of clients it has. */
export function tabOf(env: Environment, prefix: string): Tab {
	const owner: object = env.sessionStorage ?? env;
	let tab = shared.get(owner);
	if (!tab) shared.set(owner, (tab = new PageTab(env, prefix)));
	return tab;
}

class PageTab implements Tab {
	id: string;
	readonly #env: Environment;
	readonly #prefix: string;
	readonly #key: string;
	#settled: Promise<void> | undefined;
	/** Releases the lock of the own id. */
	#releaseLock: (() => void) | undefined;
	#channel: BroadcastChannel | undefined;
	/** Tab ids whose page has answered here. */
	readonly #seenAlive = new Set<string>();

	constructor(env: Environment, prefix: string) {
		this.#env = env;
		this.#prefix = prefix;
		this.#key = `${prefix}:tab`;
		const stored = get(env.sessionStorage, this.#key);
		this.id = stored && (env.locks || this.#hasLeft(stored)) ? stored : env.id();
		this.#store();
	}

	settled(): Promise<void> {
		this.#settled ??= this.#settle();
		return this.#settled;
	}

	async mayTakeOver(tab: string, signal: AbortSignal): Promise<boolean> {
		await this.settled();
		signal.throwIfAborted();
		if (tab === this.id) return true;
		if (!this.#env.locks) return false;
		this.#say({ asks: tab });
		const asking = setInterval(() => this.#say({ asks: tab }), askMs);
		const release = await acquire(this.#env.locks, `tab:${tab}`, signal).finally(() => clearInterval(asking));
		// Others may wait for it too. That it was released is all there is to know.
		release();
		return this.#wasBefore(tab, signal);
	}

	release(): void {
		put(this.#env.sessionStorage, this.#mark(this.id), "1");
		this.#releaseLock?.();
		this.#releaseLock = undefined;
		this.#channel?.close();
		this.#channel = undefined;
		this.#settled = undefined;
	}

	async #settle(): Promise<void> {
		const { locks } = this.#env;
		if (locks) {
			this.#open();
			this.#releaseLock = (await acquireIfFree(locks, `tab:${this.id}`)) ?? (await this.#acquireLate(locks));
			if (!this.#releaseLock) {
				this.id = this.#env.id();
				this.#releaseLock = await acquireIfFree(locks, `tab:${this.id}`);
			}
		}
		this.#store();
	}

	/** The lock of the own id after a short wait, or undefined when it stays taken, or when this page is a copy. */
	async #acquireLate(locks: LockManager): Promise<(() => void) | undefined> {
		this.#say({ asks: this.id });
		try {
			const release = await acquire(locks, `tab:${this.id}`, abortAfter(lockWaitMs));
			if (!this.#seenAlive.has(this.id) || this.#hasLeft(this.id)) return release;
			release();
		} catch {
			// It stays taken.
		}
		return undefined;
	}

	/** Whether a page that is gone was the one before this. One that was killed has left no mark, and never answered. */
	async #wasBefore(tab: string, signal: AbortSignal): Promise<boolean> {
		if (!this.#seenAlive.has(tab)) return true;
		for (let waited = 0; !this.#hasLeft(tab) && waited < markWaitMs; waited += 100) await sleep(100, signal);
		return this.#hasLeft(tab);
	}

	#mark(tab: string): string {
		return `${this.#key}:left:${tab}`;
	}

	#hasLeft(tab: string): boolean {
		return get(this.#env.sessionStorage, this.#mark(tab)) !== undefined;
	}

	/** Answers pages that ask for this one, and notes who answers. */
	#open(): void {
		this.#channel = this.#env.channel?.(`${this.#prefix}:tabs`);
		if (!this.#channel) return;
		this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
			if ("lives" in data) this.#seenAlive.add(data.lives);
			else if (data.asks === this.id && this.#releaseLock) this.#say({ lives: this.id });
		};
	}

	#say(message: Message): void {
		this.#channel?.postMessage(message);
	}

	#store(): void {
		put(this.#env.sessionStorage, this.#key, this.id);
		remove(this.#env.sessionStorage, this.#mark(this.id));
	}
}
