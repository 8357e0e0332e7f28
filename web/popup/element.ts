/**
 * `<carillon-popup>`: draws the screen into the shadow root in which the loader's button already is. Keeps for itself only
 * what the DOM knows best: focus, scroll and the live regions.
 */
import { html, nothing, render, type TemplateResult } from "lit/html.js";
import type { PanelActions } from "./actions.ts";
import { Announcer } from "./announcer.ts";
import type { Part } from "./part.ts";
import type { Log, Screen } from "./screen.ts";
import { Scroll } from "./scroll.ts";
import { adopt } from "./styles/css.ts";
import { styles } from "./styles/index.ts";
import { floating } from "./views/bars.ts";
import { grow } from "./views/composer.ts";
import type { CallDrawing } from "./views/drawing.ts";
import { panelView } from "./views/panel.ts";
import type { View } from "./views/view.ts";

/** What the element asks of whoever it draws for. */
export interface PanelOwner {
	/** What there is to see now. */
	screen(): Screen;
	readonly actions: PanelActions;
	/** The part with the list of conversations. */
	readonly list: Part<unknown>;
	/** The call part; undefined while there can be no call. */
	callPart(): Part<unknown> | undefined;
	/** What there is to see of calls, once that part is here. */
	drawCalls(screen: Screen): CallDrawing | undefined;
}

/** After any of these a browser may let the page sound, wherever in the page they happen. */
const gestures = ["pointerdown", "pointerup", "keydown", "click"] as const;

/** It is drawn without `LitElement`, which comes with the first part that has a {@link View}. */
export class CarillonPopup extends HTMLElement {
	#owner: PanelOwner | undefined;
	#updating: Promise<void> | undefined;
	/** All is drawn before the loader's button. */
	#before: ChildNode | null | undefined;
	/** As last drawn. */
	#screen: Screen | undefined;
	#calls: CallDrawing | undefined;
	readonly #announcer = new Announcer();
	readonly #scroll: Scroll;
	/** The line of the transcript that Tab reaches; arrows move it. */
	#rovingKey: string | undefined;
	#tick: ReturnType<typeof setInterval> | undefined;
	#focused: Element | undefined;
	#draft = "";
	/** `seq` up to which the reader has had the log's end in sight. */
	#seen = 0;

