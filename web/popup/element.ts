/**
 * `<carillon-popup>`: draws a controller's state into the shadow root in which the loader's button already
 * is. Keeps for itself only what the DOM knows best: focus, scroll and the live regions.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { Announcer } from "./announcer.ts";
import { ticks } from "./callscreen.ts";
import type { Controller, PanelView } from "./controller.ts";
import { Scroll } from "./scroll.ts";
import { styles } from "./styles/index.ts";
import { floatingCall } from "./views/bars.ts";
import { panelView } from "./views/panel.ts";
import { soundView } from "./views/sound.ts";

export class CarillonPopup extends LitElement implements PanelView {
	static override styles = styles;

	readonly place = new Scroll(this);
	/** The bubble that Tab reaches; arrows move it. */
	rovingKey: string | undefined;

	readonly #announcer = new Announcer();
	#controller: Controller | undefined;
	#tick: ReturnType<typeof setInterval> | undefined;

	get controller(): Controller | undefined {
		return this.#controller;
	}

	set controller(controller: Controller) {
		this.#controller = controller;
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
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.removeEventListener("keydown", this.#escape);
		document.removeEventListener("visibilitychange", this.#looked);
		window.removeEventListener("focus", this.#looked);
		clearInterval(this.#tick);
		this.#tick = undefined;
	}

	focusComposer(): void {
		void this.updateComplete.then(() => {
			// On a phone the keyboard would cover what was just opened.
			const wanted = matchMedia("(pointer: coarse)").matches ? [] : ["textarea", ".conversation"];
			firstOf(this.renderRoot, ...wanted, ".panel")?.focus({ preventScroll: true });
		});
	}

	say(text: string, urgent: boolean): void {
		this.#announcer.say(text, urgent);
		this.requestUpdate();
	}

	shows(conversation: string): boolean {
		const c = this.#controller;
		return (
			document.visibilityState === "visible" &&
			c?.state.panel.kind === "open" &&
			c.transcript?.conversation?.id === conversation &&
			this.place.atEnd
		);
	}

	protected override render(): TemplateResult | typeof nothing {
		const c = this.#controller;
		if (!c) return nothing;
		const { calling } = c;
		const open = c.state.panel.kind === "open";
		return html`
			${calling.part?.ringsView(c, calling.rings) ?? nothing}
			${open ? panelView(c, this) : floatingCall(c)}
			${soundView(c)}
			${this.#announcer.view()}
		`;
	}

	protected override willUpdate(): void {
		this.place.before();
	}

	protected override updated(): void {
		this.place.after();
		this.#looked();
		this.#keepTicking();
		this.#keepFocus();
		const c = this.#controller;
		if (c && !(c.state.panel.kind === "open" && c.state.panel.devices)) c.calling.part?.devicesClosed(c);
	}

	/** A clock on screen is redrawn each second, and only then. */
	#keepTicking(): void {
		const screen = this.#controller?.calling.screen;
		const shown = screen?.kind === "here" || screen?.kind === "elsewhere" ? screen.view : undefined;
		const wanted = shown !== undefined && (ticks(shown) || screen?.kind === "elsewhere");
		if (wanted === (this.#tick !== undefined)) return;
		clearInterval(this.#tick);
		this.#tick = wanted ? setInterval(() => this.requestUpdate(), 500) : undefined;
	}

	/** Tells the server that what is on screen was seen. */
	readonly #looked = (): void => {
		const c = this.#controller;
		const conversation = c?.transcript?.conversation;
		if (!c || !conversation || !document.hasFocus() || !this.shows(conversation.id)) return;
		const newest = c.transcript?.rows.findLast((row) => row.message.seq > 0);
		if (newest) c.client?.messages.shown(conversation.id, newest.message.seq);
	};

	/** Focus that was in something now gone goes to what took its place, never to the page's start. */
	#keepFocus(): void {
		const root = this.renderRoot as ShadowRoot;
		const had = this.#focused;
		this.#focused = root.activeElement ?? undefined;
		if (!had || had.isConnected || this.#focused) return;
		const next =
			firstOf(root, ".stage", "textarea", ".conversation", ".panel") ?? this.#controller?.popup.button;
		next?.focus({ preventScroll: true });
		this.#focused = next;
	}
	#focused: Element | undefined;

	readonly #escape = (event: KeyboardEvent): void => {
		const c = this.#controller;
		if (
			event.key !== "Escape" ||
			event.defaultPrevented ||
			event.isComposing ||
			c?.state.panel.kind !== "open"
		)
			return;
		event.preventDefault();
		event.stopPropagation();
		if (c.state.panel.devices) c.change({ type: "devices" });
		else {
			c.close();
			c.popup.button.focus();
		}
	};
}

/** By preference. One selector with commas would give the first in the document: always the panel, which holds the others. */
function firstOf(root: ParentNode, ...selectors: string[]): HTMLElement | undefined {
	for (const selector of selectors) {
		const found = root.querySelector<HTMLElement>(selector);
		if (found) return found;
	}
	return undefined;
}
