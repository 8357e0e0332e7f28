/** The part a visitor sees. Loaded when they come near the button, or when someone calls. */
import type { Controller, PanelView } from "./controller.ts";
import { CarillonPopup } from "./element.ts";

/** Gives the loader's element its inside. */
export function show(controller: Controller): PanelView {
	if (!customElements.get("carillon-popup")) customElements.define("carillon-popup", CarillonPopup);
	const { host } = controller.popup;
	customElements.upgrade(host); // also one that is not on the page yet
	if (!(host instanceof CarillonPopup)) throw new Error("another copy of the popup owns <carillon-popup>");
	host.controller = controller;
	return host;
}
