/**
 * `<carillon-popup>`: draws the screen into the shadow root in which the loader's button already is. Keeps for itself only
 * what the DOM knows best: focus, scroll and the live regions.
 */
import { type CSSResult, html, LitElement, nothing, type TemplateResult } from "lit";
import type { Actions } from "./actions.ts";
import { Announcer } from "./announcer.ts";
import { ticks } from "./callscreen.ts";
import type { Log, Screen } from "./screen.ts";
import { Scroll } from "./scroll.ts";
import { styles } from "./styles/index.ts";
import { floatingCall } from "./views/bars.ts";
import { grow } from "./views/composer.ts";
import { panelView } from "./views/panel.ts";
import { playRefused, soundView } from "./views/sound.ts";

/** What the element asks of whoever it draws for. */
export interface PanelOwner {
	/** What there is to see now. */
	screen(): Screen;
	readonly actions: Actions;
	/** Views of the call part, once it is loaded. */
	callPart(): typeof import("./parts/call.ts") | undefined;
}

/** After any of these a browser may let the page sound, wherever in the page they happen. */
const gestures = ["pointerdown", "pointerup", "keydown", "click"] as const;

export class CarillonPopup extends LitElement {
	static override styles = styles;

	#owner: PanelOwner | undefined;
	/** As last drawn. */
	#screen: Screen | undefined;
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

	/** The loader's styles stay: its button lives on. */
	protected override createRenderRoot(): HTMLElement | DocumentFragment {
		const before = [...(this.shadowRoot?.adoptedStyleSheets ?? [])];
		const root = super.createRenderRoot() as ShadowRoot;
		root.adoptedStyleSheets.unshift(...before);
		return root;
	}

	override connectedCallback(): void {
		super.connectedCallback();
		this.addEventListener("keydown", this.#escape);
		document.addEventListener("visibilitychange", this.#looked);
		window.addEventListener("focus", this.#looked);
		for (const type of gestures) window.addEventListener(type, this.#playRefused, { capture: true });
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.removeEventListener("keydown", this.#escape);
		document.removeEventListener("visibilitychange", this.#looked);
		window.removeEventListener("focus", this.#looked);
		for (const type of gestures) window.removeEventListener(type, this.#playRefused, { capture: true });
		clearInterval(this.#tick);
		this.#tick = undefined;
	}

	/** What the call part draws has styles of its own. */
	#style(styles: readonly CSSResult[]): void {
		const { adoptedStyleSheets: all } = this.renderRoot as ShadowRoot;
		for (const { styleSheet } of styles) if (styleSheet && !all.includes(styleSheet)) all.push(styleSheet);
	}

	focusComposer(): void {
		void this.updateComplete.then(() => {
			// On a phone the keyboard would cover what was just opened.
			const wanted = matchMedia("(pointer: coarse)").matches ? [] : ["textarea", ".conversation"];
			firstOf(this.renderRoot, ...wanted, ".panel")?.focus({ preventScroll: true });
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

	protected override render(): TemplateResult | typeof nothing {
		const owner = this.#owner;
		if (!owner) return nothing;
		const { actions } = owner;
		const call = owner.callPart();
		if (call) this.#style(call.callStyles);
		const screen = owner.screen();
		this.#screen = screen;
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
			firstOf(this.renderRoot, "textarea")?.focus();
		};
		return html`
			<div class="corner">
				${call?.ringsView(screen, actions) ?? nothing}
				${screen.panel ? nothing : floatingCall(screen, actions)}
			</div>
			${screen.panel ? panelView(screen, screen.panel, actions, { call, log, sent }) : nothing}
			${soundView(screen, actions)}
			${this.#announcer.view()}
		`;
	}

	protected override willUpdate(): void {
		this.#scroll.before();
	}

	protected override updated(): void {
		this.#growComposer();
		this.#scroll.after(this.renderRoot);
		this.#looked();
		this.#playRefused();
		this.#keepTicking();
		this.#keepFocus();
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
		const field = this.renderRoot.querySelector<HTMLTextAreaElement>(".composer textarea");
		if (field) grow(field);
	}

	/** Draws again twice a second while a clock is on screen. */
	#keepTicking(): void {
		const call = this.#screen?.call;
		const wanted = call?.kind === "elsewhere" || (call?.kind === "here" && ticks(call.view));
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
		if (this.#owner && this.#screen?.soundBlocked) playRefused(this.renderRoot, this.#owner.actions);
	};

	/** Focus that was in something now gone goes to what took its place, never to the page's start. */
	#keepFocus(): void {
		const root = this.renderRoot as ShadowRoot;
		const had = this.#focused;
		this.#focused = root.activeElement ?? undefined;
		if (!had || had.isConnected || this.#focused) return;
		const next = firstOf(root, ".stage", "textarea", ".conversation", ".panel", ".launcher");
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