	constructor() {
		super();
		const log = () => this.#log;
		this.#scroll = new Scroll({
			get log() {
				return log();
			},
			requestUpdate: () => this.requestUpdate(),
			older: async () => this.#owner?.actions.older(),
			began: () => {
				this.#rovingKey = undefined;
				this.#seen = seenBefore(this.#log);
			},
		});
	}

	set owner(owner: PanelOwner) {
		this.#owner = owner;
		this.requestUpdate();
	}

	/** The loader has made it: its button lives in it. */
	get #root(): ShadowRoot {
		return this.shadowRoot as ShadowRoot;
	}

	connectedCallback(): void {
		adopt(this.#root, styles);
		this.requestUpdate();
		this.addEventListener("keydown", this.#escape);
		document.addEventListener("visibilitychange", this.#looked);
		window.addEventListener("focus", this.#looked);
		for (const type of gestures) window.addEventListener(type, this.#playRefused, { capture: true });
	}

	disconnectedCallback(): void {
		this.removeEventListener("keydown", this.#escape);
		document.removeEventListener("visibilitychange", this.#looked);
		window.removeEventListener("focus", this.#looked);
		for (const type of gestures) window.removeEventListener(type, this.#playRefused, { capture: true });
		clearInterval(this.#tick);
		this.#tick = undefined;
	}

	focusComposer(): void {
		void this.#drawn().then(() => {
			// On a phone the keyboard would cover what was just opened.
			const wanted = matchMedia("(pointer: coarse)").matches ? [] : ["textarea", ".conversation", ".part"];
			firstOf(this.#root, ...wanted, ".panel")?.focus({ preventScroll: true });
		});
	}

	/** Tells a screen reader: politely, or at once. */
	say(text: string, urgent: boolean): void {
		this.#announcer.say(text, urgent);
		this.requestUpdate();
	}

	/** This conversation is on screen, its newest message in sight. */
	shows(conversation: string): boolean {
		const panel = this.#screen?.panel;
		return (
			document.visibilityState === "visible" &&
			panel?.kind === "chat" &&
			panel.log.conversation === conversation &&
			this.#scroll.atEnd
		);
	}

	get #log(): Log | undefined {
		const panel = this.#screen?.panel;
		return panel?.kind === "chat" ? panel.log : undefined;
	}

	#render(): TemplateResult | typeof nothing {
		const owner = this.#owner;
		if (!owner) return nothing;
		const { actions } = owner;
		const screen = owner.screen();
		const call = owner.drawCalls(screen);
		if (call) adopt(this.#root, call.styles);
		this.#screen = screen;
		this.#calls = call;
		const log = {
			atEnd: this.#scroll.atEnd,
			unseen: this.#unseen(),
			rovingKey: this.#rovingKey,
			scrolled: this.#scroll.moved,
			toEnd: () => this.#scroll.toEnd(),
			focused: (key: string) => {
				if (key === this.#rovingKey) return;
				this.#rovingKey = key;
				this.requestUpdate();
			},
		};
		const sent = () => {
			this.#scroll.atEnd = true;
			firstOf(this.#root, "textarea")?.focus();
		};
		return html`
			<div class="corner">
				${call?.rings() ?? nothing}
				${screen.panel ? nothing : floating(screen, actions, call?.bar() ?? nothing)}
			</div>
			${
				screen.panel
					? panelView(screen, screen.panel, actions, {
							call,
							callPart: owner.callPart(),
							list: owner.list,
							log,
							sent,
						})
					: nothing
			}
			${call?.sound() ?? nothing}
			${this.#announcer.view()}
		`;
	}

	/** Draws it anew, once for all that ask in one turn. */
	requestUpdate(): void {
		this.#updating ??= Promise.resolve().then(() => this.#draw());
	}

	/** Nothing is left to be drawn, in the views in it neither. */
	async #drawn(): Promise<void> {
		await this.#updating;
		for (const view of this.#root.querySelectorAll<View>("[data-view]")) await view.updateComplete;
	}

	#draw(): void {
		this.#updating = undefined;
		if (!this.isConnected) return; // it is drawn when it is
		this.#scroll.before();
		this.#before ??= this.#root.firstChild;
		render(this.#render(), this.#root, { host: this, renderBefore: this.#before });
		this.#growComposer();
		this.#scroll.after(this.#root);
		this.#looked();
		this.#playRefused();
		this.#keepTicking();
		void this.#drawn().then(() => this.#keepFocus());
	}

	#unseen(): number {
		const log = this.#log;
		if (!log) return 0;
		if (this.#scroll.atEnd) this.#seen = log.newest;
		return log.items.filter((item) => "row" in item && !item.mine && item.row.message.seq > this.#seen)
			.length;
	}

	/** Fits the field to a text that did not come from the keyboard. */
	#growComposer(): void {
		const panel = this.#screen?.panel;
		const draft = panel?.kind === "chat" ? panel.draft : "";
		if (draft === this.#draft) return;
		this.#draft = draft;
		const field = this.#root.querySelector<HTMLTextAreaElement>(".composer textarea");
		if (field) grow(field);
	}

	/** Draws again twice a second while a clock is on screen. */
	#keepTicking(): void {
		const wanted = this.#calls?.ticking ?? false;
		if (wanted === (this.#tick !== undefined)) return;
		clearInterval(this.#tick);
		this.#tick = wanted ? setInterval(() => this.requestUpdate(), 500) : undefined;
	}

	/** Tells the server that what is on screen was seen. */
	readonly #looked = (): void => {
		const log = this.#log;
		if (!log?.conversation || !document.hasFocus() || !this.shows(log.conversation)) return;
		if (log.newest > 0) this.#owner?.actions.seen(log.conversation, log.newest);
	};

	/** A call is drawn anew when a microphone has opened, and that too may let the page sound. */
	readonly #playRefused = (): void => {
		this.#calls?.playRefused(this.#root);
	};

	/** Focus that was in something now gone goes to what took its place, never to the page's start. */
	#keepFocus(): void {
		const root = this.#root;
		const had = this.#focused;
		this.#focused = root.activeElement ?? undefined;
		if (!had || had.isConnected || this.#focused) return;
		const next = firstOf(root, ".stage", "textarea", ".conversation", ".part", ".panel", ".launcher");
		next?.focus({ preventScroll: true });
		this.#focused = next;
	}

	readonly #escape = (event: KeyboardEvent): void => {
		const panel = this.#screen?.panel;
		if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !panel) return;
		event.preventDefault();
		event.stopPropagation();
		if (panel.devices) this.#owner?.actions.toggleDevices();
		else this.#owner?.actions.close();
	};
}

/** Up to where a conversation had been read when it was opened. */
function seenBefore(log: Log | undefined): number {
	const divider = log?.items.findIndex((item) => item.kind === "unread") ?? -1;
	if (!log || divider < 0) return log?.newest ?? 0;
	const before = log.items.slice(0, divider).findLast((item) => "row" in item);
	return before && "row" in before ? before.row.message.seq : 0;
}

/** The first of these that is found, in this order. One selector with commas would find the panel, which holds the others. */
function firstOf(root: ParentNode, ...selectors: string[]): HTMLElement | undefined {
	for (const selector of selectors) {
		const found = root.querySelector<HTMLElement>(selector);
		if (found) return found;
	}
	return undefined;
}
