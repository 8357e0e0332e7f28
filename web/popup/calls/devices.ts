/** Camera, microphone and speaker as chosen last in this browser. */
import type { DeviceChoice } from "../../sdk/index.ts";
import { get, local, put } from "../../sdk/storage.ts";

export interface Devices extends DeviceChoice {
	speaker?: string;
}

const storeKey = "carillon.devices";

export function storedDevices(): Devices {
	try {
		const kept: unknown = JSON.parse(get(local(), storeKey) ?? "{}");
		if (typeof kept !== "object" || kept === null) return {};
		const entries = Object.entries(kept).filter(([, id]) => typeof id === "string");
		return Object.fromEntries(entries) as Devices;
	} catch {
		return {};
	}
}

export function storeDevices(devices: Devices): void {
	put(local(), storeKey, JSON.stringify(devices));
}

/** The part of it that the SDK opens: without the speaker, and without what was not chosen. */
export function choiceOf({ microphone, camera }: Devices): DeviceChoice {
	return { ...(microphone && { microphone }), ...(camera && { camera }) };
}
