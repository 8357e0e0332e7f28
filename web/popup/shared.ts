/**
 * One client of the SDK, shared by all popups of this page that speak for the same user. What must happen once per page
 * happens here and, for calls, in `calls/shared.ts`: sounds, notifications, the flashing title.
 */
import { DeferredCalls } from "../sdk/calls/deferred.ts";
import { TabClient } from "../sdk/client.ts";
import type { Client, ClientEvents, Message } from "../sdk/index.ts";
import { Account } from "./account.ts";
import type { CallPart } from "./calls/entry.ts";
import type { CallMember, SharedCalls } from "./calls/shared.ts";
import type { Identity } from "./identity.ts";
import { Part } from "./part.ts";
import type { Popup } from "./popup.ts";

/** One popup, as far as the shared client tells it things. */
export interface Member extends CallMember {
	/** Something that is drawn has changed. */
	changed(): void;
	/** What the SDK knows has changed, perhaps also which conversation is on screen. */
	refreshed(): void;
	synced(): void;
	signedOut(): void;
	messageCame(message: Message, mine: boolean): void;
	/** The call part is here. */
	callPartCame(part: CallPart): void;
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
	/** Fetched for the first call that the server tells of, and beside an open panel. */
	readonly callPart: Part<CallPart>;
	/** Set once the call part is here. */
	calls: SharedCalls | undefined;

	/** Joins the client of the member's user, and makes and connects it on first use. Undefined for a visitor whom nobody knows. */
	static join(member: Member, identity?: Identity): SharedClient | undefined {
		const account = Account.join(member.popup, identity);
		if (!account) return undefined;
		const present = clients.get(account);
		const shared = present ?? new SharedClient(account, member.popup);
		shared.#members.add(member);
		const part = shared.callPart.content;
		if (part) queueMicrotask(() => member.callPartCame(part)); // once the member knows that it has joined
		if (!present) {
			clients.set(account, shared);
			account.client = shared;
			// The page's other popups take part too in what the connection has kept until now.
			const others = [...account.popups].filter((p) => p !== member.popup);
			void Promise.allSettled(others.map((p) => p.load())).then(() => shared.#connect());
		}
		return shared;
	}

	private constructor(account: Account, popup: Popup) {
		this.#account = account;
		const { base } = account;
		this.callPart = new Part(
			() => popup.loadPart<CallPart>("call"),
			() => this.#callPartCame(),
		);
		const makeCalls = async () => (await this.callPart.load()).makeCalls;
		const client = new TabClient(
			{ server: base.server },
			base.env,
			(o) => new DeferredCalls(o, makeCalls),
			base,
		);
		this.client = client;
		const o = { signal: this.#closed.signal };
		for (const type of forwarded)
			client.on(type, (detail) => this.#each((m) => m.popup.emit(type, detail)), o);
		for (const type of redrawn) client.on(type, () => this.#each((m) => m.refreshed()), o);
		client.on("unread", () => this.#each((m) => m.changed()), o);
		client.on("message", (event) => this.#messageCame(event), o);
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
		this.client.close();
	}

	#connect(): void {
		if (!this.#closed.signal.aborted) this.client.connect();
	}

	#each(run: (member: Member) => void): void {
		for (const member of this.#members) run(member);
	}

	#callPartCame(): void {
		const part = this.callPart.content;
		if (!part) return this.#each((m) => m.changed());
		this.calls = new part.SharedCalls(this.client, this.#members, this.#closed.signal);
		this.#each((m) => m.callPartCame(part));
	}

	#messageCame(event: ClientEvents["message"]): void {
		const first = this.#first;
		if (!first) return;
		this.#each((m) => m.messageCame(event.message, event.mine));
		const looking = [...this.#members].find((m) => m.alertContext.looksAt(event.message.conversation));
		import("./alerts.ts").then(
			(alerts) => alerts.tellMessage(this.client, event, (looking ?? first).alertContext),
			() => {}, // without network there is nothing to tell of
		);
	}

	get #first(): Member | undefined {
		return this.#members.values().next().value;
	}
}
