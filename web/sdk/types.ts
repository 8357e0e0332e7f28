/**
 * The typed surface of the SDK: what a page may ask of a {@link Client}, and what it is told.
 *
 * All state is readable at any time and changes only together with an event, so a UI draws from the
 * state and uses events to know when. Everything that takes time takes an `AbortSignal`.
 */
import type { CallView, Leg, Ring, RingEnd } from "./types.calls.ts";
import type { DeviceChoice } from "./types.devices.ts";
import type {
	Block,
	Code,
	Contact,
	ConversationMarks,
	Draft,
	Kind,
	Limits,
	Media,
	Message,
	MessageReacted,
	MessageRef,
	Preferences,
	PreferencesChange,
	Presence,
	Preview,
	ReactedPage,
	Reactions,
	Session,
	Typing,
	User,
	UserObject,
	Conversation as WireConversation,
} from "./wire.gen.ts";

export type * from "./types.calls.ts";
export type * from "./types.devices.ts";

/** How a page makes a {@link Client}. */
export interface ClientOptions {
	/** Origin of the server, e.g. `https://chat.example.com`. */
	server: string | URL;
	/** A session token that never changes. Prefer {@link getToken}. */
	token?: string;
	/**
	 * Asked for a token before each connection whose token is stale, and to renew in time. `stale` is the
	 * token that the server no longer takes, if that is why.
	 */
	getToken?: (signal: AbortSignal, stale?: string) => Promise<string> | string;
	/** What other tabs call this device, e.g. "Chrome on Linux" (the default is derived). */
	deviceName?: string;
	/** Let media flow only through TURN. */
	relayOnly?: boolean;
	/** Send one video layer instead of three (the default is simulcast). */
	singleLayer?: boolean;
	/** Start of every key in local, session and IndexedDB storage. Default "carillon". */
	storagePrefix?: string;
}

/**
 * Where the connection stands. A discriminated union: switch on `state`.
 * Rings and notifications are raised only in `online`.
 */
export type Connection =
	/** Nobody has asked to connect, or somebody has asked to disconnect. It ends with `connect()`. */
	| { readonly state: "idle" }
	/** Fetches a token, opens the WebSocket, says hello. It ends with the welcome, or with a loss. `attempt` counts from 1. */
	| { readonly state: "connecting"; readonly attempt: number }
	/** The server has welcomed us, and what was missed is being read. It ends when all of it is here, or with a loss. */
	| { readonly state: "syncing"; readonly attempt: number; readonly resumed: boolean }
	/** What comes now is new. It ends with a loss. */
	| { readonly state: "online" }
	/** The connection was lost. `delayMs` later, or when the network is back, the next attempt begins. */
	| { readonly state: "waiting"; readonly attempt: number; readonly delayMs: number; readonly code: number }
	/** To try again would not help; `why` says what to tell the user. It ends with `connect()`. */
	| { readonly state: "stopped"; readonly code: number; readonly why: StopReason };

export type StopReason = "bad_token" | "signed_out" | "too_old" | "forbidden_origin" | "refused";

/** Names a conversation: by its id, or a direct one by the other user (made with the first message). */
export type ConversationRef = { readonly conversation: string } | { readonly to: string };

/** A conversation of mine as far as this tab knows it. Whoever is invited sees no messages and no members. */
export interface Conversation extends WireConversation {
	/** How many messages I have not read, in this browser at least. */
	readonly unread: number;
}

/** How far a message of mine has come. Others' messages are `received`. */
export type Delivery =
	/** It waits for a connection, or for messages before it. */
	| "queued"
	/** It was sent, and the answer is not there yet. */
	| "sending"
	/** The server has stored it. It is not lost any more. */
	| "sent"
	/** A device of every other member has it. */
	| "delivered"
	/** Every other member has seen it. */
	| "read"
	/** It was sent, and the connection was lost before an answer. It is sent again with the next connection. */
	| "unconfirmed"
	/** The server refused it for good, as `refused` says. It stays until `resend()` or `discard()`. */
	| "failed"
	/** It is somebody else's. */
	| "received";

/** One line of the transcript. */
export interface Row {
	/** Stable from the first keystroke to the last mark: use it to key the DOM. */
	readonly key: string;
	/** `seq` is 0 and `id` empty until the server has stored it. */
	readonly message: Message;
	readonly delivery: Delivery;
	/** Those to it, if there are any. */
	readonly reactions?: Pick<Reactions, "counts" | "mine">;
	readonly refused?: { readonly code: Code; readonly message: string };
}

