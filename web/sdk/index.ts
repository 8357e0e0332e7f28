/**
 * Carillon's SDK: messages and calls for any number of tabs of one user.
 *
 * ```ts
 * const client = createClient({ server: "https://chat.example.com", getToken: () => fetchToken() });
 * client.on("message", ({ message }) => console.log(message.text));
 * client.connect();
 * client.messages.send({ to: "bob" }, { text: "Hello" });
 * const leg = await client.calls.start({ to: "bob" }, { media: "video" });
 * ```
 */
export { createClient } from "./create.ts";
export { DeviceError, Refusal, Unanswered } from "./errors.ts";
export type * from "./types.ts";
export type {
	Audience,
	Block,
	Code,
	Contact,
	ConversationMarks,
	Draft,
	Log as CallLog,
	Media,
	Member,
	MemberMarks,
	Membership,
	Message,
	ParticipantState,
	ParticipantView,
	Preferences,
	PreferencesChange,
	Presence,
	PresenceState,
	Preview,
	Reactions,
	Reason,
	Session,
	Snapshot,
	Source,
	User,
	UserObject,
	Where,
} from "./wire.gen.ts";
