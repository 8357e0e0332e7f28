/**
 * A view with a life of its own, which comes with a part: an element that draws the data it is given, and knows nothing of the
 * shell around it, be that the popup or a page. It draws into the tree in which it stands, so that focus, names and ids reach
 * across it.
 */
import { LitElement } from "lit";
import { adopt, type Sheet } from "../styles/css.ts";

export abstract class View extends LitElement {
	/** Styles beyond those of the shell. They are added to the tree once. */
	protected abstract readonly sheets: readonly Sheet[];

	override connectedCallback(): void {
		super.connectedCallback();
		this.dataset.view = ""; // by which a shell finds what it has to wait for
		adopt(this.getRootNode() as Document | ShadowRoot, this.sheets);
	}

	protected override createRenderRoot(): HTMLElement {
		return this;
	}
}

/** Names an element for the page. Where another copy of the popup has named its own before, that one draws. */
export function define(name: string, view: CustomElementConstructor): void {
	if (!customElements.get(name)) customElements.define(name, view);
}
