/** What the pages of one browser profile share: Web Locks and a BroadcastChannel, played in memory. */

interface Request {
	readonly page: string;
	/** Ends with what the page does under the lock, or with the page. */
	readonly run: () => Promise<void>;
	readonly kill: () => void;
}

export class FakeLocks {
	/** By name: who has the lock, then who waits for it. */
	readonly #queues = new Map<string, Request[]>();

	/** The locks as one page has them. */
	of(page: string): LockManager {
		const request = (name: string, ...rest: unknown[]) => {
			const work = rest.at(-1) as (lock: object | null) => unknown;
			const options = (rest.length > 1 ? rest[0] : {}) as LockOptions;
			return this.#request(page, name, options, work);
		};
		return { request, query: async () => this.#query() } as unknown as LockManager;
	}

	/** A page ends without a word, and with it all that it has and waits for. */
	kill(page: string): void {
		for (const queue of this.#queues.values()) for (const r of queue.filter((x) => x.page === page)) r.kill();
	}

	async #request(page: string, name: string, o: LockOptions, work: (lock: object | null) => unknown) {
		const queue = this.#queues.get(name) ?? [];
		this.#queues.set(name, queue);
		if (o.ifAvailable && queue.length > 0) return work(null);
		o.signal?.throwIfAborted();
		return new Promise((resolve, reject) => {
			const leave = () => {
				const first = queue[0] === request;
				queue.splice(queue.indexOf(request), 1);
				if (first) void queue[0]?.run();
			};
			let kill = () => {};
			const killed = new Promise<void>((done) => {
				kill = done;
			});
			const request: Request = {
				page,
				run: async () => {
					resolve(await Promise.race([work({ name }), killed]));
					leave();
				},
				kill: () => (queue[0] === request ? kill() : leave()),
			};
			const abort = () => {
				if (queue[0] === request || !queue.includes(request)) return;
				leave();
				reject(o.signal?.reason);
			};
			o.signal?.addEventListener("abort", abort);
			queue.push(request);
			if (queue[0] === request) void request.run();
		});
	}

	#query(): LockManagerSnapshot {
		const held = [...this.#queues].flatMap(([name, queue]) => (queue[0] ? [{ name }] : []));
		return { held, pending: [] };
	}
}

/** The channels of one profile, by name. */
export class FakeChannels {
	readonly #open = new Set<FakeChannel>();

	create(name: string): BroadcastChannel {
		const channel = new FakeChannel(name, this.#open);
		this.#open.add(channel);
		return channel as unknown as BroadcastChannel;
	}
}

class FakeChannel {
	onmessage: ((e: { data: unknown }) => void) | null = null;
	readonly #name: string;
	readonly #open: Set<FakeChannel>;

	constructor(name: string, open: Set<FakeChannel>) {
		this.#name = name;
		this.#open = open;
	}

	postMessage(data: unknown): void {
		for (const other of this.#open)
			if (other !== this && other.#name === this.#name) queueMicrotask(() => other.onmessage?.({ data }));
	}

	close(): void {
		this.#open.delete(this);
	}
}
