/** What there is to see of calls: plain data, and what of it is known without the call part. */
import type { CallView, DeviceReason, Leg, Ring, Source } from "../../sdk/index.ts";
import type { Face } from "../people.ts";
import type { Pending, RingProblem } from "../state.ts";
import type { Text } from "../strings/index.ts";
import type { Devices } from "./devices.ts";

export interface CallsShown {
	readonly rings: readonly RingCard[];
	readonly call: CallScreen;
	/** Faces of everyone in the calls and rings on screen, by user. */
	readonly faces: ReadonlyMap<string, Face>;
	/** What the call on screen lacks, until the visitor puts that away. */
	readonly problem: CallProblem | undefined;
	/** The menu of devices, if open. */
	readonly menu: DeviceMenu | undefined;
	/** Device id of the chosen speaker; "" is the system's default. */
	readonly speaker: string;
	/** The browser plays no sound of the call until the visitor clicks. */
	readonly soundBlocked: boolean;
}

export type CallScreen =
	/** The visitor is in no call. */
	| { readonly kind: "none" }
	/** A click is on its way to the server or to the camera. `user` is who called, if it was an answer. */
	| { readonly kind: "pending"; readonly status: Text; readonly user?: string }
	/** This tab hosts a call, and perhaps others on hold. */
	| { readonly kind: "here"; readonly view: CallView; readonly leg: Leg; readonly held: readonly CallView[] }
	/** Another tab or device hosts the call. */
	| { readonly kind: "elsewhere"; readonly view: CallView };

export interface RingCard {
	readonly ring: Ring;
	/** Why the call cannot be answered in this page. */
	readonly impossible: Text | undefined;
	/** Why it could not be answered a moment ago. */
	readonly problem: RingProblem | undefined;
	/** Whom answering puts on hold. */
	readonly holds: string | undefined;
}

/** A device that a call wants and cannot have, or why the server takes no media of it. */
export interface CallProblem {
	readonly cause: object;
	readonly text: string;
}

/** The menu of devices, before a call and in one. */
export interface DeviceMenu {
	/** In a call the picture is on screen already. */
	readonly inCall: boolean;
	readonly picture: MediaStream | undefined;
	/** Loudness of the microphone, 0–1. */
	readonly level: number;
	readonly problem: DeviceProblem | undefined;
	readonly found: readonly MediaDeviceInfo[];
	readonly chosen: Devices;
}

export interface DeviceProblem {
	readonly source: Source;
	readonly reason: DeviceReason;
}

/** Before the call part is here there is no call, and at most a click on its way to one. */
export function beforeCalls(pending: Pending): CallsShown {
	return {
		rings: [],
		call: pending.kind === "none" ? { kind: "none" } : clicked(pending),
		faces: new Map(),
		problem: undefined,
		menu: undefined,
		speaker: "",
		soundBlocked: false,
	};
}

export function clicked(pending: Exclude<Pending, { kind: "none" }>): CallScreen {
	if (pending.kind === "starting") return { kind: "pending", status: "calling" };
	const user = pending.kind === "answering" ? pending.ring.from.user : undefined;
	return { kind: "pending", status: "connecting", ...(user && { user }) };
}
