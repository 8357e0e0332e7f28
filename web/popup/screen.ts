/**
 * What there is to see: plain data, derived from the state of the popup and of the SDK at each drawing. Views are functions
 * of this and of nothing else, so a test draws one without a server, a controller or a browser.
 */
import type {
	Client,
	Connection,
	Conversation,
	ConversationRef,
	Presence,
	Preview,
	Transcript,
} from "../sdk/index.ts";
import type { CallScreen, CallsShown } from "./calls/shown.ts";
import { type Drafts, refKey } from "./drafts.ts";
import type { LinkPreview } from "./linkpreview.ts";
import type { Options } from "./options.ts";
import type { Face, People } from "./people.ts";
import { type Item, itemsOf } from "./rows.ts";
import type { Notice, State } from "./state.ts";
import type { Text, Words } from "./strings/index.ts";

export interface Screen extends CallsShown {
	readonly words: Words;
	/** `Date.now()` at the drawing: for the time of messages. */
	readonly now: number;
	/** `performance.now()` at the drawing: for the duration of calls. */
	readonly clock: number;
	/** Undefined while the panel is closed. */
	readonly panel: ListPanel | ChatPanel | undefined;
	readonly notice: Notice | undefined;
}

interface PanelParts {
	/** What to say about the connection; undefined when all is well. */
	readonly connection: Text | undefined;
	/** The connection has ended for good: nothing will arrive, and nothing can be sent. */
	readonly stopped: boolean;
	/** The panel needs its own button to close it, since the site has hidden the launcher. Otherwise it shows on phones only. */
	readonly closeButton: boolean;
	/** The menu of devices is open. */
	readonly devices: boolean;
}

export interface ListPanel extends PanelParts {
	readonly kind: "list";
	/** Groups that the visitor is asked to join. */
	readonly invitations: readonly Invitation[];
	readonly entries: readonly Entry[];
	/** Further conversations can be fetched. */
	readonly more: boolean;
	/** The visitor may be offered browser notifications. */
	readonly offerNotifications: boolean;
}

export interface Invitation {
	/** Id of the group. */
	readonly conversation: string;
	readonly group: string;
	/** Name of who invites; undefined: nobody is said to. */
	readonly by: string | undefined;
}

/** One conversation in the list. */
export interface Entry {
	readonly key: string;
	readonly ref: ConversationRef;
	readonly face: Face;
	readonly presence: Presence | undefined;
	/** Undefined: nothing was written yet. */
	readonly last: Conversation["last"];
	/** The last message is the visitor's own. */
	readonly mine: boolean;
	readonly unread: number;
}

export interface ChatPanel extends PanelParts {
	readonly kind: "chat";
	readonly ref: ConversationRef;
	readonly face: Face;
	readonly presence: Presence | undefined;
	/** Name of who is typing. */
	readonly typing: string | undefined;
	/** Unread messages in other conversations. */
	readonly unreadElsewhere: number;
	readonly callButtons: CallButtons;
	/** The call on screen belongs to this conversation: it is shown large, above the messages. */
	readonly staged: boolean;
	/** The panel is widened for the call. */
	readonly large: boolean;
	readonly log: Log;
	readonly draft: string;
	/** What the link in the draft leads to. */
	readonly card: Preview | undefined;
}

export type CallButtons =
	/** The visitor is in a call, or the site wants no calls. */
	| { readonly kind: "none" }
	/** Calls cannot work here, and this says why. */
	| { readonly kind: "impossible"; readonly why: Text }
	| { readonly kind: "ready"; readonly audio: boolean; readonly video: boolean };

/** The messages of the conversation on screen. */
export interface Log {
	/** Changes with the conversation: scrolling starts anew then. */
	readonly key: string;
	/** Id of the conversation, once it has one. */
	readonly conversation: string | undefined;
	/** `seq` of the newest message that the server has stored; 0: none. */
	readonly newest: number;
	readonly items: readonly Item[];
	/** Nothing has arrived yet. */
	readonly loading: boolean;
	/** Older messages can be fetched. */
	readonly more: boolean;
	/** Someone types. */
	readonly typing: boolean;
	/** Names are shown in the bubbles. */
	readonly group: boolean;
	/** Name of a sender, as the others in the conversation see it. */
	readonly names: ReadonlyMap<string, string>;
	/** Origin of the server, which has the pictures of previews; undefined: the site wants no previews of links. */
	readonly server: string | undefined;
	/** What may be called back from the entries of calls; undefined while no call can be started. */
	readonly callBack: ConversationRef | undefined;
}

/** What a screen is derived from. */
export interface ScreenFacts {
	readonly state: State;
	readonly words: Words;
	readonly options: Options;
	/** Origin of the server. */
	readonly server: string;
	/** Undefined while the visitor is unknown to the server. */
	readonly client: Client | undefined;
	readonly people: People;
	readonly drafts: Drafts;
	readonly preview: LinkPreview;
	/** The read mark when a conversation was opened, by {@link refKey}. */
	readonly readTo: ReadonlyMap<string, number>;
	readonly calls: CallsShown;
	readonly online: boolean;
	readonly offerNotifications: boolean;
}

export function screenOf(s: ScreenFacts): Screen {
	const { state, words, calls } = s;
	return {
		...calls,
		words,
		now: Date.now(),
		clock: performance.now(),
		panel: state.panel.kind === "open" ? panelOf(s) : undefined,
		notice: state.notice,
	};
}

function panelOf(s: ScreenFacts): ListPanel | ChatPanel {
	const { panel } = s.state;
	const parts: PanelParts = {
		connection: s.client && connectionText(s.client.connection, s.online),
		stopped: s.client?.connection.state === "stopped",
		closeButton: s.options.launcher === false,
		devices: panel.kind === "open" && panel.devices,
	};
	return panel.place.kind === "list" ? listOf(s, parts) : chatOf(s, panel.place.ref, parts);
}

