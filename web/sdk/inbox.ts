/** Hands what the server says to the store that it concerns. Each thing has one door, whichever way it came. */
import type { ClientBase } from "./base.ts";
import type { ClientCalls } from "./calls/context.ts";
import type { ConversationStore } from "./conversations.ts";
import type { Emitter } from "./emitter.ts";
import { Holes } from "./holes.ts";
import type { MessageStore } from "./messages.ts";
import { OwnFeed, type OwnStores } from "./own.ts";
import type { People } from "./people.ts";
import type { SocketEvents } from "./socket.ts";
import type { ClientEvents } from "./types.ts";
import type { TypingStore } from "./typing.ts";
import {
	type Change,
	type Changes,
	type FeedPosition,
	type Greeting,
	type Message,
	OwnFeed as own,
	type Welcome,
} from "./wire.gen.ts";

export interface InboxOptions {
	base: ClientBase;
	events: Emitter<ClientEvents>;
	store: MessageStore;
	conversations: ConversationStore;
	calls: ClientCalls;
	own: OwnStores;
	people: People;
	typing: TypingStore;
	me: () => string;
	random: () => number;
}

export class Inbox {
	readonly #o: InboxOptions;
	readonly #own: OwnFeed;
	readonly #holes: Holes;
	/** The greeting has what changed, and not all that there is. */
	#resumed = false;

	constructor(o: InboxOptions) {
		this.#o = o;
		this.#own = new OwnFeed({
			membership: (m, at) => o.conversations.membership(m, at),
			stores: o.own,
		});
		o.events.on("contact", (c) => o.people.learn([c]));
		this.#holes = new Holes({
			socket: o.base.socket,
			random: o.random,
			position: (feed) => (feed === own ? this.#own.position : o.store.position(feed)),
			changed: (feed, changes) => this.#changes(feed, changes),
			lost: (feed) => o.conversations.distrust(feed),
			reset: (feed) => (feed === own ? o.base.socket.restart() : o.store.reset(feed)),
		});
	}

	/** How far the feeds are known that this tab keeps: the own one, and as many others as may be resumed. */
	feeds(): Record<string, FeedPosition> {
		return { ...this.#o.store.feeds(), [own]: this.#own.position.known() };
	}

	/** Nothing is missing, as far as this tab was told. */
	get whole(): boolean {
		const positions = [this.#own.position, ...this.#o.store.positions().map(([, p]) => p)];
		return this.#o.conversations.whole && !positions.some((p) => p.hole);
	}

	checkHole(feed: string): void {
		this.#holes.check(feed);
	}

	welcomed({ diverged }: Welcome, resumed: boolean): void {
		this.#resumed = resumed;
		const other = resumed ? diverged : "all";
		this.#own.welcomed(!resumed || diverged.includes(own));
		// Where one feed has another history, others that this tab does not keep may have too.
		this.#o.conversations.welcomed(!resumed || diverged.length > 0);
		this.#o.store.diverged(other);
	}

	synced(resumed: boolean, all: boolean): void {
		this.#own.synced();
		this.#o.conversations.synced(resumed, all);
		this.#o.store.synced();
		this.#holes.check(own);
	}

	/** `live`: it is new, not part of what was missed. `ageMs`: how long it waited in this tab. */
	notification(n: SocketEvents["notification"], live: boolean, ageMs: number): void {
		switch (n.method) {
			case "greeting":
				return this.#greeting(n.params, ageMs);
			case "change":
				return this.change(n.params, live);
			case "marks":
				this.#o.conversations.marks(n.params);
				return this.#o.events.emit("marks", n.params);
			case "call":
				return this.#o.calls.apply(n.params, ageMs);
			case "typing":
				return this.#o.typing.received(n.params, this.#o.me());
			case "presence":
				return this.#o.people.set(n.params);
			case "profile":
				this.#o.people.learn([n.params]);
				this.#o.conversations.applyProfile(n.params);
				return this.#o.events.emit("profile", n.params);
			case "sessions":
				return this.#o.events.emit("sessions", undefined);
			case "slots":
			case "speaker":
			case "leg.end":
				return this.#o.calls.notification(n.method, n.params);
		}
	}

	/** A change of a feed: as it was told, as one of those that were missed, or as the answer to a send. */
	change(c: Change, live: boolean): void {
		if (c.feed === own) {
			this.#own.change(c);
			return this.#holes.check(own);
		}
		this.#o.store.change(c);
		const news = this.#o.conversations.change(c);
		if (c.type === "message") {
			const m = c.data as Message;
			this.#o.typing.wrote(m.conversation, m.sender, this.#o.me());
		}
		if (news && live) this.news(news);
	}

	news(message: Message): void {
		this.#o.events.emit("message", { message, mine: message.sender === this.#o.me() });
	}

	clear(): void {
		this.#own.clear();
		this.#holes.clear();
	}

	#greeting({ items = [], pos, conversations = [], next, calls = [] }: Greeting, ageMs: number): void {
		this.#own.greeted(items, pos);
		this.#own.position.noteMine(conversations);
		if (conversations.length > 0) this.#o.conversations.greeted(conversations, next, this.#resumed);
		for (const c of calls) this.#o.calls.apply(c, ageMs);
	}

	#changes(feed: string, { items, users }: Changes): void {
		this.#o.people.learn(users);
		for (const item of items) {
			const c = { feed, ...item };
			this.#o.base.changeCame(c);
			this.change(c, true);
		}
	}
}
