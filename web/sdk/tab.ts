/**
 * Which tab and which device this is.
 *
 * The tab id lives in `sessionStorage` and survives a reload. Duplicating a tab and `window.open` copy that storage, so
 * a page first takes the Web Lock `tab:<id>`; who does not get it is a copy, makes a new id, and does not believe what
 * else it finds in the storage (leg secrets carry the id of their tab). A reload may overtake the release of the old page's
 * lock, therefore the short wait. Without Web Locks a mark that only `pagehide` leaves tells a reload from a copy.
 */
import type { Environment } from "./environment.ts";

const patienceMs = 300;

export interface Tab {
	readonly id: string;
	readonly device: string;
	/** Resolves when the id is surely ours alone. */
	settled(): Promise<void>;
	/** At pagehide: the lock would keep the page out of the bfcache, and the next page waits for it. */
	release(): void;
}

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
	readonly device: string;
	readonly #env: Environment;
	readonly #key: string;
	#settled: Promise<void> | undefined;
	#drop: (() => void) | undefined;

	constructor(env: Environment, prefix: string) {
		this.#env = env;
		this.#key = `${prefix}:tab`;
		this.device = keep(env.localStorage, `${prefix}:device`, () => env.id());
		const stored = get(env.sessionStorage, this.#key);
		const copied = !env.locks && get(env.sessionStorage, `${this.#key}:left`) === undefined;
		this.id = stored && !copied ? stored : env.id();
		this.#store();
	}

	settled(): Promise<void> {
		this.#settled ??= this.#claim();
		return this.#settled;
	}

	release(): void {
		put(this.#env.sessionStorage, `${this.#key}:left`, "1");
		this.#drop?.();
		this.#drop = undefined;
		this.#settled = undefined;
	}

	async #claim(): Promise<void> {
		if (this.#env.locks && !(await this.#lock())) {
			this.id = this.#env.id();
			await this.#lock();
		}
		this.#store();
	}

	/** True when we hold `tab:<id>`; it is held until release or the page's end. */
	async #lock(): Promise<boolean> {
		return hold(this.#env.locks, `tab:${this.id}`, AbortSignal.timeout(patienceMs)).then(
			(drop) => {
				this.#drop = drop;
				return true;
			},
			() => false,
		);
	}

	#store(): void {
		put(this.#env.sessionStorage, this.#key, this.id);
		remove(this.#env.sessionStorage, `${this.#key}:left`);
	}
}

/** Takes a Web Lock and resolves with what gives it back. Waits until `signal` says no. */
export function hold(locks: LockManager | undefined, name: string, signal: AbortSignal): Promise<() => void> {
	return new Promise((resolve, reject) => {
		if (!locks) return resolve(() => {});
		locks.request(name, { signal }, () => new Promise<void>((release) => resolve(release))).catch(reject);
	});
}

export function get(storage: Storage | undefined, key: string): string | undefined {
	try {
		return storage?.getItem(key) ?? undefined;
	} catch {
		return undefined;
	}
}

/** A full or forbidden storage costs comfort, never a message: the caller goes on from memory. */
export function put(storage: Storage | undefined, key: string, value: string): void {
	try {
		storage?.setItem(key, value);
	} catch {}
}

export function remove(storage: Storage | undefined, key: string): void {
	try {
		storage?.removeItem(key);
	} catch {}
}

function keep(storage: Storage | undefined, key: string, make: () => string): string {
	const old = get(storage, key);
	if (old) return old;
	const made = make();
	put(storage, key, made);
	return made;
}
