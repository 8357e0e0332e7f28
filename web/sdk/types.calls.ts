/** Calls as a tab sees them: rings, calls hosted here or elsewhere, and the leg hosted here. */
import type { Refusal } from "./errors.ts";
import type { DeviceChoice, DeviceReason } from "./types.devices.ts";
import type { Media, ParticipantView, Reason, Snapshot, Source, Where } from "./wire.gen.ts";

/** A call that asks to be answered by me. */
export interface Ring {
	readonly call: Snapshot;
	readonly id: string;
	readonly media: Media;
	/** Who calls. */
	readonly from: ParticipantView;
	/** I am in another call: show it, play no ringtone. */
	readonly waiting: boolean;
	/** `silence()` was called. */
	readonly silenced: boolean;
	/** When it rings out, in `performance.now()` time. */
	readonly until: number;
}

/** Why a ring stopped. `answered` and `declined` mean in this tab. */
export interface RingEnd {
	readonly ring: Ring;
	readonly reason: "answered" | Reason;
	/** Who acted, for `answered_elsewhere` and `declined_elsewhere`. */
	readonly where?: Where;
	/** It was another tab of this device. */
	readonly sameDevice: boolean;
}

/** What to show as the state of a call that is not a ring for me. */
export type CallPhase =
	/** I have started it, and no tab of the others shows the ring yet. The first that does makes it `ringing`. */
	| "calling"
	/** A tab of the others rings. It ends with an answer, or with the call. */
	| "ringing"
	/** Somebody has answered, and not both sides have media yet. */
	| "connecting"
	/** Two participants have media, and I am one of them. */
	| "active"
	/** My media or my connection is lost. It ends when they are back, or with the call when the grace time is over. */
	| "reconnecting"
	/** I have put it on hold. It ends when I resume it, or with the call. */
	| "held"
	/** It is over, as the event `call:ended` says. No view is in this phase. */
	| "ended";

/** One live call of mine that is not a ring. */
export interface CallView {
	readonly id: string;
	readonly call: Snapshot;
	readonly phase: CallPhase;
	readonly me: ParticipantView;
	readonly others: readonly ParticipantView[];
	/**
	 * My leg is in this tab; `leg` is set as soon as it is hosted, not yet while an answer or a resume is on its way. If it is
	 * not here, `where` says in which tab of which device it is.
	 */
	readonly here: boolean;
	readonly leg?: Leg;
	readonly where?: Where;
	readonly sameDevice: boolean;
	/** When it became active, in `performance.now()` time; undefined before. */
	readonly activeSince: number | undefined;
}

/** What comes from one participant. A stream is replaced, never emptied: compare by identity. */
export interface Remote {
	readonly user: string;
	readonly audio?: MediaStream;
	readonly camera?: MediaStream;
	readonly screen?: MediaStream;
}

/** Once a second while hosted, in words a person or a dashboard understands. */
export interface MediaStats {
	/** Round trip in ms, if known. */
	readonly rttMs: number | undefined;
	readonly sendKbps: number;
	readonly receiveKbps: number;
	/** Share of packets lost on the way here in the last second, 0–1. */
	readonly loss: number;
	/** Of all incoming video since the start. */
	readonly framesDecoded: number;
	readonly framesPerSecond: number;
	/** Loudness of my microphone, 0–1. */
	readonly microphoneLevel: number;
	readonly path: "udp" | "tcp" | "relay_udp" | "relay_tcp" | "relay_tls" | "unknown";
	/** Messages sent over the call's data channel. */
	readonly channelMessagesSent: number;
}

/** How far the media of a leg is. */
export type LegMedia =
	/** The leg was granted and does not offer yet. It ends at once. */
	| "preparing"
	/** ICE and DTLS are not up yet. It ends with `up`, or when the server gives up the leg. */
	| "connecting"
	/** ICE and DTLS are up, and something arrives. It ends when nothing arrives for 2 s, or the browser reports a loss. */
	| "up"
	/** They were up, and are repaired. It ends with `up`, or when the grace time is over. */
	| "reconnecting"
	/** The leg has ended and has given everything back. It ends never. */
	| "closed";

/** This tab's part in a call. All getters are current at any time; `calls` events say when to look. */
export interface Leg {
	readonly call: string;
	readonly id: string;
	readonly media: LegMedia;
	/** What I want, which the others see too. A device that could not be had turns it off again. */
	readonly microphone: boolean;
	readonly camera: boolean;
	readonly held: boolean;
	/** The devices that the call began with are still being opened. */
	readonly opening: boolean;
	/** My camera's picture while it is on. Show it muted and mirrored. */
	readonly preview: MediaStream | undefined;
	/** Play each in an `<audio autoplay>` element. Fixed for a connection; empty while held. */
	readonly audio: readonly MediaStream[];
	/** By user. */
	readonly remotes: ReadonlyMap<string, Remote>;
	/** The user who speaks, if any. */
	readonly speaker: string | undefined;
	/** A device that was wanted and could not be had; undefined when all is well. */
	readonly problem: { readonly source: Source; readonly reason: DeviceReason } | undefined;
	/**
	 * Why the server takes no media of this leg for now, such as `too_many_peers`: this user has too many calls and streams. It is
	 * asked again by itself, and less and less often. Undefined when all is well.
	 */
	readonly refused: Refusal | undefined;
	/** The start met a call of the other to me, and answered that one (glare). */
	readonly merged: boolean;
	/** Last second's figures. */
	readonly stats: MediaStats | undefined;
	/** Current devices. */
	readonly devices: DeviceChoice;

	setMicrophone(on: boolean): Promise<void>;
	/** Off releases the camera. Fails with `DeviceError`; see also `problem`. */
	setCamera(on: boolean): Promise<void>;
	setHeld(held: boolean): Promise<void>;
	/** Switches without renegotiation. Fails with `DeviceError` and keeps the old device. */
	useDevices(choice: DeviceChoice): Promise<void>;
	/** Loudness of a user now, 0–1. Cheap: may be called per frame. */
	level(user: string): number;
	/** Small lossy data for everyone in the call (cursors, reactions). Dropped when the channel is not open. */
	sendLossy(data: unknown): void;
	/** Lossy data of others; returns a function that stops it. */
	onLossy(listener: (data: unknown) => void): () => void;
	hangUp(): Promise<void>;
}
