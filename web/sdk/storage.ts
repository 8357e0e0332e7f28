/** Reading and writing of `localStorage` and `sessionStorage`, which may be missing, full or forbidden. */

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
