/** A popup's part in calls: what the buttons do, and which calls were begun here. */
import { DeviceError } from "../../sdk/errors.ts";
import type {
	CallView,
	Client,
	Conversation,
	ConversationRef,
	Media,
	Ring,
	RingEnd,
} from "../../sdk/index.ts";
import type { CallActions } from "../actions.ts";
import { playSound } from "../alerts.ts";
import type { CallParams } from "../commands.ts";
import type { Options } from "../options.ts";
import type { People } from "../people.ts";
import { problemText } from "../problems.ts";
import type { Change, Notice, State } from "../state.ts";
import type { Words } from "../strings/index.ts";
import { choiceOf, type Devices, storeDevices, storedDevices } from "./devices.ts";
import { Preview } from "./preview.ts";
import { callScreen, callsShown } from "./screen.ts";
import type { CallScreen, CallsShown } from "./shown.ts";
import { endText, ringEndText } from "./words.ts";

/** What calls need of the popup that they are shown in. */
export interface CallingPopup {
	readonly client: Client | undefined;
	readonly options: Options;
	readonly state: State;
	readonly words: Words;
	readonly people: People;
	/** The conversation on screen, once it is known. */
	readonly conversation: Conversation | undefined;
	/** Calls and rings of the user that this popup shows. */
	readonly callViews: readonly CallView[];
	readonly callRings: readonly Ring[];
	change(change: Change): void;
	/** Something else that is drawn has changed. */
	changed(): void;
	/** Perhaps something else is on screen. */
	refreshed(): void;
	open(o: { focus: boolean }): void;
	showConversation(ref: ConversationRef): void;
	/** Loads the panel's part. */
	panel(): Promise<unknown>;
	/** This popup shows the call from now on, whichever would have. */
	claim(call: string): void;
	notify(notice: Notice): void;
	/** Tells the visitor what went wrong. */
	fail(error: unknown): void;
}

export class Calling {
	readonly #popup: CallingPopup;
	#devices: Devices = storedDevices();
	/** Camera and microphone in the menu of devices, while that is open. */
	#preview: Preview | undefined;
	/** Calls hosted here that the visitor knows of: they clicked for them, or the panel has opened for them. */
	readonly #known = new Set<string>();
	/** Aborted when the visitor takes back a click that is still on its way. */
	#clicked = new AbortController();
	#soundBlocked = false;

	constructor(popup: CallingPopup) {
		this.#popup = popup;
	}

