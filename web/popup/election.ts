/**
 * Which tab of a browser rings. All race for one lock; who is likelier to be heard starts earlier:
 * focused first, then visible, then any that was ever clicked (others may not play sound at all).
 */
export interface Standing {
	readonly focused: boolean;
	readonly visible: boolean;
	readonly clicked: boolean;
}

/** Milliseconds to wait before racing. Far enough apart for a message between tabs. */
export function headStart(tab: Standing): number {
	if (tab.focused) return 0;
	if (tab.visible) return 80;
	return tab.clicked ? 160 : 320;
}

export function standing(): Standing {
	return {
		focused: document.hasFocus(),
		visible: document.visibilityState === "visible",
		clicked: navigator.userActivation?.hasBeenActive ?? true,
	};
}
