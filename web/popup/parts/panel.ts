/** The part that a visitor sees. Loaded when they come near the button, or when someone calls. */
import "./common.ts";
import { CarillonPopup, type PanelOwner } from "../element.ts";

/** Gives the loader's element its content. */
export function show(host: HTMLElement, owner: PanelOwner): CarillonPopup {
	if (!customElements.get("carillon-popup")) customElements.define("carillon-popup", CarillonPopup);
	customElements.upgrade(host); // also one that is not on the page yet
	if (!(host instanceof CarillonPopup)) throw new Error("another copy of the popup owns <carillon-popup>");
	host.owner = owner;
	return host;
}
