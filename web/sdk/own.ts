/** The feed of this user: memberships, contacts, drafts and so on, each merged by the highest pos of its item. */
import { bringsItem, itemKey, Position } from "./feed.ts";
import type { Change, Item, ItemData, Membership, Place } from "./wire.gen.ts";

/** Keeps the items of one type. */
export interface OwnStore<T> {
	/** An item as it is now. `greeting`: it is part of one. */
	apply(item: T, greeting: boolean): void;
	/** After a greeting that had everything: there are these items only, as `itemKey` names them within the type. */
	only(names: ReadonlySet<string>): void;
	clear(): void;
}

/** The types of items that have a store of their own. */
export type OwnType = "contact" | "object" | "draft" | "block" | "preferences" | "hidden";
export type OwnStores = { readonly [T in OwnType]: OwnStore<ItemData[T]> };

export interface OwnFeedOptions {
	membership(m: Membership, at: Place): void;
	stores: OwnStores;
}

export class OwnFeed {
	readonly #o: OwnFeedOptions;
	#position = new Position();
	#all = false;
	/** By item. */
	readonly #places = new Map<string, number>();

	constructor(o: OwnFeedOptions) {
		this.#o = o;
	}

	get position(): Position {
		return this.#position;
	}

	/** A greeting begins. `all`: it has all that there is. */
	welcomed(all: boolean): void {
		this.#all = all;
		if (all) this.clear();
	}

	/** A page of the greeting. `pos` comes with the last items. */
	greeted(items: readonly Item[], pos: number | undefined): void {
		for (const item of items) {
			this.#position.note(item);
			this.#apply(item, true);
		}
		if (pos !== undefined) this.#position.upTo(pos);
	}

	synced(): void {
		if (!this.#all) return;
		const { stores } = this.#o;
		for (const type of Object.keys(stores) as OwnType[]) {
			const keys = [...this.#places.keys()].filter((k) => k === type || k.startsWith(`${type} `));
			stores[type].only(new Set(keys.map((k) => k.slice(type.length + 1))));
		}
	}

	change(c: Change): void {
		if (bringsItem(c)) this.#apply(c, false);
		this.#position.change(c);
	}

	clear(): void {
		this.#position = new Position();
		this.#places.clear();
	}

	#apply(item: Item, greeting: boolean): void {
		const key = itemKey(item);
		if ((this.#places.get(key) ?? 0) >= item.pos) return;
		this.#places.set(key, item.pos);
		const { type, data, pos, tag } = item;
		if (type === "membership") this.#o.membership(data as Membership, { pos, tag });
		else if (type in this.#o.stores) this.#store(type as OwnType).apply(data, greeting);
	}

	#store(type: OwnType): OwnStore<unknown> {
		return this.#o.stores[type] as OwnStore<unknown>;
	}
}
