/** What the media part (`leg/`), which is loaded late, and the rest need of each other. It depends on this and on no store. */
import type { Emitter } from "../emitter.ts";
import type { Environment } from "../environment.ts";
import type { Rpc } from "../rpc.ts";
import type { TabSocket } from "../socket.ts";
import type { CallView } from "../types.calls.ts";
import type { AnswerParams, Calls, ClientEvents, DeviceChoice, Leg, StartParams } from "../types.ts";
import type { Who } from "../who.ts";
import type { CallChange, CallLeg, LegEnd, Slots, Snapshot, Speaker } from "../wire.gen.ts";

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
	/** The result of a request brought a snapshot. */
	apply(s: Snapshot): void;
	/** The call was hung up here and is not shown any more. */
	left(call: string): void;
	/** Something changed that a page draws. */
	changed(): void;
	error(err: Error): void;
	/** The data channel of a call's leg has opened, or closed. Requests and changes may go over it. */
	channel(call: string, rpc: Rpc | undefined): void;
	/** Takes the lock that keeps the browser from freezing this page, until the signal aborts. */
	hostLock(leg: string, signal: AbortSignal): void;
	/** See `Tab.mayTakeOver`. */
	mayTakeOver(tab: string, signal: AbortSignal): Promise<boolean>;
	/** Legs of the pages before this one, and perhaps of a page that this one is a copy of. */
	stored(): StoredLeg[];
	store(legs: StoredLeg[]): void;
}

/** The part that is loaded late. */
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
	/** After each welcome: binds the legs of this page again. */
	rebind(): void;
	/** After each greeting: what is live is known, and the legs of the page before this one are resumed. */
	resume(): void;
	/** A new snapshot of a call; a leg of it may be here. */
	applySnapshot(s: Snapshot): void;
	notification(method: "slots" | "speaker" | "leg.end", params: Slots | Speaker | LegEnd): void;
	/** The page is left: tells the server, which then shortens the grace time. */
	suspend(): void;
	devices(): Promise<MediaDeviceInfo[]>;
	preview(p: {
		camera: boolean;
		microphone: boolean;
		devices?: DeviceChoice;
		signal: AbortSignal;
	}): Promise<MediaStream>;
	/** Gives back every device and connection. The server is told nothing. */
	close(): void;
}

export type { CallLeg, CallView };

/** A client's calls, and what it tells them. */
export interface ClientCalls extends Calls {
	/** A greeting begins: legs of this page are bound to the new connection. */
	welcomed(): void;
	/** The greeting has ended: a call that it did not have is over, and from now on what rings is shown. */
	synced(): void;
	/** A change of a call, `waitedMs` ago. */
	apply(c: CallChange, waitedMs?: number): void;
	notification(method: "slots" | "speaker" | "leg.end", params: Slots | Speaker | LegEnd): void;
	/** Another tab of this profile tells something. */
	siblingTold(topic: string, data: unknown): void;
	/** The page is left. Its legs are left to their grace time. */
	suspend(): void;
	/** After a sign-out: gives back the devices and forgets everything. */
	clear(): void;
	close(): void;
}

/** What calls need of their client. */
export interface CallsOfClient
	extends Pick<
		LegContext,
		"env" | "socket" | "relayOnly" | "singleLayer" | "me" | "tab" | "channel" | "hostLock" | "mayTakeOver"
	> {
	events: Emitter<ClientEvents>;
	/** As which tab of which device this page speaks. */
	who: () => Who;
	/** Key in `sessionStorage`, made of server and user. */
	storageKey: () => string;
	tell: (topic: string, data: unknown) => void;
	/** Everything that was missed has been heard: what is known is the present. */
	present: () => boolean;
}

export interface CallOptions extends CallsOfClient {
	/** Fetches the part that hosts legs. */
	load: () => Promise<{ openHost(ctx: LegContext): Host }>;
}

/** Makes the calls of a client. */
export type MakeCalls = (o: CallsOfClient) => ClientCalls;
