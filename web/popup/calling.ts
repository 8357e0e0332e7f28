/** A popup's part in calls: what the buttons do, and which calls were begun here. */
import type { CallView, Conversation, ConversationRef, DeviceChoice, Media, Ring } from "../sdk/index.ts";
import { type CallScreen, callScreen } from "./callscreen.ts";
import type { Controller } from "./controller.ts";

type CallPart = typeof import("./call.ts");

/** Cameras, microphones and speakers as chosen last in this browser. */
export interface Devices extends DeviceChoice {
	speaker?: string;
}

const storeKey = "carillon.devices";

export class Calling {
	/** Views of the call part, once loaded. */
	part: CallPart | undefined;
	devices: Devices = storedDevices();

	readonly #c: Controller;
	/** Calls hosted here that the visitor already knows to be here. */
	readonly #known = new Set<string>();
	/** Aborted when the visitor thinks better of a click that is still on its way. */
	#clicked = new AbortController();

	constructor(controller: Controller) {
		this.#c = controller;
	}

	get screen(): CallScreen {
		const { hub, state } = this.#c;
		return callScreen(hub?.viewsFor(this.#c) ?? [], state.pending);
	}

	/** All that ring here: whoever calls second must not wait unseen until the first has given up. */
	get rings(): Ring[] {
		const { hub, client, state } = this.#c;
		// Answered here: the card makes room for the call at once.
		const answered = state.pending.kind === "answering" ? state.pending.ring.id : undefined;
		return (client?.calls.rings ?? []).filter(
			(ring) => ring.id !== answered && hub?.homeOf(ring.id, ring.from.user) === this.#c,
		);
	}

	async load(): Promise<void> {
		if (!this.part) {
			this.part = await import("./call.ts");
			this.#c.changed();
		}
		await this.#c.client?.calls.prepare().catch(() => {}); // what cannot be prepared is done on the click
	}

	async start(ref: ConversationRef, media: Media): Promise<void> {
		const { client } = this.#c;
		if (!client || this.#c.state.pending.kind !== "none") return;
		this.#c.open({ focus: false });
		this.#c.change({ type: "pending", pending: { kind: "starting", ref, media } });
		void this.#c.panel(true);
		await this.#settle(client.calls.start(ref, { media, devices: this.#choice, signal: this.#click() }));
	}

	async answer(ring: Ring, camera: boolean): Promise<void> {
		const { client } = this.#c;
		if (!client || this.#c.state.pending.kind !== "none") return;
		this.#c.hub?.claim(ring.id, this.#c);
		this.#known.add(ring.id);
		this.#c.change({ type: "pending", pending: { kind: "answering", ring } });
		this.#c.open({ focus: false });
		this.#c.showConversation({ conversation: ring.call.conversation });
		await this.#settle(
			client.calls.answer(ring.id, { camera, devices: this.#choice, signal: this.#click() }),
			ring.id,
		);
	}

	async decline(ring: Ring): Promise<void> {
		await this.#c.client?.calls.decline(ring.id).catch((error) => this.#c.fail(error));
	}

	async hangUp(call: string): Promise<void> {
		await this.#c.client?.calls.hangUp(call).catch((error) => this.#c.fail(error));
	}

	async moveHere(view: CallView): Promise<void> {
		const { client } = this.#c;
		if (!client || this.#c.state.pending.kind !== "none") return;
		this.#c.hub?.claim(view.id, this.#c);
		this.#known.add(view.id);
		this.#c.change({ type: "pending", pending: { kind: "moving", call: view.id } });
		this.#c.open({ focus: false });
		this.#c.showConversation({ conversation: view.call.conversation });
		await this.#settle(
			client.calls.moveHere(view.id, {
				camera: view.me.camera,
				devices: this.#choice,
				signal: this.#click(),
			}),
			view.id,
		);
	}

	/** Takes a click back that has not become a call yet. */
	cancel(): void {
		this.#clicked.abort();
	}

	/** Runs what a control does, and says what went wrong. */
	do(work: Promise<unknown> | undefined): void {
		work?.catch((error) => this.#c.fail(error));
	}

	async choose(choice: Devices): Promise<void> {
		this.devices = { ...this.devices, ...choice };
		try {
			localStorage.setItem(storeKey, JSON.stringify(this.devices));
		} catch {
			// Storage is blocked: chosen for this page only.
		}
		this.#c.changed();
		const { screen } = this;
		if (screen.kind === "here")
			await screen.leg.useDevices(this.#choice).catch((error) => this.#c.fail(error));
	}

	/** True once per call that came to this tab without a click, by a reload or a move. */
	adopt(call: string): boolean {
		if (this.#known.has(call) || this.#c.state.pending.kind !== "none") return false;
		this.#known.add(call);
		return true;
	}

	/** Whether the call was hosted here. */
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

	async #settle(work: Promise<{ readonly call: string }>, call?: string): Promise<void> {
		try {
			const leg = await work;
			this.#known.add(leg.call);
			this.#c.hub?.claim(leg.call, this.#c);
			const view = this.#c.client?.calls.views.find((v) => v.id === leg.call);
			// Glare and moves may lead elsewhere than where the click was.
			if (view && view.call.conversation !== this.#c.transcript?.conversation?.id && !call)
				this.#c.showConversation({ conversation: view.call.conversation });
		} catch (error) {
			if (call) this.#known.delete(call);
			this.#c.fail(error);
		} finally {
			this.#c.change({ type: "settled" });
		}
	}

	#click(): AbortSignal {
		this.#clicked = new AbortController();
		return this.#clicked.signal;
	}

	get #choice(): DeviceChoice {
		const { microphone, camera } = this.devices;
		return { ...(microphone && { microphone }), ...(camera && { camera }) };
	}
}

function storedDevices(): Devices {
	try {
		const kept: unknown = JSON.parse(localStorage.getItem(storeKey) ?? "{}");
		if (typeof kept !== "object" || kept === null) return {};
		const entries = Object.entries(kept).filter(([, id]) => typeof id === "string");
		return Object.fromEntries(entries) as Devices;
	} catch {
		return {};
	}
}
