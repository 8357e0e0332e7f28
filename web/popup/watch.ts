/**
 * One line to the server with all popups of this page that speak for the same user. While nothing happens this is all
 * that runs: the launcher's count, the page's title and icon, and what listeners want to know of the connection.
 */
import { browser } from "../sdk/environment.ts";
import { Line } from "../sdk/line.ts";
import type { ClientEvents } from "../sdk/types.ts";
import { setIconBadge, titled } from "./badge.ts";
import type { Hub } from "./hub.ts";
import { type Identity, knownIdentity } from "./identity.ts";
import type { Popup } from "./shell.ts";

const watches = new Map<string, Watch[]>(); // by server

/** Told as they are to the listeners of every popup, whoever else is there. */
const passed = ["connection", "authexpired", "error"] as const satisfies (keyof ClientEvents)[];

export class Watch {
	readonly server: string;
	readonly identity: Identity;
	readonly line: Line;
	readonly popups = new Set<Popup>();
	/** Once the stores are there. */
	hub: Hub | undefined;

	readonly #left = new AbortController();

	/** Joins the watch of the popup's user; undefined for a visitor whom nobody knows. */
	static of(
		popup: Popup,
		identity: Identity | undefined = knownIdentity(popup.server, popup.options),
	): Watch | undefined {
		if (!identity) return undefined;
		const here = watches.get(popup.server) ?? [];
		watches.set(popup.server, here);
		let watch = here.find((w) => w.identity.key === identity.key);
		if (!watch) here.push((watch = new Watch(popup.server, identity)));
		watch.popups.add(popup);
		popup.watch = watch;
		popup.setUnread(watch.line.unread);
		if (watch.hub) void popup.load().catch(() => {});
		watch.line.connect();
		return watch;
	}

	private constructor(server: string, identity: Identity) {
		this.server = server;
		this.identity = identity;
		this.line = new Line({ server, ...identity.client }, browser());
		const { events } = this.line;
		const o = { signal: this.#left.signal };
		for (const type of passed) events.on(type, (detail) => this.#each((p) => p.emit(type, detail)), o);
		events.on("unread", ({ total }) => this.#unreadChanged(total), o);
		this.line.onwake = (why) =>
			this.#each((p) => {
				if (why === "call") p.call();
				void p.load().catch(() => {}); // what happens next tries again
			});
	}

	leave(popup: Popup): void {
		this.popups.delete(popup);
		popup.watch = undefined;
		if (this.popups.size > 0) return;
		this.#left.abort();
		this.#unreadChanged(0);
		if (this.hub) this.hub.close();
		else this.line.close();
		watches.set(
			this.server,
			(watches.get(this.server) ?? []).filter((w) => w !== this),
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
		document.title = titled(document.title, total);
		void setIconBadge(total > 0);
	}
}
