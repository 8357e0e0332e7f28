/** The feed of this user: memberships, contacts and objects, each merged by the highest pos of its item. */
import { bringsItem, itemKey, Position } from "./feed.ts";
import type { Change, Contact, Item, Membership, Place, UserObject } from "./wire.gen.ts";

export interface OwnFeedOptions {
	membership(m: Membership, at: Place): void;
	contact(c: Contact): void;
	/** `greeting`: it is part of one. */
	object(o: UserObject, greeting: boolean): void;
	/** After a greeting that had everything: these are the contacts and the objects that there are. */
	only(contacts: ReadonlySet<string>, objects: ReadonlySet<string>): void;
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
		const keys = [...this.#places.keys()];
		const of = (type: string) =>
			new Set(keys.filter((k) => k.startsWith(`${type} `)).map((k) => k.slice(type.length + 1)));
		this.#o.only(of("contact"), of("object"));
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
		else if (type === "contact") this.#o.contact(data as Contact);
		else if (type === "object") this.#o.object(data as UserObject, greeting);
	}
}
