/** What several parts of a page watch at once. The server hears of all of it together, and each time that it changes. */
import { Refusal } from "./errors.ts";
import type { TabSocket } from "./socket.ts";

export class Watched {
	readonly #socket: TabSocket;
	readonly #say: (ids: string[]) => Promise<void>;
	/** How many watch each, the latest last. */
	readonly #counts = new Map<string, number>();
	#soon = false;

	/** `say` tells the server. */
	constructor(socket: TabSocket, say: (ids: string[]) => Promise<void>) {
		this.#socket = socket;
		this.#say = say;
	}

	add(ids: readonly string[], signal: AbortSignal): void {
		if (signal.aborted) return;
		const count = (n: number) => {
			for (const id of ids) {
				const counted = (this.#counts.get(id) ?? 0) + n;
				this.#counts.delete(id);
				if (counted > 0) this.#counts.set(id, counted);
			}
			this.#tell();
		};
		count(1);
		signal.addEventListener("abort", () => count(-1), { once: true });
	}

	/** After a welcome: the new connection watches nothing yet. */
	greeted(): void {
		if (this.#counts.size > 0) this.#tell();
	}

	/** Once per turn of the event loop, however many began to watch in it. */
	#tell(): void {
		if (this.#soon) return;
		this.#soon = true;
		queueMicrotask(() => {
			this.#soon = false;
			if (!this.#socket.greeted) return; // the welcome tells it
			this.#say([...this.#counts.keys()]).catch((err) => {
				// A refusal for the moment passes; without an answer it is told after the next welcome.
				if (err instanceof Refusal && err.retryMs > 0) setTimeout(() => this.#tell(), err.retryMs);
			});
		});
	}
}
