export type Listener = (detail: unknown) => void;

/** Listeners of a site, by type of event. When one throws, the page sees it as an uncaught error, and the others hear all the same. */
export class Listeners {
	readonly #byType = new Map<string, Set<Listener>>();

	add(type: string, listener: Listener): void {
		let all = this.#byType.get(type);
		if (!all) this.#byType.set(type, (all = new Set()));
		all.add(listener);
	}

	remove(type: string, listener: Listener): void {
		this.#byType.get(type)?.delete(listener);
	}

	call(type: string, detail: unknown): void {
		for (const listener of [...(this.#byType.get(type) ?? [])]) {
			try {
				listener(detail);
			} catch (error) {
				reportError(error);
			}
		}
	}
}
