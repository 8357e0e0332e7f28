/**
 * One connection to the server, shared by all popups of this page that speak for the same user. While nothing happens
 * this is all that runs: the launcher's count, the page's title and icon, and what listeners want to know of the connection.
 */

import { ClientBase } from "../sdk/base.ts";
import { browser } from "../sdk/environment.ts";
import type { ClientEvents } from "../sdk/types.ts";
import { ignore } from "../sdk/wait.ts";
import { titleWithCount } from "./badge.ts";
import { type Identity, knownIdentity } from "./identity.ts";
import type { Popup } from "./popup.ts";

const accounts = new Map<string, Account[]>(); // by server

/** Events that every popup's listeners get unchanged, whether or not the SDK's stores are loaded. */
const forwarded = ["connection", "authexpired", "error"] as const satisfies (keyof ClientEvents)[];

export class Account {
	readonly server: string;
	readonly identity: Identity;
	readonly base: ClientBase;
	readonly popups = new Set<Popup>();
	/** The client that has taken the connection over; set by it once the chat part is loaded. */
	client: { close(): void } | undefined;

	/** The page's icon was changed. */
	#badged = false;
	/** Aborted when the last popup has left. */
	readonly #closed = new AbortController();

	/** Joins the account of the popup's user; undefined for a visitor whom nobody knows. */
	static join(
		popup: Popup,
		identity: Identity | undefined = knownIdentity(popup.server, popup.options),
	): Account | undefined {
		if (!identity) return undefined;
		const here = accounts.get(popup.server) ?? [];
		accounts.set(popup.server, here);
		let account = here.find((a) => a.identity.key === identity.key);
		if (!account) here.push((account = new Account(popup.server, identity)));
		account.popups.add(popup);
		popup.account = account;
		popup.setUnread(account.base.unread);
		if (account.client) void popup.load().catch(() => {});
		account.base.connect();
		return account;
	}

	private constructor(server: string, identity: Identity) {
		this.server = server;
		this.identity = identity;
		this.base = new ClientBase({ server, ...identity.client }, browser());
		const { events } = this.base;
		const o = { signal: this.#closed.signal };
		for (const type of forwarded) events.on(type, (detail) => this.#each((p) => p.emit(type, detail)), o);
		events.on("unread", ({ total }) => this.#unreadChanged(total), o);
		this.base.onwake = (why) =>
			this.#each((p) => {
				if (why === "call") p.prepareCall();
				void p.load().catch(() => {}); // what happens next tries again
			});
	}

	get tabId(): string {
		return this.base.tab.id;
	}

	leave(popup: Popup): void {
		this.popups.delete(popup);
		popup.account = undefined;
		if (this.popups.size > 0) return;
		this.#closed.abort();
		this.#unreadChanged(0);
		if (this.client) this.client.close();
		else this.base.close();
		accounts.set(
			this.server,
			(accounts.get(this.server) ?? []).filter((a) => a !== this),
		);
	}

	#each(run: (popup: Popup) => void): void {
		for (const popup of this.popups) run(popup);
	}

	#unreadChanged(total: number): void {
		const [first] = this.popups;
		this.#each((p) => {
			p.setUnread(total);
			p.emit("unread", total);
		});
		if (first?.options.notifications === false) return;
		document.title = titleWithCount(document.title, total);
		if (total === 0 && !this.#badged) return;
		this.#badged = true;
		ignore(import("./badge.icon.ts").then((badge) => badge.setIconBadge(total > 0)));
	}
}
