/** Asks for heads of conversations: for many at once, and again when an answer was overtaken by something newer. */
import { Refusal, Unanswered } from "./errors.ts";
import type { TabSocket } from "./socket.ts";
import type { Conversation } from "./types.ts";
import { ignore, waitFor } from "./wait.ts";
import type { Conversations as Answer, Conversation as WireConversation } from "./wire.gen.ts";

export interface HeadRequestOptions {
	socket: TabSocket;
	random: () => number;
	get(id: string): Conversation | undefined;
	/** The highest pos of a conversation's feed that was told of. */
	told(id: string): number | undefined;
	/** A head has come; `told` as it was when it was asked for, undefined if that was of another history. */
	received(c: WireConversation, told: number | undefined): void;
	/** There is no such conversation, or it is not mine. */
	missing(id: string): void;
	/** All heads of an answer have been taken. */
	answered(): void;
}

/** So many heads are asked for at once. */
const askedMost = 100;

export class HeadRequests {
	readonly #o: HeadRequestOptions;
	/** Those that are asked for next. */
	readonly #wanted = new Set<string>();
	/** By conversation: how often its head was asked for since it was last up to date. */
	readonly #tries = new Map<string, number>();
	/** By conversation: who waits for it. */
	readonly #fetching = new Map<string, PromiseWithResolvers<Conversation>>();
	/** How often something was told of another history. */
	#histories = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#at = 0;
	#life = new AbortController();

	constructor(o: HeadRequestOptions) {
		this.#o = o;
	}

	/** No head is wanted. */
	get idle(): boolean {
		return this.#wanted.size === 0;
	}

	fetch(id: string, signal?: AbortSignal): Promise<Conversation> {
		let fetching = this.#fetching.get(id);
		if (!fetching) {
			this.#fetching.set(id, (fetching = promise()));
			ignore(fetching.promise);
			this.want(id, 0);
		}
		return waitFor(fetching.promise, signal);
	}

	/** Asks for a head after `ms`, together with all others that are wanted then. */
	want(id: string, ms = this.#untilAsked(id)): void {
		this.#wanted.add(id);
		const at = performance.now() + ms;
		if (this.#timer !== undefined && this.#at <= at) return;
		clearTimeout(this.#timer);
		this.#at = at;
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			void this.#ask(this.#life.signal);
		}, ms);
	}

	/** The head is up to date. */
	settled(id: string): void {
		// Who fetches it waits for an answer all the same.
		if (!this.#fetching.has(id)) this.#wanted.delete(id);
		this.#tries.delete(id);
	}

	/** The conversation is not mine any more. */
	forget(id: string): void {
		this.#wanted.delete(id);
	}

	/** What was told until now is of another history. */
	diverged(): void {
		this.#histories++;
	}

	clear(): void {
		this.#life.abort();
		this.#life = new AbortController();
		clearTimeout(this.#timer);
		this.#timer = undefined;
		for (const fetching of this.#fetching.values()) fetching.reject(new Unanswered("signed out"));
		this.#fetching.clear();
		this.#wanted.clear();
		this.#tries.clear();
	}

	/** Spread over tabs, and longer each time that the answer was overtaken by something newer. */
	#untilAsked(id: string): number {
		return Math.min(10_000, (50 + this.#o.random() * 150) * 2 ** (this.#tries.get(id) ?? 0));
	}

	async #ask(life: AbortSignal): Promise<void> {
		const ids = [...this.#wanted].slice(0, askedMost);
		if (ids.length === 0) return;
		const history = this.#histories;
		const told = new Map(ids.map((id) => [id, this.#o.told(id)]));
		for (const id of ids) {
			this.#wanted.delete(id);
			this.#tries.set(id, (this.#tries.get(id) ?? 0) + 1);
		}
		for (const id of this.#wanted) this.want(id, 0); // too many for one request
		const { socket } = this.#o;
		try {
			const answer = await socket.requestUntilAnswered("conversation.get", { conversations: ids }, life);
			this.#got(answer, history === this.#histories ? told : new Map(ids.map((id) => [id, undefined])));
		} catch (err) {
			if (life.aborted) return;
			for (const id of ids) {
				this.#fetching.get(id)?.reject(err as Error);
				this.#fetching.delete(id);
			}
		}
	}

	#got({ conversations, more }: Answer, told: ReadonlyMap<string, number | undefined>): void {
		for (const c of conversations) this.#o.received(c, told.get(c.id));
		const got = new Set(conversations.map((c) => c.id));
		for (const id of told.keys()) {
			if (!got.has(id)) {
				if (more) {
					this.want(id, 0);
					continue;
				}
				this.#o.missing(id);
			}
			const c = this.#o.get(id);
			const fetching = this.#fetching.get(id);
			this.#fetching.delete(id);
			if (c) fetching?.resolve(c);
			else fetching?.reject(new Refusal("not_found", "There is no such conversation."));
		}
		this.#o.answered();
	}
}

function promise<T>(): PromiseWithResolvers<T> {
	let resolve: PromiseWithResolvers<T>["resolve"] = () => {};
	let reject: PromiseWithResolvers<T>["reject"] = () => {};
	const made = new Promise<T>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	return { promise: made, resolve, reject };
}
