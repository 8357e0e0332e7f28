/**
 * Decides what one popup does: takes the site's commands, the visitor's clicks and the SDK's events, and keeps the state from
 * which the screen is derived. Draws nothing; the panel, once loaded, is told that something changed and asks for the screen.
 */
import {
	type CallView,
	type Client,
	type Conversation,
	type ConversationRef,
	DeviceError,
	type Message,
	type Ring,
	type RingEnd,
	type Transcript,
} from "../sdk/index.ts";
import type { Actions } from "./actions.ts";
import { type AlertContext, playSound } from "./alerts.ts";
import { Calling, type CallingPopup } from "./calling.ts";
import { endText, ringEndText } from "./callscreen.ts";
import type { CallParams } from "./commands.ts";
import { Drafts } from "./drafts.ts";
import { forgetGuest, guestIdentity, type Identity } from "./identity.ts";
import { whenIdle } from "./idle.ts";
import { askForNotifications, mayOfferNotifications } from "./notifications.ts";
import { OnScreen } from "./onscreen.ts";
import type { Options } from "./options.ts";
import { People } from "./people.ts";
import type { Chat, Popup } from "./popup.ts";
import { problemText } from "./problems.ts";
import { firstVisit, rememberOpen, wasOpen } from "./remember.ts";
import { type Screen, type ScreenFacts, screenOf } from "./screen.ts";
import { type Member, SharedClient } from "./shared.ts";
import { type Change, initial, type Notice, next, type State } from "./state.ts";
import { Words, wordsFor } from "./strings/index.ts";

/** What the controller asks of the panel. */
interface PanelView {
	requestUpdate(): void;
	focusComposer(): void;
	/** Through the live region: polite, or at once. */
	say(text: string, urgent: boolean): void;
	/** This conversation is on screen, its newest message in sight. */
	shows(conversation: string): boolean;
}

/** How long a notice stays. Long enough to read twice; errors stay until dismissed. */
const noticeMs = 8000;

export class Controller implements Chat, Member, CallingPopup, ScreenFacts {
	readonly popup: Popup;
	readonly drafts = new Drafts();
	readonly people = new People(this);
	readonly calling = new Calling(this);
	state: State;
	words = new Words();
	soundBlocked = false;

	#shared: SharedClient | undefined;
	#view: PanelView | undefined;
	#panel: Promise<unknown> | undefined;
	readonly #onScreen = new OnScreen(this);

	constructor(popup: Popup) {
		this.popup = popup;
		this.state = initial(popup.options.destination);
		this.#loadWords();
		this.#join();
		if (wasOpen(popup) || (popup.options.autoOpen && firstVisit(popup))) this.open({ focus: false });
	}

	// ---- What a screen is derived from.

	screen(): Screen {
		return screenOf(this);
	}

	get client(): Client | undefined {
		return this.#shared?.client;
	}

	get options(): Options {
		return this.popup.options;
	}

	get tabId(): string {
		return this.client?.tabId ?? "";
	}

	/** The conversation on screen. */
	get ref(): ConversationRef | undefined {
		const { place } = this.state.panel;
		return place.kind === "chat" ? place.ref : undefined;
	}

	get transcript(): Transcript | undefined {
		return this.ref && this.client?.messages.transcript(this.ref);
	}

	get conversation(): Conversation | undefined {
		return this.transcript?.conversation;
	}

	get views(): readonly CallView[] {
		return this.#shared?.viewsFor(this) ?? [];
	}