/** What is known of a conversation's messages: one unbroken run up to the newest, then what waits to be sent. */
export interface Transcript {
	/** Undefined while only a `to` is known and no message was ever exchanged. */
	readonly conversation: Conversation | undefined;
	readonly rows: readonly Row[];
	/** Older messages exist: `messages.older()` fetches them. */
	readonly more: boolean;
	/** The first page has not arrived yet. */
	readonly loading: boolean;
}

export interface SendParams {
	text?: string;
	kind?: Kind;
	data?: unknown;
	/** Id of the call in whose view this was written: goes over its data channel first. */
	call?: string;
	/** Seq of the message of the same conversation that it answers. */
	replyTo?: number;
	/** Members whom the text names, at most 50. */
	mentions?: readonly string[];
	/** The new message holds what this one holds, which I see, here or in another conversation. */
	forward?: MessageRef;
	/** false: no preview of the link in it. */
	preview?: boolean;
}

export interface Messages {
	/** What is known now. Call {@link open} to have it loaded and kept without gaps. */
	transcript(ref: ConversationRef): Transcript;
	/** Loads the newest page and keeps the transcript without gaps, also after a loss of connection. */
	open(ref: ConversationRef, signal?: AbortSignal): Promise<Transcript>;
	/** Fetches the page before the oldest message of the transcript. */
	older(ref: ConversationRef, signal?: AbortSignal): Promise<Transcript>;
	/** Queues a message and returns its row at once. It survives a reload and is stored exactly once. */
	send(ref: ConversationRef, params: SendParams): Row;
	/** Tries a failed message again, with the same client id. */
	resend(key: string): void;
	/** Drops a failed or queued message. */
	discard(key: string): void;
	/** The UI says: everything up to `seq` is on the screen of a visible, focused tab. */
	shown(conversation: string, seq: number): void;
	/** What a link leads to, as everyone will see it under a message with it; undefined: nothing that can be shown. */
	preview(url: string, signal?: AbortSignal): Promise<Preview | undefined>;
	/** Messages by their seqs, such as one that is answered and not loaded. Those that are not there are left out. */
	some(conversation: string, seqs: readonly number[], signal?: AbortSignal): Promise<readonly Message[]>;
	/** Replaces the text of a message of mine, or the caption of its file. */
	edit(conversation: string, seq: number, text: string, signal?: AbortSignal): Promise<void>;
	/** Takes a message of mine away from everyone; an owner or moderator of a group anyone's. */
	recall(conversation: string, seq: number, signal?: AbortSignal): Promise<void>;
	/** Reacts to a message with one emoji, or takes that back. */
	react(conversation: string, seq: number, emoji: string, on: boolean, signal?: AbortSignal): Promise<void>;
	/** A page of those who reacted to a message with an emoji. */
	reacted(p: MessageReacted, signal?: AbortSignal): Promise<ReactedPage>;
	/** Removes messages for me alone, in all of my tabs. It cannot be taken back. */
	hide(conversation: string, seqs: readonly number[], signal?: AbortSignal): Promise<void>;
	/** The user is typing, or stopped. Call it at each keystroke; it is thinned out here. */
	typing(conversation: string, on: boolean): void;
	/** Who types in a conversation now, besides me. */
	typists(conversation: string): readonly string[];
}

export interface Conversations {
	/** Latest first, as far as loaded. */
	list(): readonly Conversation[];
	/** There are more beyond {@link list}. */
	readonly more: boolean;
	loadMore(signal?: AbortSignal): Promise<void>;
	get(id: string): Conversation | undefined;
	/** The direct conversation with a user, if it is known. */
	direct(user: string): Conversation | undefined;
	/** Fetches one that is not in the list yet. */
	fetch(id: string, signal?: AbortSignal): Promise<Conversation>;
	/** Takes an invitation. */
	join(id: string, signal?: AbortSignal): Promise<Conversation>;
	/** Leaves a group, or turns an invitation down. */
	leave(id: string, signal?: AbortSignal): Promise<void>;
	/** Fetches the next page of the members of a group. Until then it has a few. */
	loadMembers(id: string, signal?: AbortSignal): Promise<void>;
	/** Keeps marks and typing in these conversations fresh until the signal aborts. The latest 20 count. */
	watch(ids: readonly string[], signal: AbortSignal): void;
	create(
		p: { kind: Conversation["kind"]; members: string[]; name?: string },
		signal?: AbortSignal,
	): Promise<Conversation>;
	/** Decides about a conversation for myself, in all of my tabs. What is not given stays. */
	decide(
		id: string,
		p: { mutedUntil?: number; archived?: boolean; favourite?: boolean },
		signal?: AbortSignal,
	): Promise<void>;
	/** Takes all messages that are there now away from me, and from nobody else. */
	wipe(id: string, signal?: AbortSignal): Promise<void>;
	/** Sum of unread messages. */
	readonly unread: number;
	/** The other member of a direct conversation. */
	other(conversation: Conversation): User | undefined;
}

