/**
 * One client of the SDK, shared by all popups of this page that speak for the same user. What must happen once per page
 * happens here: sounds, notifications, the flashing title, and the choice of the popup that shows a call.
 */
import { CallStore } from "../sdk/calls/calls.ts";
import { TabClient } from "../sdk/client.ts";
import type { CallView, Client, ClientEvents, Message, Ring, RingEnd } from "../sdk/index.ts";
import { Account } from "./account.ts";
import { type AlertContext, caller, tellMessage, tellRing } from "./alerts.ts";
import { flashTitle } from "./badge.ts";
import type { Identity } from "./identity.ts";
import type { Popup } from "./popup.ts";
import { type Ringer, wantedSound } from "./ringer.ts";
import type { Words } from "./strings/index.ts";

/** One popup, as far as the shared client tells it things. */
export interface Member {
	readonly popup: Popup;
	readonly words: Words;
	readonly alertContext: AlertContext;
	/** Something that is drawn has changed. */
	changed(): void;
	/** What the SDK knows has changed, perhaps also which conversation is on screen. */
	refreshed(): void;
	synced(): void;
	signedOut(): void;
	messageCame(message: Message, mine: boolean): void;
	callsChanged(): void;
	ringEnded(end: RingEnd): void;
	callEnded(view: CallView, reason: string): void;
	/** For screen readers. */
	announce(text: string, urgent: boolean): void;
}

const clients = new WeakMap<Account, SharedClient>();

/** Events that every popup's listeners get unchanged. */
const forwarded = [
	"message",
	"typing",
	"presence",
	"marks",
	"userobject",
	"call:incoming",
	"call:ringend",
	"call:active",
	"call:ended",
	"call:elsewhere",
] as const satisfies (keyof ClientEvents)[];

/** Events after which the screen is drawn again. */
const redrawn = [
	"connection",
	"transcript",
	"conversations",
	"typing",
	"presence",
	"profile",
	"calls",
] as const satisfies (keyof ClientEvents)[];

export class SharedClient {
	readonly client: Client;

	readonly #account: Account;
	readonly #members = new Set<Member>();
	/** Aborted when the last popup has left. */
	readonly #closed = new AbortController();
	readonly #owners = new Map<string, Member>(); // by call: the popup that started or answered it
	readonly #rings = new Map<string, AbortController>(); // by call: aborted when it rings no more
	#ringer: Promise<Ringer> | undefined;

	/** Joins the client of the member's user, and makes and connects it on first use. Undefined for a visitor whom nobody knows. */
	static join(member: Member, identity?: Identity): SharedClient | undefined {
		const account = Account.join(member.popup, identity);
		if (!account) return undefined;
		const present = clients.get(account);
		const shared = present ?? new SharedClient(account);
		shared.#members.add(member);
		if (!present) {
			clients.set(account, shared);
			account.client = shared;
			// The page's other popups take part too in what the connection has kept until now.
			const others = [...account.popups].filter((p) => p !== member.popup);
			void Promise.allSettled(others.map((p) => p.load())).then(() => shared.#connect());
		}
		return shared;
	}

	private constructor(account: Account) {
		this.#account = account;
		const { base } = account;
		const client = new TabClient(
			{ server: base.server },
			base.env,
			(o) => new CallStore({ ...o, load: () => import("../sdk/leg/host.ts") }),
			base,
		);
		this.client = client;
		const o = { signal: this.#closed.signal };
		for (const type of forwarded)
			client.on(type, (detail) => this.#each((m) => m.popup.emit(type, detail)), o);
		for (const type of redrawn) client.on(type, () => this.#each((m) => m.refreshed()), o);
		client.on("calls", () => this.#callsChanged(), o);
		client.on("unread", () => this.#each((m) => m.changed()), o);
		client.on("message", (event) => this.#messageCame(event), o);
		client.on("call:incoming", (ring) => this.#ringBegan(ring), o);
		client.on(
			"call:ringend",
			(end) => {
				this.#rings.get(end.ring.id)?.abort();
				this.#rings.delete(end.ring.id);
				this.memberOf(end.ring.id, end.ring.from.user)?.ringEnded(end);
			},
			o,
		);
		client.on(
			"call:ended",
			({ view, reason }) => {
				this.memberOf(view.id, ...view.others.map((p) => p.user))?.callEnded(view, reason);
				this.#owners.delete(view.id);
			},
			o,
		);
		client.on("synced", () => this.#each((m) => m.synced()), o);
		client.on("signedout", () => this.#each((m) => m.signedOut()), o);
	}

	leave(member: Member): void {
		this.#members.delete(member);
		this.#account.leave(member.popup);
	}

	/** The last popup left. */
	close(): void {
		this.#closed.abort();
		for (const stop of this.#rings.values()) stop.abort();
		this.#ringer?.then(
			(ringer) => ringer.update(undefined),
			() => {},
		);
		this.client.close();
	}

	/** The popup that shows a call: where it was clicked, else whose destination takes part, else the first. */
	memberOf(call: string, ...others: string[]): Member | undefined {
		const all = [...this.#members];
		return (
			this.#owners.get(call) ??
			all.find((m) => m.popup.options.destination && others.includes(m.popup.options.destination)) ??
			all[0]
		);
	}

	/** This popup's visitor clicked: the call is shown there from now on. */
	claim(call: string, member: Member): void {
		this.#owners.set(call, member);
	}

	ringsFor(member: Member): Ring[] {
		return this.client.calls.rings.filter((ring) => this.memberOf(ring.id, ring.from.user) === member);
	}

	viewsFor(member: Member): CallView[] {
		return this.client.calls.views.filter(
			(view) => this.memberOf(view.id, ...view.others.map((p) => p.user)) === member,
		);
	}

	#connect(): void {
		if (!this.#closed.signal.aborted) this.client.connect();
	}

	#each(run: (member: Member) => void): void {
		for (const member of this.#members) run(member);
	}

	#callsChanged(): void {
		const { calls } = this.client;
		this.#each((m) => m.callsChanged());
		const want = this.#first?.popup.options.ringtone === false ? undefined : wantedSound(calls);
		if (!want && !this.#ringer) return;
		this.#ringer ??= import("./parts/call.ts").then((part) => new part.Ringer(this.client));
		this.#ringer.then(
			// Asked again: the call may be over by the time its sounds have come.
			(ringer) =>
				ringer.update(this.#first?.popup.options.ringtone === false ? undefined : wantedSound(calls)),
			() => {
				this.#ringer = undefined; // it could not be fetched; the next change of a call tries again
			},
		);
	}

	#ringBegan(ring: Ring): void {
		const stop = new AbortController();
		this.#rings.set(ring.id, stop);
		const member = this.memberOf(ring.id, ring.from.user);
		if (!member) return;
		const name = caller(ring, member.words);
		member.announce(
			member.words.say(ring.media === "video" ? "incomingVideo" : "incomingVoice", { name }),
			true,
		);
		if (member.popup.options.notifications !== false) {
			flashTitle(member.words.say("titleRing", { name }), stop.signal);
			void tellRing(this.client, ring, member.alertContext, stop.signal);
		}
	}

	#messageCame(event: ClientEvents["message"]): void {
		const first = this.#first;
		if (!first) return;
		this.#each((m) => m.messageCame(event.message, event.mine));
		const looking = [...this.#members].find((m) => m.alertContext.looksAt(event.message.conversation));
		void tellMessage(this.client, event, (looking ?? first).alertContext);
	}

	get #first(): Member | undefined {
		return this.#members.values().next().value;
	}
}
