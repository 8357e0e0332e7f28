/**
 * What a client has from its first moment: who this tab is, its tokens, its socket, and the tabs beside it. Small, so that
 * a page can load it alone. The stores (`client.ts`) may come later, when something happens that they are for: what the
 * server says until then is kept here, and handed over with its age.
 */
import { Emitter } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import { openShelf } from "./outbox.db.ts";
import { Siblings } from "./siblings.ts";
import { type SocketEvents, TabSocket } from "./socket.ts";
import { type Tab, tabOf } from "./tab.ts";
import { subject, Tokens } from "./token.ts";
import type { ClientEvents, ClientOptions } from "./types.ts";
import { ignore } from "./wait.ts";
import type { Event as LogEvent, Welcome } from "./wire.gen.ts";

/** What the server said. `live`: after everything missed, so it is new. */
export type Said =
	| { readonly type: "welcome"; readonly welcome: Welcome; readonly recovered: boolean }
	| { readonly type: "event"; readonly event: LogEvent; readonly live: boolean }
	| { readonly type: "synced"; readonly recovered: boolean }
	| { readonly type: "note"; readonly note: SocketEvents["note"] };

/** Who holds what the server says. */
export interface Stores {
	hear(said: Said, ageMs: number): void;
	/** This tab speaks for this user now. */
	become(user: string): void;
	/** The page goes, to the bfcache perhaps. */
	hide(): void;
	sibling(topic: string, data: unknown): void;
	/** Signed out, here or elsewhere. */
	signedOut(): void;
	/** Client ids of messages that were sent without an answer yet. */
	pending(): string[];
}

/** A tab that nobody has looked at for so long is away. */
const awayMs = 60_000;
/** "at most once a second" */
const ackMs = 1000;
/** Events kept for stores that do not come. Messages among the dropped are found again by their conversation. */
const keptMost = 500;

export class ClientBase {
	readonly server: string;
	readonly prefix: string;
	readonly env: Environment;
	readonly tab: Tab;
	readonly socket: TabSocket;
	readonly siblings: Siblings;
	readonly events = new Emitter<ClientEvents>();
	/** As long as there are no stores: something happened that they are for. */
	onwake: ((why: "call" | "other") => void) | undefined;
	/** Of all conversations, as last told. */
	unread = 0;

	#account = "";
	#stores: Stores | undefined;
	#kept: { readonly said: Said; readonly at: number }[] = [];
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
		this.siblings = new Siblings(env, (topic, data) => this.#sibling(topic, data));
		this.socket = new TabSocket({
			env,
			tokens: new Tokens(o),
			tab: this.tab,
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

	get wanted(): boolean {
		return this.#wanted;
	}

	connect(): void {
		this.#wanted = true;
		this.socket.connect();
	}

	rest(): void {
		this.#wanted = false;
		this.socket.rest();
	}

	/** From now on these hear everything, beginning with what was kept. */
	serve(stores: Stores): void {
		if (this.#stores === stores) return;
		this.#stores = stores;
		if (this.#account !== "") stores.become(this.#account);
		const now = performance.now();
		for (const { said, at } of this.#kept.splice(0)) stores.hear(said, now - at);
	}

	/** Nobody is signed in here any more. */
	forget(): void {
		this.#wanted = false;
		this.#kept = [];
		this.#quit();
		this.socket.forget();
		this.siblings.leave();
		this.#account = "";
		if (this.socket.state.state !== "stopped") this.socket.rest();
		this.#count(0);
	}

	close(): void {
		this.#life.abort();
		this.#quit();
		clearTimeout(this.#idle);
		this.socket.rest();
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
		// What waits from an earlier page shows even before there is a connection.
		s.on("token", (token) => {
			const user = subject(token);
			if (user) this.#become(user);
		});
		s.on("welcome", ({ welcome, recovered }) => {
			this.#become(welcome.user.id);
			this.#said({ type: "welcome", welcome, recovered });
		});
		s.on("event", (event) => {
			this.#said({ type: "event", event, live: s.synced });
			this.#ackSoon();
		});
		s.on("synced", ({ recovered }) => {
			this.#said({ type: "synced", recovered });
			this.#ackSoon();
		});
		s.on("note", (note) => this.#said({ type: "note", note }));
		s.on("authexpired", (code) => this.events.emit("authexpired", { code }));
		s.on("error", (err) => this.events.emit("error", err));
		this.events.on("unread", ({ total }) => {
			this.unread = total;
		});
		this.env.life(this.#life.signal, {
			hurry: () => {
				if (!this.#wanted) return;
				s.connect();
				s.hurry();
			},
			doubt: () => s.probe(),
			hide: () => this.#hidden(),
			visibility: (visible) => this.#seen(visible),
		});
	}

	#said(said: Said): void {
		if (this.#stores) return this.#stores.hear(said, 0);
		if (said.type === "note" && said.note.method !== "typing") return;
		if (said.type === "welcome") {
			// Stores that come later read everything anew.
			this.#kept = [];
			if (!said.recovered) ignore(this.#countUnread());
			said = { ...said, recovered: false };
		}
		this.#kept.push({ said, at: performance.now() });
		if (this.#kept.length > keptMost) this.#kept.splice(1, 1); // the greeting stays
		const why = wakes(said);
		if (why) this.onwake?.(why);
	}

	/** The page goes. Calls are left to their grace time; locks would be in the way. */
	#hidden(): void {
		if (!this.#wanted) return;
		this.#stores?.hide();
		this.socket.rest();
		this.tab.release();
	}

	#seen(visible: boolean): void {
		clearTimeout(this.#idle);
		if (visible) this.socket.notify("activity", { away: false });
		else this.#idle = setTimeout(() => this.socket.notify("activity", { away: true }), awayMs);
	}

	#become(user: string): void {
		if (user === this.#account) return;
		if (this.#account !== "") {
			this.#kept = [];
			this.#quit();
			// Between a greeting and its end there is nothing yet to forget.
			if (!this.socket.greeted) this.socket.forget();
		}
		this.#account = user;
		this.siblings.join(this.name);
		if (this.#stores) this.#stores.become(user);
		else ignore(this.#lookForWaiting());
	}

	/** Messages that an earlier page could not send are a reason to wake. */
	async #lookForWaiting(): Promise<void> {
		const shelf = await openShelf(this.env.indexedDB, this.name);
		const waiting = await shelf.all();
		shelf.close();
		if (waiting.length > 0) this.onwake?.("other");
	}

	async #countUnread(): Promise<void> {
		const { conversations } = await this.socket.requestUntilAnswered(
			"conversation.list",
			{},
			this.#life.signal,
		);
		if (!this.#stores) this.#count(conversations.reduce((n, c) => n + c.unread, 0));
	}

	#count(total: number): void {
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

	#quit(): void {
		clearTimeout(this.#acking);
		this.#acking = undefined;
		this.#acked = 0;
	}
}

/** Why stores are needed for this; undefined: it can wait for them. */
function wakes(said: Said): "call" | "other" | undefined {
	switch (said.type) {
		case "welcome":
			if (said.welcome.calls.length > 0) return "call";
			return said.welcome.objects.length > 0 ? "other" : undefined;
		case "event":
			return said.event.type === "call" ? "call" : "other";
		case "note":
			return "other";
		case "synced":
			return undefined;
	}
}
