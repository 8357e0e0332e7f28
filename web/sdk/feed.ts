/**
 * How far this tab knows a feed, in numbers only. A feed is a set of items, each under the number (`pos`) of its last change;
 * the changes of a feed are numbered without a gap. Whoever has all changes up to a pos, and merges items by their highest
 * pos, has the feed as it was then.
 */
import type { Change, Conversation, FeedPosition, Item, ItemData, ItemType, Place } from "./wire.gen.ts";

/** A change that brings its item. */
export type ItemChange = Change & Item;

export const bringsItem = (c: Change): c is ItemChange => c.type !== undefined && c.tag !== undefined;

/** Names an item within its feed. */
export function itemKey({ type, data }: { readonly type: ItemType; readonly data: unknown }): string {
	const d = data as Partial<
		ItemData["message"] & ItemData["member"] & ItemData["membership"] & ItemData["object"] & ItemData["block"]
	>;
	switch (type) {
		case "message":
		case "reactions":
			return `${type} ${d.seq}`;
		case "membership":
		case "draft":
			return `${type} ${d.conversation}`;
		case "hidden":
			return `hidden ${d.conversation}.${d.seq}`;
		case "block":
			return `block ${d.user}`;
		case "object":
			return `object ${d.key}`;
		case "member":
		case "contact":
			return `${type} ${d.id}`;
		case "conversation":
		case "preferences":
			return type;
		default: // of a server that is newer than this page
			return type;
	}
}

/** So many of the newest items tell the server whether the tab has another history of the feed. */
const newestSent = 3;
/** So many changes beyond a hole are remembered. Those that are not are asked for again. */
const aheadMost = 1000;

export class Position {
	/** The tab has all changes up to here. */
	#pos: number;
	/** The highest pos that the server has told of. */
	#told: number;
	/** Changes that the tab has beyond a hole. */
	readonly #ahead = new Set<number>();
	/** Of the newest items, latest first. */
	readonly #newest: (Place & { readonly key: string })[] = [];

	constructor(pos = 0) {
		this.#pos = this.#told = pos;
	}

	get pos(): number {
		return this.#pos;
	}

	get told(): number {
		return this.#told;
	}

	/** Changes are missing. */
	get hole(): boolean {
		return this.#told > this.#pos;
	}

	/** The tab has no item that could tell one history from another. */
	get blank(): boolean {
		return this.#newest.length === 0;
	}

	/** The server says that the feed has come to `pos`, without the items that changed. */
	tell(pos: number): void {
		this.#told = Math.max(this.#told, pos);
	}

	/** The heads of conversations say where my memberships stand in my own feed. */
	noteMine(heads: readonly Conversation[]): void {
		for (const { mine, mine_at } of heads) this.note({ ...mine_at, type: "membership", data: mine });
	}

	/** The tab has an item now, of a page or of a change. */
	note({ pos, tag, ...item }: Item): void {
		const key = itemKey(item);
		const before = this.#newest.findIndex((n) => n.key === key);
		if (before >= 0 && (this.#newest[before]?.pos ?? 0) >= pos) return;
		// The place that the item had is no place of the feed any more.
		if (before >= 0) this.#newest.splice(before, 1);
		const at = this.#newest.findIndex((n) => n.pos < pos);
		this.#newest.splice(at < 0 ? this.#newest.length : at, 0, { pos, tag, key });
		this.#newest.length = Math.min(this.#newest.length, newestSent);
	}

	/** A change was told. One that brings its item has been merged already. */
	change(c: Change): void {
		this.tell(c.pos);
		if (!bringsItem(c)) return;
		this.note(c);
		if (c.pos === this.#pos + 1) this.#pos++;
		else if (c.pos > this.#pos && this.#ahead.size < aheadMost) this.#ahead.add(c.pos);
		this.#advance();
	}

	/** The tab has all changes up to `pos`, as an answer of the server says. */
	upTo(pos: number): void {
		this.tell(pos);
		if (pos > this.#pos) this.#pos = pos;
		this.#advance();
	}

	/** There is nothing beyond what the tab has, though the server had `told` of it before it was asked. */
	nothingMissing(told: number): void {
		if (this.#told === told) this.#told = this.#pos;
	}

	/** For the server, when the tab comes back. */
	known(): FeedPosition {
		return { pos: this.#pos, newest: this.#newest.map(({ pos, tag }) => ({ pos, tag })) };
	}

	#advance(): void {
		while (this.#ahead.delete(this.#pos + 1)) this.#pos++;
		for (const pos of this.#ahead) if (pos <= this.#pos) this.#ahead.delete(pos);
	}
}
