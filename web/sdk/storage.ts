/** Reading and writing of `localStorage` and `sessionStorage`, which may be missing, full or forbidden. */

/** Undefined where the browser has none, or the user has blocked it. */
export const local = (): Storage | undefined => attempt(() => globalThis.localStorage);
export const session = (): Storage | undefined => attempt(() => globalThis.sessionStorage);

/** Undefined when there is no such thing. To touch what the user has blocked throws. */
export function attempt<T>(touch: () => T | undefined): T | undefined {
	try {
		return touch() ?? undefined;
	} catch {
		return undefined;
	}
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

/** The value stored under `key`; if there is none, `make` makes it. */
export function getOrMake(storage: Storage | undefined, key: string, make: () => string): string {
	const stored = get(storage, key);
	if (stored) return stored;
	const made = make();
	put(storage, key, made);
	return made;
}