	/** All rings that this popup shows. Whoever calls second must not stay unseen until the first has given up. */
	get rings(): readonly Ring[] {
		const { pending } = this.state;
		// Answered here: the card makes room for the call at once.
		const answered = pending.kind === "answering" ? pending.ring.id : undefined;
		return (this.#shared?.ringsFor(this) ?? []).filter((ring) => ring.id !== answered);
	}

	get readTo(): ReadonlyMap<string, number> {
		return this.#onScreen.readTo;
	}

	get devices(): ScreenFacts["devices"] {
		return this.calling.devices;
	}

	get preview(): ScreenFacts["preview"] {
		return this.calling.preview ?? { stream: undefined, level: 0, problem: undefined, found: [] };
	}

	get online(): boolean {
		return navigator.onLine;
	}

	get offerNotifications(): boolean {
		return this.options.notifications !== false && mayOfferNotifications();
	}

	get alertContext(): AlertContext {
		return {
			words: this.words,
			notifications: this.options.notifications !== false,
			sounds: this.options.ringtone !== false,
			looksAt: (conversation) => this.#view?.shows(conversation) ?? false,
			nameOf: async (user) => {
				const known = await this.client?.fetchUser(user).catch(() => undefined);
				return known ? { ...known, name: this.words.called(known) } : { name: user };
			},
			show: (conversation) => {
				this.open();
				this.showConversation({ conversation });
			},
		};
	}

	// ---- What the site asks for.

	open({ focus = true } = {}): void {
		if (!this.#shared) this.#join(guestIdentity(this.popup.server));
		if (this.state.panel.kind === "open") return;
		this.change({ type: "open" });
		rememberOpen(this.popup, true);
		this.popup.setExpanded(true);
		this.popup.emit("open");
		this.#onScreen.update();
		void this.panel().then(() => focus && this.#view?.focusComposer());
	}

	close(): void {
		if (this.state.panel.kind === "closed") return;
		this.change({ type: "close" });
		rememberOpen(this.popup, false);
		this.popup.setExpanded(false);
		this.popup.emit("close");
		this.#onScreen.update();
	}

	updated(): void {
		this.#loadWords();
		this.changed();
	}

	identify(options: Pick<Options, "token" | "getToken">): void {
		const { token: _token, getToken: _getToken, ...rest } = this.options;
		this.popup.options = { ...rest, ...options };
		this.#shared?.leave(this);
		this.#shared = undefined;
		this.#onScreen.stop();
		this.#join();
		this.#onScreen.update();
	}

	shutdown({ signOut = false } = {}): void {
		this.close();
		this.#onScreen.stop();
		const shared = this.#shared;
		if (signOut) {
			forgetGuest(this.popup.server);
			// Whether the server heard it or not, nothing is kept here.
			void shared?.client
				.signOut()
				.catch(() => {})
				.finally(() => shared.leave(this));
		} else shared?.leave(this);
		this.#shared = undefined;
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

	answer(p: CallParams & { camera?: boolean } = {}): Promise<void> | undefined {
		return this.#answer(p.call, { camera: p.camera ?? false, microphone: true });
	}

	decline(p: CallParams = {}): Promise<void> | undefined {
		const ring = this.client?.calls.rings.find((r) => !p.call || r.id === p.call);
		return ring && this.calling.decline(ring.id);
	}

	hangUp(p: CallParams = {}): Promise<void> | undefined {
		const view = this.client?.calls.views.find((v) => (p.call ? v.id === p.call : v.here));
		return view && this.calling.hangUp(view.id);
	}

	moveCallHere(p: CallParams = {}): Promise<void> | undefined {
		const view = this.client?.calls.views.find((v) => (p.call ? v.id === p.call : !v.here));
		return view && this.calling.moveHere(view);
	}

	sendMessage(text: string, to?: ConversationRef): void {
		const ref = to ?? this.ref;
		if (!ref) throw new Error("carillon: sendMessage needs a conversation: open one or name a user");
		if (!this.#shared) this.#join(guestIdentity(this.popup.server));
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

	getState(): State {
		return this.state;
	}

	// ---- What the visitor does.

	readonly actions: Actions = {
		close: () => {
			this.close();
			this.popup.button.focus();
		},
		showList: () => {
			this.change({ type: "show", place: { kind: "list" } });
			this.#onScreen.update();
		},
		showConversation: (ref) => this.showConversation(ref),
		dismiss: (notice) => this.change({ type: "dismiss", notice }),
		dismissProblem: (problem) => this.change({ type: "dismissProblem", problem }),
		// The menu is in the call part.
		toggleDevices: () =>
			this.panel(true).then(
				() => this.change({ type: "devices" }),
				(error) => this.fail(error),
			),
		toggleSize: () => this.change({ type: "resize" }),
		askForNotifications: (wanted) => {
			void askForNotifications(wanted).then(() => this.changed());
			this.changed();
		},

		write: (text) => this.#write(text),
		send: () => this.#send(),
		resend: (key) => this.client?.messages.resend(key),
		discard: (key) => this.client?.messages.discard(key),
		older: async () => {
			if (this.ref) await this.client?.messages.older(this.ref).catch(() => {});
		},
		more: () => void this.client?.conversations.loadMore().catch(() => {}),
		join: (conversation) =>
			void this.client?.conversations.join(conversation).then(
				() => this.showConversation({ conversation }),
				(error) => this.fail(error),
			),
		declineInvitation: (conversation) =>
			void this.client?.conversations.leave(conversation).catch((error) => this.fail(error)),
		seen: (conversation, seq) => this.client?.messages.shown(conversation, seq),

		nearCall: () => void this.panel(true).catch(() => {}),
		start: (ref, media) => void this.calling.start(ref, media),
		answer: (call, p) => void this.#answer(call, p),
		decline: (call) => void this.calling.decline(call),
		silence: (call) => this.client?.calls.silence(call),
		hangUp: (call) => void this.calling.hangUp(call),
		cancel: () => this.calling.cancel(),
		moveHere: (call) => void this.moveCallHere({ call }),
		backToCall: (conversation) => {
			this.open({ focus: false });
			this.showConversation({ conversation });
		},
		setMicrophone: (call, on) => void this.calling.do(this.client?.calls.setMicrophone(call, on)),
		setCamera: (call, on) => {
			const leg = this.client?.calls.legs.find((l) => l.call === call);
			void this.calling.do(leg?.setCamera(on));
		},
		setHeld: (call, held) => void this.calling.do(this.client?.calls.setHeld(call, held)),
		chooseDevices: (choice) => this.calling.choose(choice),
		soundBlocked: (blocked) => {
			if (blocked === this.soundBlocked) return;
			this.soundBlocked = blocked;
			this.changed();
		},
	};

	change(change: Change): void {
		const before = this.#devicesOpen;
		this.state = next(this.state, change);
		if (this.#devicesOpen !== before) this.calling.menuChanged(this.#devicesOpen);
		this.changed();
	}

	showConversation(ref: ConversationRef): void {
		this.change({ type: "show", place: { kind: "chat", ref } });
		this.popup.emit("conversation", ref);
		this.#onScreen.update();
		this.#view?.focusComposer();
	}

	notify(notice: Notice): void {
		this.change({ type: "notice", notice });
		if (notice.kind === "status") setTimeout(() => this.change({ type: "dismiss", notice }), noticeMs);
	}

	fail(error: unknown): void {
		const text = problemText(error, this.words);
		if (text) this.notify({ kind: "error", text });
	}

	answerFailed(call: string, error: unknown): void {
		const text = problemText(error, this.words);
		if (!text) return;
		if (!this.client?.calls.rings.some((ring) => ring.id === call))
			return this.notify({ kind: "error", text });
		const microphone = error instanceof DeviceError && error.source === "microphone";
		this.change({ type: "ringProblem", problem: { call, text, microphone } });
	}

	// ---- What the shared client tells.

	announce(text: string, urgent: boolean): void {
		void this.panel().then(() => this.#view?.say(text, urgent));
	}

	changed(): void {
		this.#view?.requestUpdate();
	}

	/** What the SDK knows changed: perhaps also what is on screen, as when a conversation gets its id. */
	refreshed(): void {
		this.#onScreen.update();
		this.changed();
	}

	synced(): void {
		if (this.state.panel.kind === "open") this.#onScreen.update();
	}

	signedOut(): void {
		this.#onScreen.forget();
		this.drafts.clear();
		this.changed();
	}

	messageCame(message: Message, mine: boolean): void {
		if (mine || !document.hasFocus() || !this.#view?.shows(message.conversation)) return;
		if (message.kind === "text")
			this.#view.say(
				this.words.say("said", { name: this.people.nameIn(message), text: message.text ?? "" }),
				false,
			);
	}

	callsChanged(): void {
		const { views } = this;
		if (views.length === 0 && this.rings.length === 0) return;
		void this.panel(true).catch(() => {}); // the next change tries again
		// A call that was resumed after a reload, or moved here, is shown at once.
		const here = views.find((view) => view.here);
		if (here && this.calling.adopt(here.id)) {
			this.open({ focus: false });
			this.change({ type: "show", place: { kind: "chat", ref: { conversation: here.call.conversation } } });
			this.#onScreen.update();
		}
	}

	ringEnded(end: RingEnd): void {
		const text = ringEndText(end, this.words);
		const bar = this.client?.calls.views.some((view) => view.id === end.ring.id);
		if (text && !bar) this.notify({ kind: "status", text });
	}

	callEnded(view: CallView, reason: string): void {
		if (!this.calling.forget(view.id)) return; // it was in another tab
		this.notify({ kind: "status", text: endText(view, reason, this.words) });
		if (this.options.ringtone !== false) playSound("ended");
	}

	claim(call: string): void {
		this.#shared?.claim(call, this);
	}

	// ---- Steps.

	/** Loads the panel's part, and with `calls` the call part, and connects the element with this. */
	panel(calls = false): Promise<unknown> {
		this.#panel ??= import("./parts/panel.ts").then(
			(part) => {
				this.#keepCallsReady();
				this.#view = part.show(this.popup.host, {
					screen: () => this.screen(),
					actions: this.actions,
					callPart: () => this.calling.part,
				});
			},
			(cause) => {
				this.#panel = undefined; // the next click tries again
				this.popup.emit("error", new Error("The chat could not be loaded.", { cause }));
			},
		);
		return calls ? this.#panel.then(() => this.calling.load()) : this.#panel;
	}

	/** Fetches what a call needs once the visitor is known: it cannot be fetched by one who is offline when they call. */
	#keepCallsReady(): void {
		const { audioCalls = true, videoCalls = true } = this.options.features ?? {};
		if (!this.#panel || !this.client?.calls.available.ok || (!audioCalls && !videoCalls)) return;
		whenIdle(() => void this.calling.fetch().catch(() => {})); // the click tries again
	}

	get #devicesOpen(): boolean {
		return this.state.panel.kind === "open" && this.state.panel.devices;
	}

	/** Joins the shared client of `identity`; by default of whom the site or the browser says the visitor is. */
	#join(identity?: Identity): void {
		this.#shared = SharedClient.join(this, identity);
		this.#keepCallsReady();
	}

	#answer(call: string | undefined, p: { camera: boolean; microphone: boolean }): Promise<void> | undefined {
		const ring = this.client?.calls.rings.find((r) => !call || r.id === call);
		return ring && this.calling.answer(ring, p);
	}

	#write(text: string): void {
		const { ref, client, conversation } = this;
		if (!ref) return;
		const before = this.drafts.get(ref);
		this.drafts.set(ref, text);
		if (conversation) client?.messages.typing(conversation.id, text !== "");
		// The field shows by itself what is typed; only Send depends on whether there is anything.
		if ((before.trim() === "") !== (text.trim() === "")) this.changed();
	}

	#send(): boolean {
		const { ref, client, conversation } = this;
		const text = ref ? this.drafts.get(ref).trim() : "";
		if (!ref || !client || !text) return false;
		const limit = client.limits?.message_bytes ?? Number.POSITIVE_INFINITY;
		if (new TextEncoder().encode(text).length > limit) {
			this.notify({ kind: "error", text: this.words.say("tooLong") });
			return false;
		}
		const call = this.calling.inConversation(conversation);
		client.messages.send(ref, { text, ...(call && { call }) });
		if (conversation) client.messages.typing(conversation.id, false);
		this.drafts.set(ref, "");
		this.#onScreen.hasRead(ref); // whoever answers has read: the divider goes
		this.changed();
		return true;
	}

	#loadWords(): void {
		const { locale } = this.popup;
		void wordsFor(locale, this.options.strings).then((words) => {
			this.words = words;
			this.changed();
		});
	}
}
