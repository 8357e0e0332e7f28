/** A popup's part in calls: what the buttons do, and which calls were begun here. */
import {
	type CallView,
	type Client,
	type Conversation,
	type ConversationRef,
	DeviceError,
	type Media,
	type Ring,
} from "../sdk/index.ts";
import { type CallScreen, callScreen } from "./callscreen.ts";
import { choiceOf, type Devices, storeDevices, storedDevices } from "./devices.ts";
import type { Preview } from "./preview.ts";
import type { Change, State } from "./state.ts";

type CallPart = typeof import("./parts/call.ts");

/** What calls need of the popup that they are shown in. */
export interface CallingPopup {
	readonly client: Client | undefined;
	readonly state: State;
	/** Calls that this popup shows. */
	readonly views: readonly CallView[];
	/** The conversation on screen, once it is known. */
	readonly conversation: Conversation | undefined;
	change(change: Change): void;
	/** Something else that is drawn has changed. */
	changed(): void;
	open(o: { focus: boolean }): void;
	showConversation(ref: ConversationRef): void;
	/** Loads the panel's part. */
	panel(): Promise<unknown>;
	/** This popup shows the call from now on, whichever would have. */
	claim(call: string): void;
	/** Tells the visitor what went wrong. */
	fail(error: unknown): void;
	/** Tells on the card of a ring why it could not be answered. */
	answerFailed(call: string, error: unknown): void;
}

export class Calling {
	/** Views of the call part, once loaded. */
	part: CallPart | undefined;
	devices: Devices = storedDevices();
	/** Camera and microphone in the menu of devices, while that is open. */
	preview: Preview | undefined;

	readonly #popup: CallingPopup;
	/** Calls hosted here that the visitor knows of: they clicked for them, or the panel has opened for them. */
	readonly #known = new Set<string>();
	/** Aborted when the visitor takes back a click that is still on its way. */
	#clicked = new AbortController();

	constructor(popup: CallingPopup) {
		this.#popup = popup;
	}

	get screen(): CallScreen {
		return callScreen(this.#popup.views, this.#popup.state.pending);
	}

	/** Fetches everything that a call needs, so that a click works even where the network has gone meanwhile. */
	async fetch(): Promise<void> {
		if (this.part) return;
		// The second is the SDK's, which imports it too when a call begins and finds it loaded.
		[this.part] = await Promise.all([import("./parts/call.ts"), import("../sdk/leg/host.ts")]);
		this.#popup.changed();
	}

	async load(): Promise<void> {
		await this.fetch();
		await this.#popup.client?.calls.prepare().catch(() => {}); // what cannot be prepared is done on the click
	}

	async start(ref: ConversationRef, media: Media): Promise<void> {
		const { client, state } = this.#popup;
		if (!client || state.pending.kind !== "none") return;
		this.#popup.open({ focus: false });
		this.#popup.change({ type: "pending", pending: { kind: "starting", ref, media } });
		void this.#popup
			.panel()
			.then(() => this.load())
			.catch(() => {}); // the start itself tells what went wrong
		await this.#settle(
			client.calls.start(ref, { media, devices: choiceOf(this.devices), signal: this.#click() }),
		);
	}

	async answer(ring: Ring, p: { camera: boolean; microphone: boolean }): Promise<void> {
		const { client, state } = this.#popup;
		if (!client || state.pending.kind !== "none") return;
		this.#take(ring.id, { type: "pending", pending: { kind: "answering", ring } }, ring.call.conversation);
		await this.#settle(
			client.calls.answer(ring.id, { ...p, devices: choiceOf(this.devices), signal: this.#click() }),
			ring.id,
			(error) => this.#popup.answerFailed(ring.id, error),
		);
	}

	async decline(call: string): Promise<void> {
		await this.do(this.#popup.client?.calls.decline(call));
	}

	async hangUp(call: string): Promise<void> {
		await this.do(this.#popup.client?.calls.hangUp(call));
	}

	async moveHere(view: CallView): Promise<void> {
		const { client, state } = this.#popup;
		if (!client || state.pending.kind !== "none") return;
		this.#take(
			view.id,
			{ type: "pending", pending: { kind: "moving", call: view.id } },
			view.call.conversation,
		);
		const { camera } = view.me;
		await this.#settle(
			client.calls.moveHere(view.id, { camera, devices: choiceOf(this.devices), signal: this.#click() }),
			view.id,
		);
	}

	/** Takes a click back that has not become a call yet. */
	cancel(): void {
		this.#clicked.abort();
	}

	/** Waits until the work of a control is done, and tells the visitor if it failed. */
	async do(work: Promise<unknown> | undefined): Promise<void> {
		await work?.catch((error) => {
			const { screen } = this;
			// The leg keeps what its devices lack, and the screen shows it.
			const shown = error instanceof DeviceError && screen.kind === "here" && screen.leg.problem;
			if (!shown) this.#popup.fail(error);
		});
	}

	choose(choice: Devices): void {
		this.devices = { ...this.devices, ...choice };
		storeDevices(this.devices);
		this.#popup.changed();
		const { screen } = this;
		if (screen.kind === "here") void this.do(screen.leg.useDevices(choiceOf(this.devices)));
		else if (!("speaker" in choice)) void this.preview?.use(this.devices, true);
	}

	/** The preview lives as long as the menu of devices is open: closing it gives camera and microphone back. */
	menuChanged(open: boolean): void {
		const { client } = this.#popup;
		if (!open) {
			this.preview?.close();
			this.preview = undefined;
		} else if (client && this.part && !this.preview) {
			this.preview = new this.part.Preview(client, () => this.#popup.changed());
			void this.preview.use(this.devices, this.screen.kind !== "here");
		}
	}

	/** Returns true once for each call that came to this tab without a click here: by a reload, or by a move. */
	adopt(call: string): boolean {
		if (this.#known.has(call) || this.#popup.state.pending.kind !== "none") return false;
		this.#known.add(call);
		return true;
	}

	/** Forgets a call that has ended, and returns whether it was hosted here. */
	forget(call: string): boolean {
		return this.#known.delete(call);
	}

	/** Id of the call hosted here in whose conversation this is. */
	inConversation(conversation: Conversation | undefined): string | undefined {
		const { screen } = this;
		return screen.kind === "here" && screen.view.call.conversation === conversation?.id
			? screen.view.id
			: undefined;
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
