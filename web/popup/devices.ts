/** Camera, microphone and speaker as chosen last in this browser. */
import type { DeviceChoice } from "../sdk/index.ts";

export interface Devices extends DeviceChoice {
	speaker?: string;
}

const storeKey = "carillon.devices";

export function storedDevices(): Devices {
	try {
		const kept: unknown = JSON.parse(localStorage.getItem(storeKey) ?? "{}");
		if (typeof kept !== "object" || kept === null) return {};
		const entries = Object.entries(kept).filter(([, id]) => typeof id === "string");
		return Object.fromEntries(entries) as Devices;
	} catch {
		return {};
	}
}

export function storeDevices(devices: Devices): void {
	try {
		localStorage.setItem(storeKey, JSON.stringify(devices));
	} catch {
		// Storage is blocked: chosen for this page only.
	}
}

/** What the SDK opens: everything but the speaker, and nothing that was not chosen. */
export function captured({ microphone, camera }: Devices): DeviceChoice {
	return { ...(microphone && { microphone }), ...(camera && { camera }) };
}
