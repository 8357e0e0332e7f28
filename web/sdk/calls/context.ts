/** What the call part needs of the rest. The lazily loaded media part (`leg/`) depends on this and on no store. */
import type { Environment } from "../environment.ts";
import type { Rpc } from "../rpc.ts";
import type { TabSocket } from "../socket.ts";
import type { CallView } from "../types.calls.ts";
import type { AnswerParams, DeviceChoice, Leg, StartParams } from "../types.ts";
import type { CallLeg, LegEnd, Slots, Snapshot, Speaker } from "../wire.gen.ts";

/** A leg of this tab as `sessionStorage` keeps it over a reload. */
export interface StoredLeg {
	readonly tab: string;
	readonly call: string;
	readonly leg: string;
	readonly secret: string;
	readonly microphone: boolean;
	readonly camera: boolean;
	readonly devices: DeviceChoice;
}

export interface LegContext {
	readonly env: Environment;
	readonly socket: TabSocket;
	readonly relayOnly: boolean;
	readonly singleLayer: boolean;
	me(): string;
	tab(): string;
	snapshot(call: string): Snapshot | undefined;
	/** A result or the data channel brought a snapshot. */
	take(s: Snapshot): void;
	/** Hung up here: not to be shown any more. */
	left(call: string): void;
	/** Something that is drawn changed. */
	changed(): void;
	error(err: Error): void;
	/** Durable events and requests over a leg's data channel; see messaging.md. */
	channel(call: string, rpc: Rpc | undefined): void;
	hostLock(leg: string, signal: AbortSignal): void;
	/** See `Tab.mayTakeOver`. */
	mayTakeOver(tab: string, signal: AbortSignal): Promise<boolean>;
	/** Legs of the pages before this one, and perhaps of a page that this one is a copy of. */
	stored(): StoredLeg[];
	store(legs: StoredLeg[]): void;
}

/** The lazily loaded part. */
export interface Host {
	readonly legs: readonly Leg[];
	/** This leg was hosted by the page before this one and is on its way here. */
	isResuming(leg: string): boolean;
	prepare(): void;
	start(
		params: { to?: string; conversation?: string } & StartParams,
		clientCallId: string,
		clicked: number,
		signal: AbortSignal,
	): Promise<Leg>;
	answer(call: string, p: AnswerParams, clicked: number, signal: AbortSignal): Promise<Leg>;
	move(call: string, p: AnswerParams, clicked: number, signal: AbortSignal): Promise<Leg>;
	/** After each greeting: legs of this page and of the page before it. */
	resume(): void;
	/** The newest snapshot of a call that a leg here belongs to. */
	follow(s: Snapshot): void;
	note(method: "slots" | "speaker" | "leg.end", params: Slots | Speaker | LegEnd): void;
	/** The page goes: says so to the server and keeps what a resume needs. */
	suspend(): void;
	devices(): Promise<MediaDeviceInfo[]>;
	preview(p: {
		camera: boolean;
		microphone: boolean;
		devices?: DeviceChoice;
		signal: AbortSignal;
	}): Promise<MediaStream>;
	/** Gives back every device and connection. Nothing is said to the server. */
	close(): void;
}

export type { CallLeg, CallView };
