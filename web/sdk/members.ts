/** The members of my conversations: those that were asked for beyond the few in the heads, and how far each has got. */
import { later } from "./marks.ts";
import { type Reach, unknownReach, withMarks } from "./ticks.ts";
import type { Conversation, ConversationMarks, Member } from "./wire.gen.ts";

export class Members {
	/** By conversation, by user. */
	readonly #loaded = new Map<string, Map<string, Member>>();
	readonly #reach = new Map<string, Reach>();

	/** How far all have got. */
	reach(id: string): Reach {
		return this.#reach.get(id) ?? unknownReach;
	}

	/** The last of those that were asked for, by id. */
	last(id: string): string | undefined {
		return [...(this.#loaded.get(id)?.keys() ?? [])].sort().at(-1);
	}

	/** Everyone of a conversation who is known, with their marks. */
	of({ id, members }: Conversation): Member[] {
		const known = new Map(members.map((m) => [m.id, m]));
		for (const [user, m] of this.#loaded.get(id) ?? []) if (!known.has(user)) known.set(user, m);
		const reach = this.reach(id).members;
		return [...known.values()].map((m) => ({ ...m, ...later(m, reach.get(m.id)) }));
	}

	/** A page of members came. */
	load(id: string, page: readonly Member[]): void {
		const members = this.#loaded.get(id) ?? new Map<string, Member>();
		this.#loaded.set(id, members);
		for (const m of page) members.set(m.id, m);
		this.seen(id, page);
	}

	/** Members came with their marks. */
	seen(id: string, members: readonly Member[]): void {
		this.marked(id, { members: members.map((m) => ({ ...m, user: m.id })) });
	}

	marked(id: string, told: Pick<ConversationMarks, "members" | "counts">): void {
		this.#reach.set(id, withMarks(this.reach(id), told));
	}

	/** Someone joins, leaves or is invited. */
	change(id: string, m: Member): void {
		const loaded = this.#loaded.get(id);
		if (m.state !== "gone") {
			loaded?.set(m.id, m);
			return;
		}
		loaded?.delete(m.id);
		const members = new Map(this.reach(id).members);
		members.delete(m.id);
		this.#reach.set(id, { ...this.reach(id), members });
	}

	/** The conversation is not mine any more. */
	forget(id: string): void {
		this.#loaded.delete(id);
		this.#reach.delete(id);
	}

	clear(): void {
		this.#loaded.clear();
		this.#reach.clear();
	}
}
