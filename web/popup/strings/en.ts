/**
 * What the popup says in English without the parts that bring their own (`en.NAME.ts`). Accessible names are an interface:
 * tests and users' scripts find things by them.
 */
import type { calls } from "./en.calls.ts";

export const en = {
	// Names of controls.
	openChat: "Open chat",
	closeChat: "Close chat",
	message: "Message",
	messages: "Messages",
	send: "Send",
	voiceCall: "Voice call",
	videoCall: "Video call",
	decline: "Decline",
	conversations: "Conversations",
	tryAgain: "Try again",
	discard: "Discard",
	dismiss: "Dismiss",
	removePreview: "Remove preview",
	callBack: "Call back",
	callAgain: "Call again",
	latest: "Jump to latest",

	// What stands for a message.
	recalledMessage: "This message was deleted",
	removedMessage: "This message was removed by a moderator",
	unknownMessage: "This message cannot be shown here",
	edited: "edited",

	callRegion: "Call and notices",
	allowNotifications: "Turn on notifications",

	// A call in the transcript.
	logVideo: "Video call",
	logVoice: "Voice call",
	logMissedVideo: "Missed video call",
	logMissedVoice: "Missed voice call",
	logDeclined: "Declined",
	logNoAnswer: "No answer",
	logCancelled: "Cancelled",
	logRinging: "Ringing…",
	logRunning: "Going on now",
	logFailed: "Not connected",

	// The transcript.
	you: "You",
	newMessages: "New messages",
	today: "Today",
	yesterday: "Yesterday",
	start: "This is the beginning of your conversation with {name}.",
	hello: "Write a message or start a call. {name} sees it on every device.",
	loading: "Loading messages…",
	loadingPart: "Loading…",
	partFailed: "This could not be loaded. Check the connection and try again.",
	group: "Group",
	invites: "{name} invites you to {group}",
	invited: "You are invited to {group}",
	join: "Join",
	noConversations: "No conversations yet",
	noConversationsHint: "When someone writes to you, it shows up here.",
	placeholder: "Write a message…",
	typing: "{name} is typing…",
	queued: "Waiting to be sent",
	sending: "Sending",
	sent: "Sent",
	delivered: "Delivered",
	read: "Read",
	unconfirmed: "Not confirmed yet, trying again",
	failed: "Not sent",
	tooLong: "This message is too long to be sent.",

	// People and connection.
	guest: "Guest",
	guestName: "{name} (guest)",
	said: "{name}: {text}",
	online: "Online",
	away: "Away",
	offline: "Offline",
	lastSeen: "Last seen {when}",
	offlineBar: "You are offline. What you write is sent as soon as you are back.",
	serverAway: "The server cannot be reached. Trying again…",
	syncing: "Getting what you missed…",
	stopped_bad_token: "You are signed out. Sign in to this site again to go on.",
	stopped_signed_out: "You were signed out.",
	stopped_too_old: "This page is out of date. Reload it to go on.",
	stopped_forbidden_origin: "This site is not allowed to use the chat server.",
	stopped_refused: "The server refused the connection.",

	// Calls that cannot be, and what went wrong.
	deviceMenu: "Camera and microphone",
	callsNeedHttps: "Calls need HTTPS",
	callsUnsupported: "This browser cannot make calls",
	somethingWrong: "That did not work. Try again.",
	tooOften: "That was too often in a short time. Wait a moment and try again.",
	noServer: "The server did not answer. Check the connection and try again.",

	// Counts, by the plural forms of the language (Intl.PluralRules).
	newCount: { one: "{n} new message", other: "{n} new messages" } as Plural,
	unread: { one: "{n} unread message", other: "{n} unread messages" } as Plural,
	members: { one: "{n} member", other: "{n} members" } as Plural,
	andMore: { one: "{names} and {n} more", other: "{names} and {n} more" } as Plural,
};

export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;
/** All that a language has to say. */
export type Strings = typeof en & typeof calls;
