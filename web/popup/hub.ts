/**
 * One client of the SDK with all popups of this page that speak for the same user. What must happen once
 * per page happens here: sounds, notifications, title and icon, and the choice of the popup that shows a call.
 */
import { type CallView, type Client, type ClientEvents, createClient, type Ring } from "../sdk/index.ts";
import { tellMessage, tellRing } from "./alerts.ts";
import { flashTitle, setIconBadge, titled } from "./badge.ts";
import type { Controller } from "./controller.ts";
import type { Identity } from "./identity.ts";
import { type Ringer, wanted } from "./ringer.ts";

const hubs = new Map<string, Hub[]>(); // by server

/** The hub of this server and identity, made and connected on first use. */
export function join(server: string, identity: Identity, controller: Controller): Hub {
	const here = hubs.get(server) ?? [];
	hubs.set(server, here);
	let hub = here.find((h) => h.identity.key === identity.key);
	if (!hub) {
		hub = new Hub(server, identity);
		here.push(hub);
	}
	hub.controllers.add(controller);
	hub.client.connect();
	return hub;
}

/** Told as they are to the listeners of every popup. */
const passed = [
	"message",
	"typing",
	"presence",
	"receipt",
	"userobject",
	"connection",
	"authexpired",
	"error",
	"call:incoming",
	"call:ringend",
	"call:active",
	"call:ended",
	"call:elsewhere",
] as const satisfies (keyof ClientEvents)[];

/** What changes the screen. */
const drawn = [
	"connection",
	"transcript",
	"conversations",
	"typing",
	"presence",
	"profile",
	"calls",
] as const satisfies (keyof ClientEvents)[];

export class Hub {
	readonly client: Client;
	readonly identity: Identity;
	readonly controllers = new Set<Controller>();

	readonly #server: string;
	readonly #left = new AbortController();
	readonly #homes = new Map<string, Controller>(); // by call: the popup that started or answered it
	readonly #rings = new Map<string, AbortController>(); // by call: what goes on while it rings
	#ringer: Promise<Ringer> | undefined;

	constructor(server: string, identity: Identity) {
		this.#server = server;
		this.identity = identity;
		this.client = createClient({ server, ...identity.client });
		const { client } = this;
		const o = { signal: this.#left.signal };
		for (const type of passed) client.on(type, (detail) => this.#each((c) => c.popup.emit(type, detail)), o);
		for (const type of drawn) client.on(type, () => this.#each((c) => c.refreshed()), o);
		client.on("calls", () => this.#callsChanged(), o);
		client.on("unread", ({ total }) => this.#unreadChanged(total), o);
		client.on("message", (event) => this.#messageCame(event), o);
		client.on("call:incoming", (ring) => this.#ringBegan(ring), o);
		client.on(
			"call:ringend",
			(end) => {
				this.#rings.get(end.ring.id)?.abort();
				this.#rings.delete(end.ring.id);
				this.homeOf(end.ring.id, end.ring.from.user)?.ringEnded(end);
			},
			o,
		);
		client.on(
			"call:ended",
			({ view, reason }) => {
				this.homeOf(view.id, ...view.others.map((p) => p.user))?.callEnded(view, reason);
				this.#homes.delete(view.id);
			},
			o,
		);
		client.on("synced", () => this.#each((c) => c.synced()), o);
		client.on("signedout", () => this.#each((c) => c.signedOut()), o);
	}

	leave(controller: Controller): void {
		this.controllers.delete(controller);
		if (this.controllers.size > 0) return;
		this.#left.abort();
		for (const ring of this.#rings.values()) ring.abort();
		void this.#ringer?.then((ringer) => ringer.update(undefined));
		this.#unreadChanged(0);
		this.client.close();
		hubs.set(
			this.#server,
			(hubs.get(this.#server) ?? []).filter((h) => h !== this),
		);
	}

	/** The popup that shows a call: where it was clicked, else whose destination takes part, else the first. */
	homeOf(call: string, ...others: string[]): Controller | undefined {
		const all = [...this.controllers];
		return (
			this.#homes.get(call) ??
			all.find((c) => c.popup.options.destination && others.includes(c.popup.options.destination)) ??
			all[0]
		);
	}

	/** This popup's visitor clicked: the call is shown there from now on. */
	claim(call: string, controller: Controller): void {
		this.#homes.set(call, controller);
	}

	ringFor(controller: Controller): Ring | undefined {
		return this.client.calls.rings.find((ring) => this.homeOf(ring.id, ring.from.user) === controller);
	}

	viewsFor(controller: Controller): CallView[] {
		return this.client.calls.views.filter(
			(view) => this.homeOf(view.id, ...view.others.map((p) => p.user)) === controller,
		);
	}

	#each(run: (controller: Controller) => void): void {
		for (const controller of this.controllers) run(controller);
	}

	#callsChanged(): void {
		const { calls } = this.client;
		this.#each((c) => c.callsChanged());
		const want = this.#first?.popup.options.ringtone === false ? undefined : wanted(calls);
		if (!want && !this.#ringer) return;
		this.#ringer ??= import("./call.ts").then((part) => new part.Ringer(this.client));
		void this.#ringer.then((ringer) =>
			// Asked again: the call may be over by the time its sounds have come.
			ringer.update(this.#first?.popup.options.ringtone === false ? undefined : wanted(calls)),
		);
	}

	#ringBegan(ring: Ring): void {
		const until = new AbortController();
		this.#rings.set(ring.id, until);
		const home = this.homeOf(ring.id, ring.from.user);
		if (!home) return;
		home.announce(
			home.words.say(ring.media === "video" ? "incomingVideo" : "incomingVoice", { name: ring.from.name }),
			true,
		);
		if (home.popup.options.notifications !== false) {
			flashTitle(home.words.say("titleRing", { name: ring.from.name }), until.signal);
			void tellRing(this.client, ring, home.alerting, until.signal);
		}
	}

	#messageCame(event: ClientEvents["message"]): void {
		const first = this.#first;
		if (!first) return;
		this.#each((c) => c.messageCame(event.message, event.mine));
		const looking = [...this.controllers].find((c) => c.alerting.looksAt(event.message.conversation));
		void tellMessage(this.client, event, (looking ?? first).alerting);
	}

	#unreadChanged(total: number): void {
		this.#each((c) => {
			c.popup.setUnread(total);
			c.popup.emit("unread", total);
			c.changed();
		});
		if (this.#first?.popup.options.notifications === false) return;
		document.title = titled(document.title, total);
		void setIconBadge(total > 0);
	}

	get #first(): Controller | undefined {
		return this.controllers.values().next().value;
	}
}
