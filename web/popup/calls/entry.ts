/** The way into calls: what a popup can do about them, and shows of them, before the call part is here. */
import type { ConversationRef, Media } from "../../sdk/index.ts";
import { ignore } from "../../sdk/wait.ts";
import type { PanelActions } from "../actions.ts";
import type { CallParams } from "../commands.ts";
import { whenIdle } from "../idle.ts";
import type { Part } from "../part.ts";
import type { Screen } from "../screen.ts";
import type { CallDrawing } from "../views/drawing.ts";
import type { Calling, CallingPopup } from "./calling.ts";
import { beforeCalls, type CallsShown } from "./shown.ts";

export type CallPart = typeof import("../parts/call.ts");

/** What the way into calls needs of its popup. */
export interface EntryPopup extends CallingPopup {
	readonly actions: PanelActions;
	/** Undefined while the visitor is unknown to the server. */
	readonly callPart: Part<CallPart> | undefined;
}

export class CallEntry {
	readonly #popup: EntryPopup;
	/** Set once the call part is here. */
	#calling: Calling | undefined;

	constructor(popup: EntryPopup) {
		this.#popup = popup;
	}

	get calling(): Calling | undefined {
		return this.#calling;
	}

	get shown(): CallsShown {
		return this.#calling?.shown() ?? beforeCalls(this.#popup.state.pending);
	}

	/** The call part is here. */
	arrived(part: CallPart): void {
		this.#calling ??= new part.Calling(this.#popup);
		this.#popup.changed();
	}

	draw(screen: Screen): CallDrawing | undefined {
		const part = this.#popup.callPart?.content;
		if (!part || !this.#calling) return undefined;
		return part.drawCalls(screen, { ...this.#popup.actions, ...this.#calling.actions });
	}

	/** Fetches the part. Undefined for a visitor whom nobody knows. */
	async load(): Promise<Calling | undefined> {
		await this.#popup.callPart?.load();
		return this.#calling;
	}

	/** A call may come soon: fetches and prepares all that it needs, beside the panel. */
	async near(): Promise<void> {
		await Promise.all([this.#popup.panel(), this.load().then((calling) => calling?.prepare())]);
	}

	/** Fetches what a call needs once the visitor is known: it cannot be fetched by one who is offline when they call. */
	keepReady(): void {
		const { client, options } = this.#popup;
		const { audioCalls = true, videoCalls = true } = options.features ?? {};
		if (!client?.calls.available.ok || (!audioCalls && !videoCalls)) return;
		// Where that fails, the click tries again.
		whenIdle(() => ignore(this.load()));
	}

	async start(ref: ConversationRef, media: Media): Promise<void> {
		const popup = this.#popup;
		if (!popup.client || popup.state.pending.kind !== "none") return;
		popup.open({ focus: false });
		popup.change({ type: "pending", pending: { kind: "starting", ref, media } });
		ignore(this.near()); // the start itself tells what went wrong
		try {
			const calling = await this.load();
			if (calling) await calling.start(ref, media);
			else popup.change({ type: "settled" }); // the visitor is nobody any more
		} catch (error) {
			popup.change({ type: "settled" });
			popup.fail(error);
		}
	}

	async answer(p: CallParams & { camera?: boolean }): Promise<void> {
		await (await this.load())?.answer(p);
	}

	async decline(p: CallParams): Promise<void> {
		await (await this.load())?.decline(p);
	}

	async hangUp(p: CallParams): Promise<void> {
		await (await this.load())?.hangUp(p);
	}

	async moveHere(p: CallParams): Promise<void> {
		await (await this.load())?.moveHere(p);
	}
}
