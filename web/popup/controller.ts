/**
 * One popup's mind: joins the visitor's clicks, the SDK's state and the state of the screen. Draws nothing;
 * the panel, once loaded, is told that something changed and reads from here.
 */
import type {
	CallView,
	Client,
	Conversation,
	ConversationRef,
	Message,
	RingEnd,
	Transcript,
} from "../sdk/index.ts";
import type { Alerting } from "./alerts.ts";
import { Calling } from "./calling.ts";
import { endText, ringEndText } from "./callscreen.ts";
import { Drafts, refKey } from "./drafts.ts";
import { type Hub, join } from "./hub.ts";
import { forgetGuest, guestIdentity, type Identity } from "./identity.ts";
import type { Options } from "./options.ts";
import { People } from "./people.ts";
import { problemText } from "./problems.ts";
import type { Popup } from "./shell.ts";
import { type Change, initial, type Notice, next, type State } from "./state.ts";
import { Words, wordsFor } from "./strings/index.ts";

/** What the panel offers to its controller. */
export interface PanelView {
	requestUpdate(): void;
	focusComposer(): void;
	/** Through the live region: polite, or at once. */
	say(text: string, urgent: boolean): void;
	/** This conversation is on screen, its newest message in sight. */
	shows(conversation: string): boolean;
}

/** How long a notice stays. Long enough to read twice; errors stay until dismissed. */
const noticeMs = 8000;

export class Controller {
	readonly popup: Popup;
	readonly drafts = new Drafts();
	readonly people = new People(this);
	readonly calling = new Calling(this);
	state: State;
	words = new Words();
	/** My read mark when a conversation was opened: the divider stands after it. */
	readonly readTo = new Map<string, number>();

	#hub: Hub | undefined;
	#view: PanelView | undefined;
	#panel: Promise<unknown> | undefined;
	/** Aborted when another conversation is shown or the panel closes. */
	#watching: { key: string; stop: AbortController } | undefined;

	constructor(popup: Popup) {
		this.popup = popup;
		this.state = initial(popup.options.destination);
		this.#loadWords();
		this.#join();
		if (remembered(popup) || (popup.options.autoOpen && once(popup))) this.open({ focus: false });
	}

	get client(): Client | undefined {
		return this.#hub?.client;
	}

	get hub(): Hub | undefined {
		return this.#hub;
	}

	get options(): Options {
		return this.popup.options;
	}

	get tabId(): string {
		return this.client?.tabId ?? "";
	}

	/** The conversation on screen. */
	get ref(): ConversationRef | undefined {
		const { screen } = this.state.panel;
		return screen.kind === "chat" ? screen.ref : undefined;
	}

	get transcript(): Transcript | undefined {
		return this.ref && this.client?.messages.transcript(this.ref);
	}

	get alerting(): Alerting {
		return {
			words: this.words,
			notifications: this.options.notifications !== false,
			sounds: this.options.ringtone !== false,
			looksAt: (conversation) => this.#view?.shows(conversation) ?? false,
			nameOf: async (user) => {
				const known = await this.client?.fetchUser(user).catch(() => undefined);
				return known ?? { name: user };
			},
			show: (conversation) => {
				this.open();
				this.showConversation({ conversation });
			},
		};
	}

	// ---- What the site asks for.

