/** Asks for the changes of feeds that this tab has missed. */

import { Refusal } from "./errors.ts";
import type { Position } from "./feed.ts";
import type { TabSocket } from "./socket.ts";
import { ignore, sleep } from "./wait.ts";
import type { Changes } from "./wire.gen.ts";

export interface HoleOptions {
	socket: TabSocket;
	random: () => number;
	/** How far a feed is known; undefined when this tab does not keep it. */
	position(feed: string): Position | undefined;
	/** Merges what changed. */
	changed(feed: string, changes: Changes): void;
	/** The server does not have all that it had told of. */
	lost(feed: string): void;
	/** What is known of the feed cannot be mended: it is to be read anew. */
	reset(feed: string): void;
}

export class Holes {
	readonly #o: HoleOptions;
	readonly #filling = new Set<string>();
	#life = new AbortController();

	constructor(o: HoleOptions) {
		this.#o = o;
	}

	/** A change was told. If others before it are missing, they are asked for, unless they come by themselves. */
	check(feed: string): void {
		// What was missed while away comes with the greeting, or is asked for after it.
		if (!this.#o.socket.synced || this.#filling.has(feed) || !this.#o.position(feed)?.hole) return;
		// Signed out, or stopped: the next greeting begins anew.
		ignore(this.#fill(feed, this.#life.signal));
	}

	clear(): void {
		this.#life.abort();
		this.#life = new AbortController();
		this.#filling.clear();
	}

	/** When it finds no hole it ends in the same step, so that no check comes between the two and is passed over. */
	async #fill(feed: string, life: AbortSignal): Promise<void> {
		const { socket, random } = this.#o;
		this.#filling.add(feed);
		try {
			await sleep(50 + random() * 150, life);
			for (;;) {
				const at = this.#o.position(feed);
				if (!at?.hole) return;
				const { pos: after, told } = at;
				let changes: Changes;
				try {
					changes = await socket.requestUntilAnswered("feed.changes", { feed, after }, life);
				} catch (err) {
					// A conversation that is not mine any more.
					if (err instanceof Refusal && !err.temporary) return this.#o.reset(feed);
					throw err;
				}
				if (this.#o.position(feed) !== at) continue; // it was read anew meanwhile
				if (changes.reset) return this.#o.reset(feed);
				this.#o.changed(feed, changes);
				at.upTo(changes.up_to);
				if (changes.more) continue;
				if (at.pos < told) this.#o.lost(feed);
				at.nothingMissing(told);
			}
		} finally {
			if (!life.aborted) this.#filling.delete(feed);
		}
	}
}
