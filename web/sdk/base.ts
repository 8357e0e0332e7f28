/**
 * What a client has from its first moment: who this tab is, its tokens, its socket, and the tabs beside it. Small, so that
 * a page can load it alone. The stores (`client.ts`) may come later, when something happens that they are for: what the
 * server says until then is kept here, and handed over with its age.
 */
import { Emitter } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import { bringsItem, Position } from "./feed.ts";
import { MarkSender } from "./marks.ts";
import { openOutboxStorage } from "./outbox.db.ts";
import { OutboxJournal } from "./outbox.journal.ts";
import { Siblings } from "./siblings.ts";
import { type SocketEvents, TabSocket } from "./socket.ts";
import { type Tab, tabOf } from "./tab.ts";
import { subject, Tokens } from "./token.ts";
import type { ClientEvents, ClientOptions } from "./types.ts";
import { unreadIn } from "./unread.ts";
import { ignore } from "./wait.ts";
import { Identities, type Who } from "./who.ts";
import {
	type Change,
	type Conversation,
	type FeedPosition,
	type Greeting,
	type Message,
	OwnFeed,
	type Welcome,
} from "./wire.gen.ts";

/** What the server says. A notification is `live` when it came after the greeting, so that it is new. */
export type ServerMessage =
	| { readonly type: "welcome"; readonly welcome: Welcome; readonly resumed: boolean }
	| { readonly type: "synced"; readonly resumed: boolean; readonly all: boolean }
	| {
			readonly type: "notification";
			readonly notification: SocketEvents["notification"];
			readonly live: boolean;
	  };

/** Who holds what the server says. */
export interface Stores {
	receive(message: ServerMessage, ageMs: number): void;
	/** This tab speaks for this user now. */
	userChanged(user: string): void;
	/** The page is left, perhaps into the back/forward cache. */
	hidden(): void;
	sibling(topic: string, data: unknown): void;
	/** Signed out, here or elsewhere. */
	signedOut(): void;
	/** Client ids of messages that were sent without an answer yet. */
	pending(): string[];
	/** How far the feeds are known that the page keeps. */
	feeds(): Record<string, FeedPosition>;
	/** Nothing is missing, as far as the page was told. */
	whole(): boolean;
}

/** A tab that nobody has looked at for so long is away. */
const awayMs = 60_000;
/** How many messages of the server are kept for stores that do not come. Beyond that stores begin with a new greeting. */
const keptMost = 500;

export class ClientBase {
	readonly server: string;
	readonly prefix: string;
	readonly env: Environment;
	readonly tab: Tab;
	readonly socket: TabSocket;
	readonly siblings: Siblings;
	readonly marks: MarkSender;
	readonly journal: OutboxJournal;
	readonly events = new Emitter<ClientEvents>();
	/** Called while there are no stores, when something happened that they are for. */
	onwake: ((why: "call" | "other") => void) | undefined;
	/** Unread messages in all conversations, as listeners last heard. */
	unread = 0;

	readonly #identities: Identities;
	/** As whom the page has said hello for a token that does not name its user. */
	#nameless: Who | undefined;
	#account = "";
	#stores: Stores | undefined;
	/** Everything since a greeting that was not resumed; undefined when that is not whole. */
	#kept: { readonly message: ServerMessage; readonly at: number }[] | undefined;
	/** The greeting has what changed, and not all that there is. */
	#resumed = false;
	/** As long as there are no stores: how far the own feed is known, and by conversation what is unread as of which pos. */
	#own = new Position();
	readonly #unreadIn = new Map<string, { readonly pos: number; readonly unread: number }>();
	#wanted = false;
	#idle: ReturnType<typeof setTimeout> | undefined;
	readonly #life = new AbortController();