export interface PresenceStore {
	/** Keeps these users' presence fresh until the signal aborts. */
	watch(users: readonly string[], signal: AbortSignal): void;
	get(user: string): Presence | undefined;
}

export interface UserObjects {
	set(key: string, value: unknown, signal?: AbortSignal): Promise<void>;
	/** The value as last seen; kept fresh in all tabs. */
	get(key: string): unknown;
	all(): ReadonlyMap<string, UserObject>;
}

export interface Contacts {
	/** Whom I added, wrote to or called, by id. Whole once synced, and kept fresh. */
	list(): readonly User[];
	/** Lets a user begin a conversation with me and ring me, where the server lets only contacts. They are not told. */
	add(user: string, signal?: AbortSignal): Promise<void>;
	/** Our conversation stays; to write in it adds them again. */
	remove(user: string, signal?: AbortSignal): Promise<void>;
}

export interface Blocks {
	/** Whom I have blocked, by id. Whole once synced, and kept fresh. */
	list(): readonly string[];
	has(user: string): boolean;
	/** They can neither write to me nor call me, nor see when I am here. They are not told. */
	add(user: string, signal?: AbortSignal): Promise<void>;
	remove(user: string, signal?: AbortSignal): Promise<void>;
}

export interface PreferencesStore {
	/** Kept fresh in all tabs. */
	readonly now: Preferences;
	/** Do not disturb: nothing rings or makes a sound. */
	readonly busy: boolean;
	/** Changes what is given and leaves the rest. */
	set(change: PreferencesChange, signal?: AbortSignal): Promise<void>;
}

export interface Drafts {
	/** What was begun and not sent, in any of my tabs. */
	get(conversation: string): Draft | undefined;
	/** Call it at each change; it is thinned out here. Without text, and answering nothing, the draft ends. */
	set(conversation: string, text: string, replyTo?: number): void;
}

export interface Sessions {
	/** My open tabs, on all devices, as last told by the server. */
	list(signal?: AbortSignal): Promise<readonly Session[]>;
	/** Ends one session. */
	signOut(id: string, signal?: AbortSignal): Promise<void>;
}

export interface StartParams {
	media: Media;
	/** Default: true in a video call. */
	camera?: boolean;
	devices?: DeviceChoice;
	signal?: AbortSignal;
}

export interface AnswerParams {
	/** Default: false. */
	camera?: boolean;
	/** Default: true. Without it the call begins muted, and no microphone is asked for. */
	microphone?: boolean;
	devices?: DeviceChoice;
	signal?: AbortSignal;
}

export type CallsAvailable =
	| { readonly ok: true }
	| { readonly ok: false; readonly reason: "calls_need_https" | "unsupported" };

export interface Calls {
	/** Whether this page can host a call at all. */
	readonly available: CallsAvailable;
	/** Rings to show now. Empty until synced; nothing here rings past its time. */
	readonly rings: readonly Ring[];
	/** Live calls in which I take part, here or elsewhere. Not rings. */
	readonly views: readonly CallView[];
	/** Legs hosted by this tab. At most one is not held. */
	readonly legs: readonly Leg[];
	/** The leg that is heard and seen here. */
	readonly active: Leg | undefined;

	/**
	 * Fetches the call part and makes everything ready that needs no permission. Call it when a ring shows or a call
	 * button is hovered. Captures nothing and contacts no one.
	 */
	prepare(signal?: AbortSignal): Promise<void>;
	/** Calls a user or a conversation. Fails with {@link DeviceError} or {@link Refusal}. */
	start(ref: ConversationRef, p: StartParams): Promise<Leg>;
	/** Answers a ring. Fails with `Refusal` `already_answered` when another tab was first: stay silent then. */
	answer(call: string, p?: AnswerParams): Promise<Leg>;
	decline(call: string, signal?: AbortSignal): Promise<void>;
	/** Only this browser profile's sound stops. */
	silence(call: string): void;
	/** Leaves or cancels, wherever the leg is. */
	hangUp(call: string, signal?: AbortSignal): Promise<void>;
	/** Brings a call that another tab hosts to this one. */
	moveHere(call: string, p?: AnswerParams): Promise<Leg>;
	/** Mutes or unmutes my microphone in a call, wherever it is hosted. */
	setMicrophone(call: string, on: boolean): Promise<void>;
	/** Holds or resumes a call, wherever it is hosted. */
	setHeld(call: string, held: boolean): Promise<void>;
	setHandRaised(call: string, raised: boolean): Promise<void>;

