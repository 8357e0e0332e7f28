/**
 * What a client has from its first moment: who this tab is, its tokens, its socket, and the tabs beside it. Small, so that
 * a page can load it alone. The stores (`client.ts`) may come later, when something happens that they are for: what the
 * server says until then is kept here, and handed over with its age.
 */
import { Emitter } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import { openOutboxStorage } from "./outbox.db.ts";
import { OutboxJournal } from "./outbox.journal.ts";
import { Siblings } from "./siblings.ts";
import { type SocketEvents, TabSocket } from "./socket.ts";
import { type Tab, tabOf } from "./tab.ts";
import { subject, Tokens } from "./token.ts";
import type { ClientEvents, ClientOptions } from "./types.ts";
import { ignore } from "./wait.ts";
import { Identities, type Who } from "./who.ts";
import type { Event as LogEvent, Welcome } from "./wire.gen.ts";

/** What the server says. An event is `live` when it came after everything that was missed, so that it is new. */
export type ServerMessage =
	| { readonly type: "welcome"; readonly welcome: Welcome; readonly recovered: boolean }
	| { readonly type: "event"; readonly event: LogEvent; readonly live: boolean }
	| { readonly type: "synced"; readonly recovered: boolean }
	| { readonly type: "notification"; readonly notification: SocketEvents["notification"] };

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
}

/** A tab that nobody has looked at for so long is away. */
const awayMs = 60_000;
/** Acknowledgements are sent at most this often, as docs/PROTOCOL.md asks. */
const ackMs = 1000;
/** How many messages of the server are kept for stores that do not come. What is dropped is found again by its conversation. */
const keptMost = 500;

export class ClientBase {
	readonly server: string;
	readonly prefix: string;
	readonly env: Environment;
	readonly tab: Tab;
	readonly socket: TabSocket;
	readonly siblings: Siblings;
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
	#kept: { readonly message: ServerMessage; readonly at: number }[] = [];
	#wanted = false;
	#acked = 0;
	#acking: ReturnType<typeof setTimeout> | undefined;
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
		});
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
		const now = performance.now();
		for (const { message, at } of this.#kept.splice(0)) stores.receive(message, now - at);
	}

	/** Nobody is signed in here any more. */
	forget(): void {
		this.#wanted = false;
		this.#kept = [];
		this.#stopAcking();
		this.socket.forget();
		this.siblings.leave();
		this.#identities.forget(this.name, this.tab.id);
		this.#nameless = undefined;
		this.#account = "";
		if (this.socket.state.state !== "stopped") this.socket.disconnect();
		this.#setUnread(0);
	}

	close(): void {
		this.#life.abort();
		this.#stopAcking();
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
		s.on("welcome", ({ welcome, recovered }) => {
			this.#userChanged(welcome.user.id);
			this.#received({ type: "welcome", welcome, recovered });
		});
		s.on("event", (event) => {
			this.#received({ type: "event", event, live: s.synced });
			this.#ackSoon();
		});
		s.on("synced", ({ recovered }) => {
			this.#received({ type: "synced", recovered });
			this.#ackSoon();
		});
		s.on("notification", (notification) => this.#received({ type: "notification", notification }));
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
		if (message.type === "notification" && message.notification.method !== "typing") return;
		if (message.type === "welcome") {
			// Stores that come later read everything anew.
			this.#kept = [];
			if (!message.recovered) ignore(this.#countUnread());
			message = { ...message, recovered: false };
		}
		this.#kept.push({ message, at: performance.now() });
		if (this.#kept.length > keptMost) this.#kept.splice(1, 1); // the greeting stays
		const why = storesNeededFor(message);
		if (why) this.onwake?.(why);
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
			this.#kept = [];
			this.#stopAcking();
			// A welcome that names another user has brought this user's position in the log: keep that.
			if (!this.socket.greeted) this.socket.forget();
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

	async #countUnread(): Promise<void> {
		const { conversations } = await this.socket.requestUntilAnswered(
			"conversation.list",
			{},
			this.#life.signal,
		);
		if (!this.#stores) this.#setUnread(conversations.reduce((n, c) => n + c.unread, 0));
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

	#ackSoon(): void {
		const { socket } = this;
		if (this.#acking !== undefined || socket.offset === this.#acked) return;
		this.#acking = setTimeout(() => {
			this.#acking = undefined;
			const { offset } = socket;
			if (offset === this.#acked || !socket.synced) return;
			this.#acked = offset;
			socket.notify("ack", { offset });
		}, ackMs);
	}

	#stopAcking(): void {
		clearTimeout(this.#acking);
		this.#acking = undefined;
		this.#acked = 0;
	}
}

/** Why the stores are needed for this; undefined when it can wait until they come. */
function storesNeededFor(message: ServerMessage): "call" | "other" | undefined {
	switch (message.type) {
		case "welcome":
			if (message.welcome.calls.length > 0) return "call";
			return message.welcome.objects.length > 0 ? "other" : undefined;
		case "event":
			return message.event.type === "call" ? "call" : "other";
		case "notification":
			return "other";
		case "synced":
			return undefined;
	}
}