function listOf(s: ScreenFacts, parts: PanelParts): ListPanel {
	const { client, people } = s;
	const { destination } = s.options;
	const all = client?.conversations.list() ?? [];
	const joined = all.filter((conversation) => conversation.mine.state === "joined");
	const entries: Entry[] = joined.map((conversation) => {
		const face = people.faceOf(conversation);
		return {
			key: conversation.id,
			ref: { conversation: conversation.id },
			face,
			presence: people.presence(face),
			last: conversation.last,
			mine: conversation.last?.sender === client?.user?.id,
			unread: conversation.unread,
		};
	});
	// The destination stands in the list before its first message.
	if (destination && !client?.conversations.direct(destination)) {
		const ref = { to: destination };
		const face = people.face(ref);
		entries.unshift({
			key: refKey(ref),
			ref,
			face,
			presence: undefined,
			last: undefined,
			mine: false,
			unread: 0,
		});
	}
	return {
		...parts,
		kind: "list",
		invitations: all.filter((c) => c.mine.state === "invited").map((c) => invitation(s, c)),
		entries,
		more: client?.conversations.more ?? false,
		offerNotifications: s.offerNotifications,
	};
}

function invitation({ people }: ScreenFacts, conversation: Conversation): Invitation {
	const { id, mine } = conversation;
	const by = mine.invited_by && people.nameOf(mine.invited_by);
	return { conversation: id, group: people.faceOf(conversation).name, by: by || undefined };
}

function chatOf(s: ScreenFacts, ref: ConversationRef, parts: PanelParts): ChatPanel {
	const { client, people, state } = s;
	const { call } = s.calls;
	const transcript = client?.messages.transcript(ref);
	const conversation = transcript?.conversation;
	const face = people.face(ref);
	const [typist] = conversation ? (client?.messages.typists(conversation.id) ?? []) : [];
	const names = namesIn(transcript, typist, people);
	const callButtons = callButtonsOf(s, call);
	return {
		...parts,
		kind: "chat",
		ref,
		face,
		presence: people.presence(face),
		typing: typist && names.get(typist),
		unreadElsewhere: Math.max(0, (client?.conversations.unread ?? 0) - (conversation?.unread ?? 0)),
		callButtons,
		staged: staged(call, conversation),
		large: state.large,
		log: logOf(s, ref, transcript, typist !== undefined, names),
		draft: s.drafts.get(ref),
		card: s.preview.of(s.drafts.get(ref)),
	};
}

function logOf(
	s: ScreenFacts,
	ref: ConversationRef,
	transcript: Transcript | undefined,
	typing: boolean,
	names: Log["names"],
): Log {
	const rows = transcript?.rows ?? [];
	return {
		key: refKey(ref),
		conversation: transcript?.conversation?.id,
		newest: rows.findLast((row) => row.message.seq > 0)?.message.seq ?? 0,
		items: itemsOf(rows, s.client?.user?.id, s.readTo.get(refKey(ref))),
		// A connection that has ended for good brings nothing any more.
		loading: (transcript?.loading ?? false) && rows.length === 0 && s.client?.connection.state !== "stopped",
		more: transcript?.more ?? false,
		typing,
		group: transcript?.conversation?.kind === "group",
		names,
		server: wantsPreviews(s.options) ? s.server : undefined,
		callBack: s.calls.call.kind === "none" && s.client?.calls.available.ok ? ref : undefined,
	};
}

/** Names of those who wrote what is on screen, and of who types. */
function namesIn(
	transcript: Transcript | undefined,
	typist: string | undefined,
	people: People,
): ReadonlyMap<string, string> {
	const users = new Set(transcript?.rows.map((row) => row.message.sender));
	if (typist) users.add(typist);
	return new Map([...users].map((user) => [user, people.nameOf(user)]));
}

function staged(call: CallScreen, conversation: Conversation | undefined): boolean {
	if (call.kind === "pending") return true;
	return call.kind === "here" && call.view.call.conversation === conversation?.id;
}

export function wantsPreviews({ features }: Options): boolean {
	return features?.linkPreviews !== false;
}

function callButtonsOf({ client, options }: ScreenFacts, call: CallScreen): CallButtons {
	const { audioCalls = true, videoCalls = true } = options.features ?? {};
	if (!client || (!audioCalls && !videoCalls)) return { kind: "none" };
	const why = impossible(client);
	if (why) return { kind: "impossible", why };
	if (call.kind === "here" || call.kind === "pending") return { kind: "none" };
	if (client.connection.state === "stopped") return { kind: "none" };
	return { kind: "ready", audio: audioCalls, video: videoCalls };
}

/** Why this page cannot host a call; undefined: it can. */
export function impossible(client: Client | undefined): Text | undefined {
	const available = client?.calls.available;
	if (!available || available.ok) return undefined;
	return available.reason === "calls_need_https" ? "callsNeedHttps" : "callsUnsupported";
}

/** What a connection that is not well means for the visitor. `online`: the browser believes that it has a network. */
export function connectionText(connection: Connection, online: boolean): Text | undefined {
	switch (connection.state) {
		case "stopped":
			return `stopped_${connection.why}`;
		case "waiting":
			// The server itself asks for a pause: it is well, and so is the network.
			if (online && connection.code >= 4500) return undefined;
			return online ? "serverAway" : "offlineBar";
		case "connecting":
			// The first seconds are not worth a word.
			if (connection.attempt <= 1) return undefined;
			return online ? "serverAway" : "offlineBar";
		case "syncing":
			return connection.attempt > 1 ? "syncing" : undefined;
		default:
			return undefined;
	}
}