	/** Cameras and microphones; labels are empty before the first permission. */
	devices(): Promise<MediaDeviceInfo[]>;
	/** Opens camera and microphone for a preview. The signal gives them back. Fails with {@link DeviceError}. */
	preview(p: {
		camera: boolean;
		microphone: boolean;
		devices?: DeviceChoice;
		signal: AbortSignal;
	}): Promise<MediaStream>;
}

/** What a client tells, by name. */
export interface ClientEvents {
	connection: Connection;
	/** Everything missed has been read: from now on things are new. */
	synced: { readonly resumed: boolean };
	/** A new message, mine from another tab included, after `synced` only. For sounds and notifications. */
	message: { readonly message: Message; readonly mine: boolean };
	/** A transcript changed; redraw it. `conversation` is its id, or `to:<user>` before it has one. */
	transcript: { readonly conversation: string };
	/** The list or a conversation in it changed. */
	conversations: { readonly conversation?: string };
	/** Members have got messages, or were shown them. */
	marks: ConversationMarks;
	unread: { readonly total: number };
	typing: Typing;
	presence: Presence;
	userobject: UserObject;
	/** A contact was added, or is `gone`. */
	contact: Contact;
	/** A user was blocked, or is no longer. */
	block: Block;
	preferences: Preferences;
	/** A draft was changed elsewhere, in this browser or on another device. */
	draft: Draft;
	profile: User;
	/** The sessions have changed since this tab listed them; list them again if they are shown. */
	sessions: undefined;
	/** Anything about rings, views or legs changed; redraw calls. */
	calls: undefined;
	"call:incoming": Ring;
	"call:ringend": RingEnd;
	"call:active": CallView;
	"call:elsewhere": CallView;
	"call:ended": { readonly view: CallView; readonly reason: string };
	/** Another tab of this browser profile told something; see {@link Client.tell}. */
	sibling: { readonly topic: string; readonly data: unknown };
	/** The token is no longer taken and no fresh one could be had. */
	authexpired: { readonly code: Code | "no_token" };
	/** Signed out, here or elsewhere. What was stored on this device is gone. */
	signedout: undefined;
	error: Error;
}

export interface OnOptions {
	signal?: AbortSignal;
}

/**
 * One user in one tab. Makes no connection before {@link connect}. Clients of one page share a tab id.
 */
export interface Client {
	/** Of this open page, while it speaks for this user. Final once the connection has left `idle`. */
	readonly tabId: string;
	/** Of this browser profile, for this server and user: another user who signs in here has another. */
	readonly deviceId: string;
	readonly server: string;
	readonly connection: Connection;
	/** Who I am, once the server has welcomed this tab. */
	readonly user: User | undefined;
	/** Set by the server's welcome. */
	readonly limits: Limits | undefined;
	readonly conversations: Conversations;
	readonly messages: Messages;
	readonly presence: PresenceStore;
	readonly objects: UserObjects;
	readonly contacts: Contacts;
	readonly blocks: Blocks;
	readonly preferences: PreferencesStore;
	readonly drafts: Drafts;
	readonly sessions: Sessions;
	readonly calls: Calls;

	/** Connects and stays connected. May be called again after `stopped`. */
	connect(): void;
	/** Closes the connection, keeps what is stored, leaves hosted calls to their grace time. */
	disconnect(): void;
	/** Gives everything back; the client is unusable after. Stored data stays. */
	close(): void;
	/** Signs out this device's tabs, or all devices, and clears what is stored here. */
	signOut(p?: { everywhere?: boolean }, signal?: AbortSignal): Promise<void>;
	/** Profile of a user that shares something with me; cached. */
	fetchUser(id: string, signal?: AbortSignal): Promise<User>;
	/** The same as far as it is known. Who is not is asked for, and the event `profile` tells of them. */
	knownUser(id: string): User | undefined;

	/** Other tabs of this profile and user hear it as `sibling`. Best effort: may reach no one. */
	tell(topic: string, data: unknown): void;
	/**
	 * Races the tabs of this profile and user for a job (ringer, notifier, announcer). Resolves with true in the
	 * winner, which keeps it until the signal aborts; false elsewhere. Without Web Locks the tabs agree by
	 * BroadcastChannel; without that too it is true everywhere.
	 */
	win(job: string, signal: AbortSignal): Promise<boolean>;

	/** Returns a function that stops listening. */
	on<K extends keyof ClientEvents>(
		type: K,
		listener: (event: ClientEvents[K]) => void,
		o?: OnOptions,
	): () => void;
}
