/**
 * Decides what one popup does: takes the site's commands, the visitor's clicks and the SDK's events, and keeps the state from
 * which the screen is derived. Draws nothing; the panel, once loaded, is told that something changed and asks for the screen.
 */
import type {
	CallView,
	Client,
	Conversation,
	ConversationRef,
	Message,
	Ring,
	Transcript,
} from "../sdk/index.ts";
import { ignore } from "../sdk/wait.ts";
import type { PanelActions } from "./actions.ts";
import type { AlertContext } from "./alerts.ts";
import type { Calling } from "./calls/calling.ts";
import { CallEntry, type CallPart, type EntryPopup } from "./calls/entry.ts";
import type { CallsShown } from "./calls/shown.ts";
import type { CallParams } from "./commands.ts";
import { Composing, type ComposingPopup } from "./composing.ts";
import type { Drafts } from "./drafts.ts";
import { forgetGuest, guestIdentity, type Identity } from "./identity.ts";
import { whenIdle } from "./idle.ts";
import type { LinkPreview } from "./linkpreview.ts";
import { askForNotifications, mayOfferNotifications } from "./notifications.ts";
import { OnScreen } from "./onscreen.ts";
import type { Options } from "./options.ts";
import { Part } from "./part.ts";
import { People } from "./people.ts";
import type { Chat, Popup } from "./popup.ts";
import { problemText } from "./problems.ts";
import { firstVisit, rememberOpen, wasOpen } from "./remember.ts";
import { type Screen, type ScreenFacts, screenOf, wantsPreviews } from "./screen.ts";
import { type Member, SharedClient } from "./shared.ts";
import { spoken } from "./spoken.ts";
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

export class Controller implements Chat, Member, EntryPopup, ComposingPopup, ScreenFacts {
	readonly popup: Popup;
	readonly people = new People(this);
	state: State;
	words = new Words();

	#shared: SharedClient | undefined;
	#view: PanelView | undefined;
	#panel: Promise<unknown> | undefined;
	readonly #onScreen = new OnScreen(this);
	readonly #composing = new Composing(this);
	readonly #calls = new CallEntry(this);
	readonly #list = new Part(
		() => this.popup.loadPart<unknown>("list"),
		() => this.changed(),
	);

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

	get server(): string {
		return this.popup.server;
	}

	get tabId(): string {
		return this.client?.tabId ?? "";
	}

	get preview(): LinkPreview {
		return this.#composing.preview;
	}

	get linkPreviews(): boolean {
		return wantsPreviews(this.options);
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

	get drafts(): Drafts {
		return this.#composing.drafts;
	}

	get calls(): CallsShown {
		return this.#calls.shown;
	}

	get readTo(): ReadonlyMap<string, number> {
		return this.#onScreen.readTo;
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
		return this.#calls.start(ref, media);
	}

	answer(p: CallParams & { camera?: boolean } = {}): Promise<void> {
		return this.#calls.answer(p);
	}

	decline(p: CallParams = {}): Promise<void> {
		return this.#calls.decline(p);
	}

	hangUp(p: CallParams = {}): Promise<void> {
		return this.#calls.hangUp(p);
	}

	moveCallHere(p: CallParams = {}): Promise<void> {
		return this.#calls.moveHere(p);
	}

	sendMessage(text: string, to?: ConversationRef): void {
		const ref = to ?? this.ref;
		if (!ref) throw new Error("carillon: sendMessage needs a conversation: open one or name a user");
		if (!this.#shared) this.#join(guestIdentity(this.popup.server));
		this.client?.messages.send(ref, { text, preview: this.linkPreviews });
	}

	prefill(text: string): void {
		this.#composing.prefill(text);
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

	readonly actions: PanelActions = {
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
			void this.#calls.near().then(
				() => this.change({ type: "devices" }),
				(error) => this.fail(error),
			),
		toggleSize: () => this.change({ type: "resize" }),
		askForNotifications: (wanted) => {
			void askForNotifications(wanted).then(() => this.changed());
			this.changed();
		},

		write: (text) => this.#composing.write(text),
		dropPreview: () => this.preview.takeAway(),
		send: () => this.#composing.send(),
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

		nearCall: () => ignore(this.#calls.near()),
		start: (ref, media) => void this.#calls.start(ref, media),
		backToCall: (conversation) => {
			this.open({ focus: false });
			this.showConversation({ conversation });
		},
	};

	change(change: Change): void {
		const before = this.#devicesOpen;
		this.state = next(this.state, change);
		if (this.#devicesOpen !== before) this.calling?.menuChanged(this.#devicesOpen);
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

	hasRead(ref: ConversationRef): void {
		this.#onScreen.hasRead(ref);
	}

	// ---- Calls.

	get calling(): Calling | undefined {
		return this.#calls.calling;
	}

	get callPart(): Part<CallPart> | undefined {
		return this.#shared?.callPart;
	}

	get callViews(): readonly CallView[] {
		return this.#shared?.calls?.viewsFor(this) ?? [];
	}

	get callRings(): readonly Ring[] {
		return this.#shared?.calls?.ringsFor(this) ?? [];
	}

	get callOnScreen(): string | undefined {
		return this.calling?.inConversation(this.conversation);
	}

	claim(call: string): void {
		this.#shared?.calls?.claim(call, this);
	}

	callPartCame(part: CallPart): void {
		this.#calls.arrived(part);
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
		if (message.kind === "call" || message.kind === "system") return;
		const { text } = spoken(message, this.words);
		this.#view.say(this.words.say("said", { name: this.people.nameIn(message), text }), false);
	}

	// ---- Steps.

	/** Loads the panel's part, and connects the element with this. */
	panel(): Promise<unknown> {
		this.#panel ??= this.popup.loadPart<typeof import("./parts/panel.ts")>("panel").then(
			(part) => {
				this.#calls.keepReady();
				whenIdle(() => ignore(this.popup.loadPart("list"))); // so that it is there for who is offline later
				this.#view = part.show(this.popup.host, {
					screen: () => this.screen(),
					actions: this.actions,
					list: this.#list,
					callPart: () => this.callPart,
					drawCalls: (screen) => this.#calls.draw(screen),
				});
			},
			(cause) => {
				this.#panel = undefined; // the next click tries again
				this.popup.emit("error", new Error("The chat could not be loaded.", { cause }));
			},
		);
		return this.#panel;
	}

	get #devicesOpen(): boolean {
		return this.state.panel.kind === "open" && this.state.panel.devices;
	}

	/** Joins the shared client of `identity`; by default of whom the site or the browser says the visitor is. */
	#join(identity?: Identity): void {
		this.#shared = SharedClient.join(this, identity);
		if (this.#panel) this.#calls.keepReady();
	}

	#loadWords(): void {
		const { locale } = this.popup;
		void wordsFor(locale, this.options.strings).then((words) => {
			this.words = words;
			this.changed();
		});
	}
}
