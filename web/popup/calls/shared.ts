/**
 * What calls have in common for all popups of a page that speak for the same user: which popup shows a call, and what must
 * happen once per page when one rings.
 */
import type { CallView, Client, ClientEvents, Ring } from "../../sdk/index.ts";
import type { AlertContext } from "../alerts.ts";
import type { Popup } from "../popup.ts";
import type { Words } from "../strings/index.ts";
import { caller, flashTitle, tellRing } from "./alerts.ts";
import type { Calling } from "./calling.ts";
import { Ringer, wantedSound } from "./ringer.ts";

/** One popup, as far as calls tell it things. */
export interface CallMember {
	readonly popup: Popup;
	readonly words: Words;
	readonly alertContext: AlertContext;
	/** Its part in calls. */
	readonly calling: Calling | undefined;
	/** For screen readers. */
	announce(text: string, urgent: boolean): void;
}

export class SharedCalls {
	readonly #client: Client;
	readonly #members: ReadonlySet<CallMember>;
	readonly #ringer: Ringer;
	readonly #owners = new Map<string, CallMember>(); // by call: the popup that started or answered it
	readonly #rings = new Map<string, AbortController>(); // by call: aborted when it rings no more

	/** `closed` aborts when the last popup has left. */
	constructor(client: Client, members: ReadonlySet<CallMember>, closed: AbortSignal) {
		this.#client = client;
		this.#members = members;
		this.#ringer = new Ringer(client);
		const o = { signal: closed };
		client.on("calls", () => this.#changed(), o);
		client.on("call:incoming", (ring) => this.#ringBegan(ring), o);
		client.on("call:ringend", (end) => this.#ringEnded(end), o);
		client.on("call:ended", (end) => this.#ended(end), o);
		closed.addEventListener("abort", () => {
			for (const stop of this.#rings.values()) stop.abort();
			this.#ringer.update(undefined);
		});
	}

	/** The popup that shows a call: where it was clicked, else whose destination takes part, else the first. */
	memberOf(call: string, ...others: string[]): CallMember | undefined {
		const all = [...this.#members];
		return (
			this.#owners.get(call) ??
			all.find((m) => m.popup.options.destination && others.includes(m.popup.options.destination)) ??
			all[0]
		);
	}

	/** This popup's visitor clicked: the call is shown there from now on. */
	claim(call: string, member: CallMember): void {
		this.#owners.set(call, member);
	}

	ringsFor(member: CallMember): Ring[] {
		return this.#client.calls.rings.filter((ring) => this.memberOf(ring.id, ring.from.user) === member);
	}

	viewsFor(member: CallMember): CallView[] {
		return this.#client.calls.views.filter(
			(view) => this.memberOf(view.id, ...view.others.map((p) => p.user)) === member,
		);
	}

	#changed(): void {
		for (const member of this.#members) member.calling?.changed();
		const [first] = this.#members;
		this.#ringer.update(
			first?.popup.options.ringtone === false ? undefined : wantedSound(this.#client.calls),
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
			void tellRing(this.#client, ring, member.alertContext, stop.signal);
		}
	}

	#ringEnded(end: ClientEvents["call:ringend"]): void {
		const { id, from } = end.ring;
		this.#rings.get(id)?.abort();
		this.#rings.delete(id);
		this.memberOf(id, from.user)?.calling?.ringEnded(end);
	}

	#ended({ view, reason }: ClientEvents["call:ended"]): void {
		this.memberOf(view.id, ...view.others.map((p) => p.user))?.calling?.ended(view, reason);
		this.#owners.delete(view.id);
	}
}
