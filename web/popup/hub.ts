/**
 * One client of the SDK with all popups of this page that speak for the same user. What must happen once
 * per page happens here: sounds, notifications, title and icon, and the choice of the popup that shows a call.
 */
import { TabClient } from "../sdk/client.ts";
import type { CallView, Client, ClientEvents, Ring } from "../sdk/index.ts";
import { tellMessage, tellRing } from "./alerts.ts";
import { flashTitle } from "./badge.ts";
import type { Controller } from "./controller.ts";
import type { Identity } from "./identity.ts";
import { type Ringer, wanted } from "./ringer.ts";
import { Watch } from "./watch.ts";

/** The hub of this controller's server and user, made and connected on first use. */
export function join(controller: Controller, identity?: Identity): Hub | undefined {
	const watch = Watch.of(controller.popup, identity);
	if (!watch) return undefined;
	const hub = watch.hub ?? new Hub(watch);
	hub.controllers.add(controller);
	if (!watch.hub) {
		watch.hub = hub;
		// The page's other popups have their part in what the line has kept.
		const others = [...watch.popups].filter((p) => p !== controller.popup);
		void Promise.allSettled(others.map((p) => p.load())).then(() => hub.connect());
	}
	return hub;
}

/** Told as they are to the listeners of every popup. */
const passed = [
	"message",
	"typing",
	"presence",
	"receipt",
	"userobject",
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
	readonly controllers = new Set<Controller>();

	readonly #watch: Watch;
	readonly #left = new AbortController();
	readonly #homes = new Map<string, Controller>(); // by call: the popup that started or answered it
	readonly #rings = new Map<string, AbortController>(); // by call: what goes on while it rings
	#ringer: Promise<Ringer> | undefined;

	constructor(watch: Watch) {
		this.#watch = watch;
		const { line } = watch;
		const client = new TabClient({ server: line.server }, line.env, line);
		this.client = client;
		const o = { signal: this.#left.signal };
		for (const type of passed) client.on(type, (detail) => this.#each((c) => c.popup.emit(type, detail)), o);
		for (const type of drawn) client.on(type, () => this.#each((c) => c.refreshed()), o);
		client.on("calls", () => this.#callsChanged(), o);
		client.on("unread", () => this.#each((c) => c.changed()), o);
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

	connect(): void {
		if (!this.#left.signal.aborted) this.client.connect();
	}

	leave(controller: Controller): void {
		this.controllers.delete(controller);
		this.#watch.leave(controller.popup);
	}

	/** The last popup left. */
	close(): void {
		this.#left.abort();
		for (const ring of this.#rings.values()) ring.abort();
		void this.#ringer?.then((ringer) => ringer.update(undefined));
		this.client.close();
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

	get #first(): Controller | undefined {
		return this.controllers.values().next().value;
	}
}
