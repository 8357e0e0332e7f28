/** Hands what the server says to the store that it concerns. */
import type { CallStore } from "./calls/calls.ts";
import type { ConversationStore } from "./conversations.ts";
import type { Emitter } from "./emitter.ts";
import type { MessageStore } from "./messages.ts";
import type { ObjectStore } from "./objects.ts";
import type { People } from "./people.ts";
import type { SocketEvents } from "./socket.ts";
import type { ClientEvents } from "./types.ts";
import type { TypingStore } from "./typing.ts";
import type { EventData, Event as LogEvent } from "./wire.gen.ts";

export interface InboxOptions {
	events: Emitter<ClientEvents>;
	store: MessageStore;
	conversations: ConversationStore;
	calls: CallStore;
	objects: ObjectStore;
	people: People;
	typing: TypingStore;
	me: () => string;
}

export class Inbox {
	readonly #o: InboxOptions;

	constructor(o: InboxOptions) {
		this.#o = o;
	}

	/** `live`: it is new, not one of those that were missed. `ageMs`: how long it waited in this tab. */
	event(e: LogEvent, live: boolean, ageMs: number): void {
		switch (e.type) {
			case "message": {
				const m = e.data as EventData["message"];
				this.#o.store.apply(m);
				this.#o.typing.wrote(m.conversation, m.sender, this.#o.me());
				if (live) this.#o.events.emit("message", { message: m, mine: m.sender === this.#o.me() });
				break;
			}
			case "message.update":
				this.#o.store.apply(e.data as EventData["message.update"]);
				break;
			case "receipt": {
				const r = e.data as EventData["receipt"];
				this.#o.conversations.applyReceipt(r);
				this.#o.store.redraw(r.conversation);
				this.#o.events.emit("receipt", r);
				break;
			}
			case "conversation":
				this.#o.store.redraw(this.#o.conversations.apply(e.data as EventData["conversation"]).id);
				break;
			case "call":
				this.#o.calls.apply(e.data as EventData["call"], (e.age_ms ?? 0) + ageMs);
				break;
			case "userobject":
				this.#o.objects.apply(e.data as EventData["userobject"]);
				break;
			case "profile": {
				const u = e.data as EventData["profile"];
				this.#o.people.applyProfile(u);
				this.#o.conversations.applyProfile(u);
				this.#o.events.emit("profile", u);
				break;
			}
		}
	}

	notification(n: SocketEvents["notification"]): void {
		switch (n.method) {
			case "typing":
				return this.#o.typing.received(n.params, this.#o.me());
			case "presence":
				return this.#o.people.set(n.params);
			case "sessions":
				return this.#o.events.emit("sessions", undefined);
			case "slots":
			case "speaker":
			case "leg.end":
				return this.#o.calls.notification(n.method, n.params);
		}
	}
}
