/**
 * Which tab of a browser rings. All tabs race for one lock, and the tab that is likelier to be heard starts earlier: the focused
 * one first, then a visible one, then any that was ever clicked (others may not play sound at all).
 */
export interface TabState {
	readonly focused: boolean;
	readonly visible: boolean;
	readonly clicked: boolean;
}

/** Milliseconds to wait before racing. Far enough apart for a message between tabs. */
export function headStart(tab: TabState): number {
	if (tab.focused) return 0;
	if (tab.visible) return 80;
	return tab.clicked ? 160 : 320;
}

export function tabState(): TabState {
	return {
		focused: document.hasFocus(),
		visible: document.visibilityState === "visible",
		clicked: navigator.userActivation?.hasBeenActive ?? true,
	};
}