	open({ focus = true } = {}): void {
		if (!this.#hub) this.#join(guestIdentity(this.popup.server, this.options));
		if (this.state.panel.kind === "open") return;
		this.change({ type: "open" });
		remember(this.popup, true);
		this.popup.setExpanded(true);
		this.popup.emit("open");
		this.#watch();
		void this.panel().then(() => focus && this.#view?.focusComposer());
	}

	close(): void {
		if (this.state.panel.kind === "closed") return;
		this.change({ type: "close" });
		remember(this.popup, false);
		this.popup.setExpanded(false);
		this.popup.emit("close");
		this.#watch();
	}

	updated(): void {
		this.#loadWords();
		this.changed();
	}

	/** The visitor is someone else now, or has become someone. */
	identify(options: Pick<Options, "token" | "getToken">): void {
		const { token: _token, getToken: _getToken, ...rest } = this.options;
		this.popup.options = { ...rest, ...options };
		this.#hub?.leave(this);
		this.#hub = undefined;
		this.#watching?.stop.abort();
		this.#watching = undefined;
		this.#join();
		this.#watch();
	}

	shutdown({ signOut = false } = {}): void {
		this.close();
		this.#watching?.stop.abort();
		const hub = this.#hub;
		if (signOut) {
			forgetGuest(this.popup.server);
			// Whether the server heard it or not, nothing is kept here.
			void hub?.client
				.signOut()
				.catch(() => {})
				.finally(() => hub.leave(this));
		} else hub?.leave(this);
		this.#hub = undefined;
		this.changed();
	}

	openConversation(ref: ConversationRef | string): void {
		this.open();
		this.showConversation(typeof ref === "string" ? { conversation: ref } : ref);
	}

	startCall(p: { media?: "audio" | "video"; to?: string } | "audio" | "video" = "video"): Promise<void> {
		const { media = "video", to } = typeof p === "string" ? { media: p } : p;
		const ref = to ? { to } : this.ref;
		if (!ref) throw new Error("carillon: startCall needs a conversation: open one or name a user");
		if (to) this.showConversation(ref);
		return this.calling.start(ref, media);
	}

	answer(p: { call?: string; camera?: boolean } = {}): Promise<void> | undefined {
		const ring = this.client?.calls.rings.find((r) => !p.call || r.id === p.call);
		return ring && this.calling.answer(ring, p.camera ?? false);
	}

	decline(p: { call?: string } = {}): Promise<void> | undefined {
		const ring = this.client?.calls.rings.find((r) => !p.call || r.id === p.call);
		return ring && this.calling.decline(ring);
	}

	hangUp(p: { call?: string } = {}): Promise<void> | undefined {
		const view = this.client?.calls.views.find((v) => (p.call ? v.id === p.call : v.here));
		return view && this.calling.hangUp(view.id);
	}

	moveCallHere(p: { call?: string } = {}): Promise<void> | undefined {
		const view = this.client?.calls.views.find((v) => (p.call ? v.id === p.call : !v.here));
		return view && this.calling.moveHere(view);
	}

	sendMessage(text: string, to?: ConversationRef): void {
		const ref = to ?? this.ref;
		if (!ref) throw new Error("carillon: sendMessage needs a conversation: open one or name a user");
		if (!this.#hub) this.#join(guestIdentity(this.popup.server, this.options));
		this.client?.messages.send(ref, { text });
	}

	prefill(text: string): void {
		if (this.ref) this.drafts.set(this.ref, text);
		this.changed();
	}

	setUserObject(key: string, value: unknown): Promise<void> | undefined {
		return this.client?.objects.set(key, value);
	}

	getUserObject(key: string): unknown {
		return this.client?.objects.get(key);
	}

	getUnread(): number {
		return this.client?.conversations.unread ?? 0;
	}

	getState(): State {
		return this.state;
	}

	// ---- What the visitor does.

	change(change: Change): void {
		this.state = next(this.state, change);
		this.changed();
	}

	showConversation(ref: ConversationRef): void {
		this.change({ type: "show", screen: { kind: "chat", ref } });
		this.popup.emit("conversation", ref);
		this.#watch();
		this.#view?.focusComposer();
	}

	showList(): void {
		this.change({ type: "show", screen: { kind: "list" } });
		this.#watch();
	}

	send(text: string): void {
		const { ref } = this;
		if (!ref || !this.client) return;
		const call = this.calling.inConversation(this.transcript?.conversation);
		this.client.messages.send(ref, { text, ...(call && { call }) });
		this.drafts.set(ref, "");
		this.readTo.delete(refKey(ref)); // who answers has read: the divider goes
		this.changed();
	}

	typing(on: boolean): void {
		const id = this.transcript?.conversation?.id;
		if (id) this.client?.messages.typing(id, on);
	}

	older(): Promise<unknown> | undefined {
		return this.ref && this.client?.messages.older(this.ref).catch(() => undefined);
	}

	notify(notice: Notice): void {
		this.change({ type: "notice", notice });
		if (notice.kind === "status") setTimeout(() => this.change({ type: "dismiss", notice }), noticeMs);
	}

	fail(error: unknown): void {
		const text = problemText(error, this.words);
		if (text) this.notify({ kind: "error", text });
	}

	announce(text: string, urgent: boolean): void {
		void this.panel().then(() => this.#view?.say(text, urgent));
	}

	// ---- What the hub tells.

	changed(): void {
		this.#view?.requestUpdate();
	}

	/** What the SDK knows changed: perhaps also what is on screen, as when a conversation gets its id. */
	refreshed(): void {
		this.#watch();
		this.changed();
	}

	synced(): void {
		if (this.state.panel.kind === "open") this.#watch();
	}

	signedOut(): void {
		this.readTo.clear();
		this.drafts.clear();
		this.changed();
	}

	messageCame(message: Message, mine: boolean): void {
		if (mine || !document.hasFocus() || !this.#view?.shows(message.conversation)) return;
		if (message.kind === "text")
			this.#view.say(`${this.people.nameIn(message)}: ${message.text ?? ""}`, false);
	}

	callsChanged(): void {
		const hub = this.#hub;
		if (!hub) return;
		const views = hub.viewsFor(this);
		if (views.length === 0 && !hub.ringFor(this)) return;
		void this.panel(true);
		// A call resumed after a reload, or moved here: it is to be seen.
		const here = views.find((view) => view.here);
		if (here && this.calling.adopt(here.id)) {
			this.open({ focus: false });
			this.change({ type: "show", screen: { kind: "chat", ref: { conversation: here.call.conversation } } });
			this.#watch();
		}
	}

	ringEnded(end: RingEnd): void {
		const text = ringEndText(end, this.words);
		const bar = this.client?.calls.views.some((view) => view.id === end.ring.id);
		if (text && !bar) this.notify({ kind: "status", text });
	}

	callEnded(view: CallView, reason: string): void {
		if (!this.calling.forget(view.id)) return; // it was in another tab
		this.notify({ kind: "status", text: endText(reason, view.others[0]?.name ?? "", this.words) });
		if (this.options.ringtone !== false) void import("./tones.ts").then((tones) => tones.play("ended"));
	}

	// ---- Steps.

	/** Loads the panel's part, and with `calls` the call part, and gives the element its controller. */
	panel(calls = false): Promise<unknown> {
		this.#panel ??= import("./panel.ts").then(
			(part) => {
				this.#view = part.show(this);
			},
			(cause) => {
				this.#panel = undefined; // the next click tries again
				this.popup.emit("error", new Error("The chat could not be loaded.", { cause }));
			},
		);
		return calls ? this.#panel.then(() => this.calling.load()) : this.#panel;
	}

	/** As who the site or the browser says the visitor is, if nobody else is meant. */
	#join(identity?: Identity): void {
		this.#hub = join(this, identity);
	}

	/** Keeps what is on screen fresh: transcript, presence. Does nothing when it is already watched. */
	#watch(): void {
		const { client, ref, state } = this;
		const open = state.panel.kind === "open" && client;
		const users = open ? this.people.onScreen() : [];
		const id = ref && client?.messages.transcript(ref).conversation?.id;
		const key = open ? `${id ?? (ref ? refKey(ref) : "list")} ${users.join(" ")}` : "";
		if (key === (this.#watching?.key ?? "")) return;
		this.#watching?.stop.abort();
		this.#watching = undefined;
		if (!open) return;
		const stop = new AbortController();
		this.#watching = { key, stop };
		client.presence.watch(users, stop.signal);
		if (!ref) return;
		this.#divide(ref, client.messages.transcript(ref).conversation);
		client.messages.open(ref, stop.signal).then(
			(transcript) => {
				this.#divide(ref, transcript.conversation);
				this.#watch(); // now that its members are known
			},
			() => {}, // it is tried again by itself, and the connection bar says why nothing comes
		);
	}

	#divide(ref: ConversationRef, conversation: Conversation | undefined): void {
		const me = conversation?.members.find((member) => member.id === this.client?.user?.id);
		const key = refKey(ref);
		if (!conversation || !me || this.readTo.has(key)) return;
		if (conversation.unread > 0) this.readTo.set(key, me.read);
	}

	#loadWords(): void {
		const { locale } = this.popup;
		void wordsFor(locale, this.options.strings).then((words) => {
			this.words = words;
			this.changed();
		});
	}
}

const storeKey = (popup: Popup, what: string) =>
	`carillon.${what} ${popup.server} ${popup.options.destination ?? ""}`;

function remembered(popup: Popup): boolean {
	return popup.options.persistOpen === true && session((s) => s.getItem(storeKey(popup, "open"))) === "1";
}

function remember(popup: Popup, open: boolean): void {
	if (popup.options.persistOpen) session((s) => s.setItem(storeKey(popup, "open"), open ? "1" : "0"));
}

/** True the first time in this tab. */
function once(popup: Popup): boolean {
	const key = storeKey(popup, "auto");
	const first = session((s) => s.getItem(key)) === null;
	session((s) => s.setItem(key, "1"));
	return first;
}

function session<T>(use: (storage: Storage) => T): T | undefined {
	try {
		return use(sessionStorage);
	} catch {
		return undefined; // storage is blocked
	}
}