	/** What there is to see of calls in this popup. */
	shown(): CallsShown {
		const { client, state, words, people, callViews: views } = this.#popup;
		const preview = this.#preview ?? { stream: undefined, level: 0, problem: undefined, found: [] };
		const facts = { client, state, words, people, views, rings: this.#rings, preview };
		return callsShown({ ...facts, devices: this.#devices, soundBlocked: this.#soundBlocked });
	}

	readonly actions: CallActions = {
		answer: (call, p) => void this.#answer(call, p),
		decline: (call) => void this.decline({ call }),
		silence: (call) => this.#popup.client?.calls.silence(call),
		hangUp: (call) => void this.hangUp({ call }),
		cancel: () => this.#clicked.abort(),
		moveHere: (call) => void this.moveHere({ call }),
		setMicrophone: (call, on) => void this.#do(this.#popup.client?.calls.setMicrophone(call, on)),
		setCamera: (call, on) => {
			const leg = this.#popup.client?.calls.legs.find((l) => l.call === call);
			void this.#do(leg?.setCamera(on));
		},
		setHeld: (call, held) => void this.#do(this.#popup.client?.calls.setHeld(call, held)),
		chooseDevices: (choice) => this.#choose(choice),
		soundBlocked: (blocked) => {
			if (blocked === this.#soundBlocked) return;
			this.#soundBlocked = blocked;
			this.#popup.changed();
		},
	};

	/** A call may come soon: makes ready what can be. */
	async prepare(): Promise<void> {
		await this.#popup.client?.calls.prepare().catch(() => {}); // what cannot be prepared is done on the click
	}

	/** The visitor has clicked, and sees that already. */
	async start(ref: ConversationRef, media: Media): Promise<void> {
		const { client } = this.#popup;
		if (!client) return this.#popup.change({ type: "settled" });
		const signal = this.#click();
		await this.#settle(client.calls.start(ref, { media, devices: choiceOf(this.#devices), signal }));
	}

	/** Without `call` the first that rings. */
	async answer({ call, camera = false }: CallParams & { camera?: boolean }): Promise<void> {
		await this.#answer(call, { camera, microphone: true });
	}

	async decline({ call }: CallParams): Promise<void> {
		const ring = this.#ring(call);
		if (ring) await this.#do(this.#popup.client?.calls.decline(ring.id));
	}

	async hangUp({ call }: CallParams): Promise<void> {
		const view = this.#popup.client?.calls.views.find((v) => (call ? v.id === call : v.here));
		if (view) await this.#do(this.#popup.client?.calls.hangUp(view.id));
	}

	async moveHere({ call }: CallParams): Promise<void> {
		const { client, state } = this.#popup;
		const view = client?.calls.views.find((v) => (call ? v.id === call : !v.here));
		if (!client || !view || state.pending.kind !== "none") return;
		this.#take(
			view.id,
			{ type: "pending", pending: { kind: "moving", call: view.id } },
			view.call.conversation,
		);
		const { camera } = view.me;
		await this.#settle(
			client.calls.moveHere(view.id, { camera, devices: choiceOf(this.#devices), signal: this.#click() }),
			view.id,
		);
	}

	/** The preview lives as long as the menu of devices is open: closing it gives camera and microphone back. */
	menuChanged(open: boolean): void {
		const { client } = this.#popup;
		if (!open) {
			this.#preview?.close();
			this.#preview = undefined;
		} else if (client && !this.#preview) {
			this.#preview = new Preview(client, () => this.#popup.changed());
			void this.#preview.use(this.#devices, this.#screen.kind !== "here");
		}
	}

	/** Rings, or calls of this user, are not as they were. */
	changed(): void {
		const { callViews } = this.#popup;
		if (callViews.length === 0 && this.#rings.length === 0) return;
		void this.#popup
			.panel()
			.then(() => this.prepare())
			.catch(() => {}); // the next change tries again
		// A call that was resumed after a reload, or moved here, is shown at once.
		const here = callViews.find((view) => view.here);
		if (here && this.#adopt(here.id)) {
			this.#popup.open({ focus: false });
			const ref = { conversation: here.call.conversation };
			this.#popup.change({ type: "show", place: { kind: "chat", ref } });
			this.#popup.refreshed();
		}
	}

	ringEnded(end: RingEnd): void {
		const text = ringEndText(end, this.#popup.words);
		const bar = this.#popup.client?.calls.views.some((view) => view.id === end.ring.id);
		if (text && !bar) this.#popup.notify({ kind: "status", text });
	}

	ended(view: CallView, reason: string): void {
		if (!this.#known.delete(view.id)) return; // it was in another tab
		this.#popup.notify({ kind: "status", text: endText(view, reason, this.#popup.words) });
		if (this.#popup.options.ringtone !== false) playSound("ended");
	}

	/** Id of the call hosted here in whose conversation this is. */
	inConversation(conversation: Conversation | undefined): string | undefined {
		const screen = this.#screen;
		return screen.kind === "here" && screen.view.call.conversation === conversation?.id
			? screen.view.id
			: undefined;
	}

	// ---- Steps.

	get #screen(): CallScreen {
		return callScreen(this.#popup.callViews, this.#popup.state.pending);
	}

	/** All rings that this popup shows. Whoever calls second must not stay unseen until the first has given up. */
	get #rings(): readonly Ring[] {
		const { pending } = this.#popup.state;
		// Answered here: the card makes room for the call at once.
		const answered = pending.kind === "answering" ? pending.ring.id : undefined;
		return this.#popup.callRings.filter((ring) => ring.id !== answered);
	}

	#ring(call: string | undefined): Ring | undefined {
		return this.#popup.client?.calls.rings.find((r) => !call || r.id === call);
	}

	async #answer(call: string | undefined, p: { camera: boolean; microphone: boolean }): Promise<void> {
		const { client, state } = this.#popup;
		const ring = this.#ring(call);
		if (!client || !ring || state.pending.kind !== "none") return;
		this.#take(ring.id, { type: "pending", pending: { kind: "answering", ring } }, ring.call.conversation);
		await this.#settle(
			client.calls.answer(ring.id, { ...p, devices: choiceOf(this.#devices), signal: this.#click() }),
			ring.id,
			(error) => this.#answerFailed(ring.id, error),
		);
	}

	/** It is told on the card of the ring, as long as that is there. */
	#answerFailed(call: string, error: unknown): void {
		const text = problemText(error, this.#popup.words);
		if (!text) return;
		if (!this.#ring(call)) return this.#popup.notify({ kind: "error", text });
		const microphone = error instanceof DeviceError && error.source === "microphone";
		this.#popup.change({ type: "ringProblem", problem: { call, text, microphone } });
	}

	/** Returns true once for each call that came to this tab without a click here: by a reload, or by a move. */
	#adopt(call: string): boolean {
		if (this.#known.has(call) || this.#popup.state.pending.kind !== "none") return false;
		this.#known.add(call);
		return true;
	}

	/** Waits until the work of a control is done, and tells the visitor if it failed. */
	async #do(work: Promise<unknown> | undefined): Promise<void> {
		await work?.catch((error) => {
			const screen = this.#screen;
			// The leg keeps what its devices lack, and the screen shows it.
			const shown = error instanceof DeviceError && screen.kind === "here" && screen.leg.problem;
			if (!shown) this.#popup.fail(error);
		});
	}

	#choose(choice: Devices): void {
		this.#devices = { ...this.#devices, ...choice };
		storeDevices(this.#devices);
		this.#popup.changed();
		const screen = this.#screen;
		if (screen.kind === "here") void this.#do(screen.leg.useDevices(choiceOf(this.#devices)));
		else if (!("speaker" in choice)) void this.#preview?.use(this.#devices, true);
	}

	/** A click brings this call here: the popup shows it before it is here. */
	#take(call: string, change: Change, conversation: string): void {
		this.#popup.claim(call);
		this.#known.add(call);
		this.#popup.change(change);
		this.#popup.open({ focus: false });
		this.#popup.showConversation({ conversation });
	}

	/** Waits until a click has become a call. `call` is which one, where the click says so. */
	async #settle(
		work: Promise<{ readonly call: string }>,
		call?: string,
		failed = (error: unknown) => this.#popup.fail(error),
	): Promise<void> {
		try {
			const leg = await work;
			this.#known.add(leg.call);
			this.#popup.claim(leg.call);
			const view = this.#popup.client?.calls.views.find((v) => v.id === leg.call);
			// When both called each other, the call may be in another conversation than the click.
			if (view && view.call.conversation !== this.#popup.conversation?.id && !call)
				this.#popup.showConversation({ conversation: view.call.conversation });
		} catch (error) {
			if (call) this.#known.delete(call);
			failed(error);
		} finally {
			this.#popup.change({ type: "settled" });
		}
	}

	#click(): AbortSignal {
		this.#clicked = new AbortController();
		return this.#clicked.signal;
	}
}