	constructor(o: ClientOptions, env: Environment) {
		this.env = env;
		this.server = new URL(o.server).origin;
		this.prefix = o.storagePrefix ?? "carillon";
		this.tab = tabOf(env, this.prefix);
		this.#identities = new Identities(env);
		this.journal = new OutboxJournal(env.sessionStorage, this.prefix, this.server);
		this.siblings = new Siblings(env, (topic, data) => this.#sibling(topic, data));
		this.socket = new TabSocket({
			env,
			tokens: new Tokens(o),
			tab: this.tab,
			who: () => this.who,
			server: this.server,
			deviceName: o.deviceName ?? env.deviceName,
			pending: () => this.#stores?.pending() ?? [],
			feeds: () => this.#stores?.feeds() ?? { [OwnFeed]: this.#own.known() },
			whole: () => this.#stores?.whole() ?? !this.#own.hole,
		});
		this.marks = new MarkSender(this.socket);
		this.#listen();
	}

	/** The user of the token in hand. */
	get account(): string {
		return this.#account;
	}

	/** Everything that is stored is stored under this name. */
	get name(): string {
		return `${this.prefix}:${this.server}:${this.#account}`;
	}

	/** As which tab of which device this page speaks for its user. */
	get who(): Who {
		return this.#nameless ?? this.#identities.of(this.name, this.tab.id);
	}

	get wanted(): boolean {
		return this.#wanted;
	}

	connect(): void {
		this.#wanted = true;
		this.socket.connect();
	}

	disconnect(): void {
		this.#wanted = false;
		this.socket.disconnect();
	}

	/** From now on these stores receive everything, beginning with what was kept. */
	attach(stores: Stores): void {
		if (this.#stores === stores) return;
		this.#stores = stores;
		if (this.#account !== "") stores.userChanged(this.#account);
		const kept = this.#kept;
		this.#kept = undefined;
		const now = performance.now();
		if (kept) for (const { message, at } of kept) stores.receive(message, now - at);
		else this.socket.restart();
	}

	/** Nobody is signed in here any more. */
	forget(): void {
		this.#wanted = false;
		this.#drop();
		this.socket.forget();
		this.siblings.leave();
		this.#identities.forget(this.name, this.tab.id);
		this.#nameless = undefined;
		this.#account = "";
		this.marks.clear();
		if (this.socket.state.state !== "stopped") this.socket.disconnect();
		this.#setUnread(0);
	}

	close(): void {
		this.#life.abort();
		this.marks.clear();
		clearTimeout(this.#idle);
		this.socket.disconnect();
		this.socket.clear();
		this.siblings.leave();
		this.events.clear();
	}

	#listen(): void {
		const s = this.socket;
		s.on("connection", (c) => {
			this.events.emit("connection", c);
			if (c.state === "stopped" && c.why === "signed_out") this.#signedOut();
		});
		// Messages that an earlier page could not send are shown even before there is a connection.
		s.on("token", (token) => {
			const user = subject(token);
			if (user) this.#userChanged(user);
		});
		s.on("welcome", ({ welcome, resumed }) => {
			const another = this.#account !== "" && this.#account !== welcome.user.id;
			this.#userChanged(welcome.user.id);
			// What was resumed is of the user before.
			if (another && resumed) return s.restart();
			this.#received({ type: "welcome", welcome, resumed });
			this.marks.greeted(!resumed || welcome.diverged.length > 0);
		});
		s.on("synced", ({ resumed, all }) => this.#received({ type: "synced", resumed, all }));
		s.on("notification", (notification) => {
			this.#delivered(notification);
			this.#received({ type: "notification", notification, live: s.synced });
		});
		s.on("authexpired", (code) => this.events.emit("authexpired", { code }));
		s.on("error", (err) => this.events.emit("error", err));
		this.events.on("unread", ({ total }) => {
			this.unread = total;
		});
		this.env.watchPage(this.#life.signal, {
			resumed: () => {
				if (!this.#wanted) return;
				s.connect();
				s.reconnectNow();
			},
			offline: () => s.probe(),
			hidden: () => this.#hidden(),
			visibilityChanged: (visible) => this.#seen(visible),
		});
	}

	#received(message: ServerMessage): void {
		if (this.#stores) return this.#stores.receive(message, 0);
		if (message.type === "welcome") {
			this.#resumed = message.resumed;
			if (!message.resumed) {
				this.#drop();
				this.#kept = [];
			}
		}
		const why = this.#whyStores(message);
		if (this.#kept && !forgettable(message)) this.#kept.push({ message, at: performance.now() });
		if (this.#kept && this.#kept.length > keptMost) this.#kept = undefined;
		if (message.type === "synced")
			this.#setUnread([...this.#unreadIn.values()].reduce((sum, { unread }) => sum + unread, 0));
		if (why) this.onwake?.(why);
	}

	/** Why the stores are needed for this; undefined when it can wait until they come. */
	#whyStores(message: ServerMessage): "call" | "other" | undefined {
		if (message.type !== "notification") return undefined;
		const { method, params } = message.notification;
		switch (method) {
			case "greeting":
				return this.#greeted(params);
			case "change":
				if (params.feed === OwnFeed) this.#own.change(params);
				return "other";
			case "call":
				return "call";
			case "typing":
				return "other";
			default:
				return undefined;
		}
	}

	/** A page of a greeting. What has changed while the page was away needs the stores, what was there before does not. */
	#greeted({ items = [], pos, conversations = [], calls = [] }: Greeting): "call" | "other" | undefined {
		for (const item of items) this.#own.note(item);
		this.#own.noteMine(conversations);
		if (pos !== undefined) this.#own.upTo(pos);
		// An object is there for the page's listeners.
		let news = items.some((item) => this.#resumed || item.type === "object");
		for (const c of conversations) {
			const known = this.#unreadIn.get(c.id);
			news ||= this.#resumed && (known?.pos ?? 0) < c.pos;
			this.#unreadIn.set(c.id, { pos: c.pos, unread: unreadIn(c) });
		}
		if (calls.length > 0) return "call";
		return news ? "other" : undefined;
	}

	/** This device has others' messages now. */
	#delivered({ method, params }: SocketEvents["notification"]): void {
		if (method === "greeting") for (const c of params.conversations ?? []) this.headCame(c);
		if (method === "change") this.changeCame(params);
	}

	/** A conversation was told, with its latest message. */
	headCame(c: Conversation): void {
		const had = c.members.find((m) => m.id === this.#account)?.delivered ?? 0;
		if (c.last && c.last_seq > had) this.marks.delivered(c.id, c.last_seq);
	}

	/** A change was told, perhaps a message. */
	changeCame(c: Pick<Change, "type" | "tag" | "data" | "feed" | "pos">): void {
		if (!bringsItem(c) || c.type !== "message") return;
		const m = c.data as Message;
		if (m.sender !== this.#account) this.marks.delivered(m.conversation, m.seq);
	}

	/** Nothing is known any more. */
	#drop(): void {
		this.#kept = undefined;
		this.#own = new Position();
		this.#unreadIn.clear();
	}

	/** The page is left. Calls are left to their grace time; locks would keep the page out of the back/forward cache. */
	#hidden(): void {
		if (!this.#wanted) return;
		this.#stores?.hidden();
		this.socket.disconnect();
		this.tab.release();
	}

	#seen(visible: boolean): void {
		clearTimeout(this.#idle);
		if (visible) this.socket.notify("activity", { away: false });
		else this.#idle = setTimeout(() => this.socket.notify("activity", { away: true }), awayMs);
	}

	#userChanged(user: string): void {
		if (user === this.#account) return;
		// The token did not say whose it is; the server, which was told these ids, has.
		this.#nameless = this.#account === "" && this.socket.greeted ? this.who : undefined;
		if (this.#account !== "") {
			this.#drop();
			this.marks.clear();
			this.socket.forget();
		}
		this.#account = user;
		this.siblings.join(this.name);
		if (this.#stores) this.#stores.userChanged(user);
		else ignore(this.#lookForWaiting());
	}

	/** Messages that an earlier page could not send need the stores. */
	async #lookForWaiting(): Promise<void> {
		if (this.journal.of(this.name).length > 0) return this.onwake?.("other");
		const storage = await openOutboxStorage(this.env.indexedDB, this.name);
		const waiting = await storage.all();
		storage.close();
		if (waiting.length > 0) this.onwake?.("other");
	}

	#setUnread(total: number): void {
		if (total !== this.unread) this.events.emit("unread", { total });
	}

	#sibling(topic: string, data: unknown): void {
		if (topic === "signout") this.#signedOut();
		else this.#stores?.sibling(topic, data);
	}

	#signedOut(): void {
		if (this.#stores) return this.#stores.signedOut();
		if (this.#account === "") return;
		this.forget();
		this.events.emit("signedout", undefined);
	}
}

/** What will be told again when somebody looks, or is over soon. */
function forgettable(message: ServerMessage): boolean {
	if (message.type !== "notification") return false;
	return !["greeting", "change", "call", "typing"].includes(message.notification.method);
}
