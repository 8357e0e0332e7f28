/** Typed events without a DOM. When a listener throws, the others are called all the same. */
export class Emitter<Events> {
	readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

	on<K extends keyof Events>(
		type: K,
		listener: (event: Events[K]) => void,
		o: { signal?: AbortSignal } = {},
	): () => void {
		const off = () => this.#listeners.get(type)?.delete(own);
		const own = (event: Events[K]) => listener(event);
		if (o.signal?.aborted) return off;
		let set = this.#listeners.get(type);
		if (!set) this.#listeners.set(type, (set = new Set()));
		set.add(own);
		o.signal?.addEventListener("abort", off, { once: true });
		return off;
	}

	emit<K extends keyof Events>(type: K, event: Events[K]): void {
		for (const listener of [...(this.#listeners.get(type) ?? [])]) {
			try {
				(listener as (event: Events[K]) => void)(event);
			} catch (err) {
				// It is an error of the page, and shows as an uncaught one.
				queueMicrotask(() => {
					throw err;
				});
			}
		}
	}

	clear(): void {
		this.#listeners.clear();
	}
}
