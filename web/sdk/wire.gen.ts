// Code generated from the Go types by `go generate ./wire`. DO NOT EDIT.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated

// Package refusal

/** Code is stable: clients switch on it, translations are keyed by it. */
export type Code =
  | "bad_request" // malformed JSON, wrong type, missing or unknown value
  | "unknown_method" // no such method
  | "too_large" // a frame, message, name or list over its limit
  | "rate_limited" // try again after retry_ms
  | "busy" // the server has too much to do; try again after retry_ms
  | "storage_failed" // the disk is full or fails; nothing was changed; try again after retry_ms
  | "internal" // our fault; logged
  | "hello_first" // a request before hello
  | "hello_again" // a second hello on one connection
  | "too_many_tabs" // close some
  | "unsupported_protocol" // reload the page: client and server do not speak one version
  | "token_missing"
  | "token_malformed"
  | "token_wrong_key" // signed by a key this server does not know
  | "token_expired"
  | "token_not_yet" // nbf or iat lies in the future: check the clocks
  | "token_revoked" // signed out everywhere
  | "token_other_user" // renewal for another user
  | "not_found" // no such thing, or none that you may see
  | "not_allowed" // you may see it but not do this
  | "blocked"
  | "already_answered" // another tab was first
  | "call_ended"
  | "leg_in_use" // the tab that holds this leg is alive
  | "leg_unknown" // no such leg, wrong secret, or its grace time is over
  | "bad_sdp"
  | "too_many_peers" // end some calls or streams
  | "calls_need_https" // raised by the client only
  | "quota_reached" // the user's files are as much as they may be; remove some
  | "upload_elsewhere" // another node has the beginning of this upload; try again after retry_ms

// Package chat

/** User is what everyone who may see a user knows of them. */
export interface User {
  id: string;
  name: string;
  picture?: string; // URL
  guest?: boolean;
}
/** Kind is what a message holds. */
export type Kind =
  | "text"
  | "rich" // Data is RichData
  | "file" // Data is FileData, as of the next two; Text is its caption
  | "voice" // recorded for this message
  | "video_note" // the same
  | "location" // Data is LocationData
  | "custom" // Data is CustomData
  | "call" // one per call, updated in place; Data is a call.Log
  | "system" // notices: who joined, who left
/** Message is one entry of a conversation. Seq has no gaps within a conversation. */
export interface Message {
  id: string;
  conversation: string;
  seq: number;
  n: number; // how many of the conversation's messages up to this one count as unread for everyone but their senders
  sender: string;
  client_id?: string; // chosen by the sender's tab; unique per sender
  kind: Kind;
  text?: string;
  data?: unknown; // what the kind needs beside Text
  preview?: Preview; // of the first link in Text; it comes in a later revision
  revision?: number; // 0 as sent; grows with each change
  sent_at: number; // unix ms, by the server's clock
  reply_to?: number; // seq of the message that it answers
  mentions?: string[]; // members whom Text names
  forwarded?: boolean; // from another place
  edited_at?: number; // unix ms, by its sender
  gone?: GoneReason; // there is nothing to be seen of it any more: no text, no data
}
/** MessageRef names a message. */
export interface MessageRef {
  conversation: string;
  seq: number;
}
/** GoneReason says why there is nothing to be seen of a message. */
export type GoneReason =
  | "hidden" // I have removed it for myself alone
  | "recalled" // its sender has, for everyone
  | "removed" // an owner or a moderator has
/** RichData is what a rich message has beside its text. */
export interface RichData {
  title?: string;
  fields?: RichField[];
  custom?: unknown; // for the site's own code
}
/** RichField is a line of a rich message. */
export interface RichField {
  name: string;
  value: string;
}
/**
 * LocationData is where a message points to. One with LiveUntil is sent anew by its sender, as a
 * revision, until then.
 */
export interface LocationData {
  latitude: number; // degrees, WGS 84
  longitude: number; // degrees
  accuracy?: number; // metres
  name?: string; // of the place
  live_until?: number; // unix ms
}
/** CustomData is a message that only the site's own code understands. Others show its text. */
export interface CustomData {
  type: string; // chosen by the site
  data?: unknown;
}
/**
 * Preview is what a link led to when the server looked at it. All but URL and Site is what strangers
 * say of themselves.
 */
export interface Preview {
  url: string; // where the link leads: http or https
  site: string; // the host of URL in ASCII, without www.
  title?: string;
  description?: string;
  picture?: PreviewPicture;
}
/** PreviewPicture is a JPEG that this server serves as /previews/KEY.jpg. */
export interface PreviewPicture {
  key: string;
  width: number; // pixels
  height: number;
}
/** ConversationKind tells a pair from a group. */
export type ConversationKind =
  | "direct"
  | "group"
/** Role is what a member may do. */
export type Role =
  | "owner"
  | "moderator"
  | "member"
  | "guest"
/** MemberState is whether a user takes part in a conversation. */
export type MemberState =
  | "joined" // reads, writes and calls; this ends by leaving or being removed
  | "invited" // sees the name and who invited, nothing that was written; ends by joining or leaving
  | "gone" // takes no part any more
/**
 * Marks are how far a member has got: every message with seq <= Delivered has reached a device of
 * theirs, <= Read was shown to them. They never go back.
 */
export interface Marks {
  delivered: number;
  read: number;
}
/**
 * Member is a user in a conversation, as the other members see it. It is an item of the
 * conversation's feed; its marks are state, told apart, and not part of that item.
 */
export interface Member extends User, Marks {
  role: Role;
  state: MemberState;
}
/**
 * Membership is a conversation as it concerns one user alone. It is an item of that user's feed.
 * What is unread is Conversation.N - max(ReadN, Floor.N) - OwnAhead + Missed.
 */
export interface Membership {
  conversation: string;
  state: MemberState;
  role: Role;
  invited_by?: string; // a user
  from_seq: number; // the first message that this member may see
  read: number; // my mark
  read_n: number; // Message.N at that mark
  own_ahead: number; // my own messages beyond it that count, without those that retention removed
  missed?: number; // calls beyond it that I missed
  muted_until?: number; // unix ms; a message makes no sound and no notification before
  archived?: number; // the latest message when I put it away; a later one brings it back, unless it is muted
  favourite?: boolean;
}
/** Floor is where a conversation begins now: what was before was removed by retention. */
export interface Floor {
  seq: number; // of the first message kept, less one
  pos: number; // who resumes below it starts this feed afresh
  n: number; // Message.N of the last one removed: those up to it are unread for nobody
}
/**
 * Conversation as one of its members sees it. Who is invited sees nothing that was written, and
 * among Members only who invited them.
 */
export interface Conversation {
  id: string;
  kind: ConversationKind;
  name?: string; // groups only; a direct conversation bears the other's name
  created_at: number; // unix ms
  pos: number; // of the latest change of its feed
  floor?: Floor;
  last_seq: number;
  n: number; // Message.N of the latest
  last?: Message;
  count: number; // how many have joined
  members: Member[]; // of a direct one both; of a group a few, me and who wrote last (and may be gone) among them
  mine: Membership;
  mine_at: Place; // where Mine stands in my own feed
}
/** Place is where an item stands in its feed: the number of its last change, and that change's tag. */
export interface Place {
  pos: number;
  tag: string;
}
/** OwnFeed names, among feeds, the one of the user. A conversation's is named by its id. */
export const OwnFeed = "me";
/** FeedPosition is how far a tab knows a feed. */
export interface FeedPosition {
  pos: number;
  newest: Place[]; // of the three newest items of it that the tab has
}
/** ItemType names what an item of a feed holds. */
export type ItemType =
  | "message" // Message
  | "member" // Member, without marks
  | "conversation" // Settings
  | "reactions" // Reactions
  | "membership" // Membership
  | "contact" // Contact
  | "object" // UserObject
  | "hidden" // Hidden
  | "draft" // Draft
  | "block" // Block
  | "preferences" // Preferences
/**
 * Item is a part of a feed as it is since its last change. An item that changed five times is
 * there once.
 */
export interface Item extends Place {
  type: ItemType;
  data: unknown;
}
/** Settings are what all members may change or see of a conversation as a whole. */
export interface Settings {
  name?: string;
}
/** Contact is somebody whom a user added, wrote to or called. */
export interface Contact extends User {
  gone?: boolean; // removed
}
/** UserObject is a value shared by all tabs of one user. A null value removes it. */
export interface UserObject {
  key: string;
  value: unknown;
  tab: string; // the tab that set it
}
/**
 * Reactions are those to one message. A change that is told as it happens says who made it; what is
 * read says which are mine.
 */
export interface Reactions {
  seq: number;
  counts: { [key: string]: number}; // by emoji, none of them 0
  mine?: string[]; // emoji
  user?: string;
  emoji?: string; // with which this user has reacted now,
  off?: boolean; // or does no longer
}
/** Hidden is a message that a user has removed for themselves alone. */
export interface Hidden {
  conversation: string;
  seq: number;
}
/**
 * Draft is what a user has begun to write in a conversation. One without text, and that answers
 * nothing, was sent or thrown away.
 */
export interface Draft {
  conversation: string;
  text?: string;
  reply_to?: number; // seq of the message that it answers
  at: number; // unix ms, by the server's clock
}
/** Block is somebody who may neither write to the user nor call them, nor see when they are here. */
export interface Block {
  user: string;
  since: number; // unix ms
  gone?: boolean; // blocked no longer
}
/** Audience is whom a user lets do something. */
export type Audience =
  | "everyone" // whom the server's policy allows it
  | "contacts"
  | "nobody"
/** Preferences are what a user has decided for all of their devices. */
export interface Preferences {
  presence: Audience; // who sees when I am here, or was last
  calls: Audience; // who may ring me
  groups: Audience; // who may invite me to a group
  busy_until?: number; // unix ms; do not disturb: nothing rings or makes a sound before
  locale?: string; // language of the interface, such as "pt-BR"
}
/** PreferencesChange changes what is given and leaves the rest. */
export interface PreferencesChange {
  presence?: Audience;
  calls?: Audience;
  groups?: Audience;
  busy_until?: number;
  locale?: string;
}
/** MemberMarks are the marks of one member, as told to the others. */
export interface MemberMarks extends Marks {
  user: string;
}
/**
 * ConversationMarks are marks of members of a conversation. One with many members has, in place of
 * Members, counts.
 */
export interface ConversationMarks {
  conversation: string;
  members?: MemberMarks[]; // those that changed, or all
  counts?: MarkCount[]; // by seq, of the latest messages only
}
/**
 * MarkCount says how many members have got, and were shown, a message and all before. I am among
 * them when my own marks are that far.
 */
export interface MarkCount {
  seq: number;
  delivered: number;
  read: number;
}
// Package call

/**
 * Media is what a call was started as. A voice call can never show a picture
 * before someone asks for it.
 */
export type Media =
  | "audio"
  | "video"
/** State of a call. */
export type State =
  | "ringing"
  | "connecting"
  | "active"
  | "ended"
/** ParticipantState of one user in a call. */
export type ParticipantState =
  | "invited"
  | "ringing"
  | "joining"
  | "joined"
  | "reconnecting"
  | "left" // was present, and hung up, was lost or saw the end of the call
  | "declined" // refused the ring
  | "missed" // was rung to the end of the ring, or of the call
  | "busy" // was not to be rung: they are busy, or the caller may not ring them
  | "failed" // answered, and the media never came up
  | "removed" // was taken out by the server
/**
 * LegState of one tab's part in a call. A leg that has ended has no state: no snapshot shows
 * it, and its tab is told the reason.
 */
export type LegState =
  | "answering"
  | "up"
  | "reconnecting"
/** Reason says why a call, or a user's part in it, ended. Stable strings. */
export type Reason =
  | "completed"
  | "cancelled"
  | "declined"
  | "no_answer"
  | "busy"
  | "unreachable"
  | "blocked"
  | "not_allowed"
  | "max_duration"
  | "failed_media"
  | "failed_ice"
  | "connection_lost"
  | "removed"
  | "replaced"
  | "expired"
  | "server_error"
  | "answered_elsewhere"
  | "declined_elsewhere"
/** Where says which tab of which device did something. */
export interface Where {
  tab: string;
  device: string;
  device_name: string;
}
/** LegView is the active leg of a participant, as their own tabs see it. */
export interface LegView extends Where {
  id: string;
  state: LegState;
}
/** ParticipantView is one user in a call. */
export interface ParticipantView {
  user: string;
  name: string;
  guest?: boolean;
  state: ParticipantState;
  microphone: boolean; // on, not muted
  camera: boolean; // on, as the user wants it, also while the call is on hold
  held?: boolean;
  hand_raised?: boolean;
  leg?: LegView; // only of myself: the active leg; none before an answer
  acted_at?: Where; // only of myself: the tab that started, answered or declined
}
/**
 * Snapshot is a call at one moment. A client that keeps only the newest snapshot of each call
 * (the highest cseq) misses nothing. What leaves the server is the part that [Snapshot.For]
 * one participant shows.
 */
export interface Snapshot {
  id: string;
  client_call_id: string;
  conversation: string;
  caller: string;
  media: Media;
  state: State;
  cseq: number; // grows with every change
  epoch: number; // grows when a server takes the call over: its media starts anew, so make a new PeerConnection
  participants: ParticipantView[];
  remaining_ms?: number; // while someone is rung: until that times out; counts from when it was sent, see wire.CallChange
  active_ms?: number; // since it was active: how long already; counts like remaining_ms
  reason?: Reason; // ended
}
/** Outcome is how a call went for one user, in the log message. */
export interface Outcome {
  user: string;
  state: ParticipantState;
}
/** Log is the data of the one message of kind "call" that a call leaves in its conversation. */
export interface Log {
  call: string;
  media: Media;
  state: State;
  reason?: Reason;
  outcomes: Outcome[];
  duration_ms?: number;
}
// Package wire

/** Protocol is the version that hello carries, Subprotocol its name on the WebSocket. */
export const Protocol = 1;
export const Subprotocol = "carillon.v1";
/**
 * Frame is one JSON-RPC message: a request (ID and Method), a notification (Method
 * only), a result (ID and Result) or an error (ID and Error). A WebSocket message
 * may hold several frames, separated by newlines.
 */
export interface Frame {
  jsonrpc: string;
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: Error;
}
/** Error is a refusal on the wire. Code is JSON-RPC's number; clients switch on Data.Code. */
export interface Error {
  code: number;
  message: string;
  data: ErrorData;
}
/** ErrorData is the part of an error that a client acts upon. */
export interface ErrorData {
  code: Code;
  retry_ms?: number; // zero: trying again will not help
}
/** Close codes. 4000–4499 mean come back, 4500–4999 mean stop. */
export const CloseShutdown = 4000; // the server goes down; reason is the ms to wait before coming back
export const CloseTokenExpired = 4001; // come back with a new token
export const CloseNoPong = 4002;
export const CloseRate = 4003; // too many or too large frames, or garbage
export const CloseSlow = 4008; // this tab did not read fast enough; it loses nothing
export const CloseNoHello = 4009;
export const CloseBadToken = 4500;
export const CloseSignedOut = 4501; // in this tab or in all
export const CloseTooOld = 4502; // the page speaks a protocol that this server no longer does
export const CloseForbidden = 4503; // this origin is not allowed
export const CloseReplaced = 4504; // a newer connection said hello with this tab id; if that was not you, take a new tab id
/** Empty is the params or result of a method that needs none. */
export type Empty = Record<string, never>;
/** Hello is the first request of every connection. */
export interface Hello {
  token: string;
  protocol: number;
  tab: string; // made by the page, 8–64 characters, one per open page
  device: string; // kept by the browser profile, 8–64 characters
  device_name: string; // "Chrome on Linux"
  resume?: Resume;
  pending?: string[]; // client ids of messages sent but not yet acknowledged
}
/** Resume says what this tab has already. */
export interface Resume {
  at: number; // of the latest synced, or of a ping that had one
  opening: string; // of the same
  feeds: { [key: string]: FeedPosition}; // my own, and at most 100 conversations that the tab keeps
}
/** Welcome answers hello. What the tab has missed, or what it begins with, follows in pages. */
export interface Welcome {
  user: User;
  tab: string;
  server: string; // version
  resumed: boolean; // what follows is what changed; else forget everything: all of it follows
  diverged: string[]; // feeds of Resume that are another history now, or begin later: forget them
  accepted: string[]; // those of Hello.Pending that were stored
  ice_servers: ICEServer[];
  limits: Limits;
  ping_ms: number;
  server_time: number; // unix ms
  token_ms?: number; // until the token expires; renew before
}
/**
 * Greeting is a page of what follows the welcome. First come the items of the user's own feed,
 * then conversations, then live calls. Of conversations there are those that changed; a tab
 * that has not resumed gets the first page of the list.
 */
export interface Greeting {
  items?: Item[]; // of my own feed, by pos
  pos?: number; // up to where my own feed is whole now; with the last of the items
  conversations?: Conversation[];
  next?: string; // of the list: as in ConversationPage; with its only page
  calls?: CallChange[];
}
/** ICEServer as RTCPeerConnection takes it. */
export interface ICEServer {
  urls: string[];
  username?: string;
  credential?: string;
}
/** Limits that a client can respect before the server has to refuse. */
export interface Limits {
  frame_bytes: number;
  message_bytes: number;
  object_bytes: number;
  page_size: number;
  file_bytes?: number; // none: this server takes no files
}
/**
 * Synced ends the greeting. Who was sent less than all that changed, because it was too much, has
 * All false: what the tab keeps and was not sent is to be asked for.
 */
export interface Synced {
  at: number;
  opening: string;
  all: boolean;
}
/** Ping asks for a pong. At and Opening replace those of synced, when they are there. */
export interface Ping {
  at?: number;
  opening?: string;
}
/**
 * CallChange is a call, with those participants that changed since the change From; with From 0
 * it has everybody. Of changes of a call the one of the highest epoch, then of the highest cseq is
 * the newest. Who has an older one than From asks by call.get.
 */
export interface CallChange {
  from?: number; // a cseq of the same epoch
  age_ms: number; // how old it was when it was sent to this tab; times in the call count from then
  call: Snapshot;
}
/** TokenRenew keeps a tab signed in, with a new token of the same user. */
export interface TokenRenew {
  token: string;
}
/** TokenRenewed answers token.renew. */
export interface TokenRenewed {
  token_ms: number; // until the new token expires
}
/** Session is one open tab of mine. */
export interface Session {
  id: string; // for sign-out
  tab: string;
  device: string;
  device_name: string;
  since: number; // unix ms
  this: boolean;
}
/** SessionList is all open tabs of mine, the oldest first. */
export interface SessionList {
  sessions: Session[];
}
/**
 * SessionSignOut ends one session, or with Everywhere all of this user's and every
 * token minted before now.
 */
export interface SessionSignOut {
  id?: string;
  everywhere?: boolean;
}
/** UserGet asks for the profile of a user whom I may see. */
export interface UserGet {
  user: string;
}
/** UserObjectSet sets a value that all tabs of mine share. */
export interface UserObjectSet {
  key: string;
  value: unknown; // null removes
}
/** UserObjectGet asks for one key, or for a page of all when empty. */
export interface UserObjectGet {
  key?: string;
  after?: string; // next of the page before; empty: the first page
}
/** UserObjects are values that all tabs of mine share, by key. */
export interface UserObjects {
  objects: UserObject[];
  next?: string; // none: that was all
}
/** PresenceState of a user: the best of their tabs. */
export type PresenceState =
  | "online"
  | "away"
  | "offline"
/** Presence is how a user is now. */
export interface Presence {
  user: string;
  guest?: boolean;
  state: PresenceState;
  last_seen?: number; // unix ms, when offline
}
/** PresenceWatch names all users whose presence this tab wants to be told from now on. */
export interface PresenceWatch {
  users: string[];
}
/** PresenceList is how those of the named users are now whom I may see. */
export interface PresenceList {
  users: Presence[];
}
/** ContactRef names a user whom I add to my contacts or remove from them. */
export interface ContactRef {
  user: string;
}
/** ContactList asks for a page of my contacts. */
export interface ContactList {
  after?: string; // next of the page before; empty: the first page
  limit?: number;
}
/** ContactPage is whom I added, wrote to or called, by id. */
export interface ContactPage {
  contacts: User[];
  next?: string; // none: that was all
}
/** BlockRef names a user whom I block, or block no longer. */
export interface BlockRef {
  user: string;
}
/** BlockList asks for a page of whom I have blocked. */
export interface BlockList {
  after?: string; // next of the page before; empty: the first page
  limit?: number;
}
/** BlockPage is whom I have blocked, by id. */
export interface BlockPage {
  users: User[];
  next?: string; // none: that was all
}
/**
 * DraftSet keeps what I have begun to write for all of my tabs, at most once in two seconds. One
 * without text, and that answers nothing, is removed.
 */
export interface DraftSet {
  conversation: string;
  text?: string;
  reply_to?: number; // seq of the message that it answers
}
/** ConversationMine changes what is given and leaves the rest. */
export interface ConversationMine {
  conversation: string;
  muted_until?: number; // unix ms; 0: not muted
  archived?: boolean;
  favourite?: boolean;
}
/** ConversationClear takes the messages up to a seq away from me. */
export interface ConversationClear {
  conversation: string;
  up_to: number;
}
/** ConversationCreate with kind direct and one other member returns the one that exists. */
export interface ConversationCreate {
  kind: ConversationKind;
  members: string[]; // besides me
  name?: string;
}
/** ConversationList asks for a page of my conversations. */
export interface ConversationList {
  before?: string; // next of the page before; empty: the first page
  limit?: number;
}
/** ConversationPage has the conversation with the latest message first. */
export interface ConversationPage {
  conversations: Conversation[];
  next?: string; // none: that was all
}
/** ConversationGet asks for conversations of mine, at most 100. */
export interface ConversationGet {
  conversations: string[];
}
/**
 * Conversations are those of the ones asked for that are mine. There may be less than were asked
 * for: More says that the rest is to be asked for again.
 */
export interface Conversations {
  conversations: Conversation[];
  more: boolean;
}
/** ConversationRef names a conversation. */
export interface ConversationRef {
  conversation: string;
}
/** ConversationMembers asks for a page of the members of a conversation. */
export interface ConversationMembers {
  conversation: string;
  after?: string; // next of the page before; empty: the first page
  limit?: number;
}
/** MemberPage has members by id, and their marks as they are now. */
export interface MemberPage {
  members: Member[];
  next?: string; // none: that was all
  pos: number; // of the conversation's feed: the members are as of then
}
/** ConversationWatch names all conversations that this tab has open: it is told of marks and typing there. */
export interface ConversationWatch {
  conversations: string[]; // at most 20
}
/** MarksList is how the marks are now, of those of the named conversations that are mine. */
export interface MarksList {
  conversations: ConversationMarks[];
}
/** FeedChanges asks for what changed in a feed after a pos. */
export interface FeedChanges {
  feed: string; // a conversation, or "me"
  after: number;
  limit?: number;
}
/** Changes are the items of a feed that changed, by pos. */
export interface Changes {
  items: Item[];
  up_to: number; // the feed is whole up to here now
  more: boolean; // ask again after UpTo
  reset: boolean; // too much has changed, or After is not of this history: forget the feed and page from its end
  users: User[]; // senders of the messages, and whom they name
}
/**
 * Change is one item of a feed that has just changed. Without a type it says only that the feed
 * has come to pos: ask by feed.changes.
 */
export interface Change {
  feed: string; // a conversation, or "me"
  pos: number;
  tag?: string;
  type?: ItemType;
  data?: unknown;
  count?: number; // of a member: how many have joined the conversation now; without it that is to be asked for
}
/** MessageSend names a conversation, or a user (To) whose direct conversation is then made. */
export interface MessageSend {
  conversation?: string;
  to?: string;
  client_id: string; // unique per sender; the same id again returns the first message
  kind: Kind;
  text?: string;
  data?: unknown;
  no_preview?: boolean; // of the link in Text
  reply_to?: number; // seq of the message that it answers
  mentions?: string[]; // users whom Text names, at most 50; who is no member is left out
  forward?: MessageRef; // it holds what this message holds, whatever else is given
}
/** PreviewGet asks what a link leads to. */
export interface PreviewGet {
  url: string; // http or https
}
/** PreviewFound is what it leads to; without a preview, nothing that can be shown. */
export interface PreviewFound {
  preview?: Preview;
}
/** MessagePage reads backwards from Before (exclusive; 0: from the end), or forwards from After. */
export interface MessagePage {
  conversation: string;
  before?: number;
  after?: number;
  limit?: number;
}
/** Messages is a page of a conversation, by seq ascending, as items of type message. */
export interface Messages {
  items: Item[];
  reactions?: Item[]; // those to them, as items of type reactions
  users: User[]; // who sent them
  more: boolean; // there are more in the direction of the page
  pos: number; // of the conversation's feed: the messages are as of then
}
/**
 * MessageGet asks for messages of a conversation, at most 100. Those that are not there are left out.
 * There may be less than were asked for: More says that the rest is to be asked for again.
 */
export interface MessageGet {
  conversation: string;
  seqs: number[];
}
/** MessageEdit replaces the text of a message of mine, or the caption of its file. */
export interface MessageEdit {
  conversation: string;
  seq: number;
  text: string;
}
/** MessageName names a message that I take away from everyone. */
export interface MessageName {
  conversation: string;
  seq: number;
}
/** MessageHide names messages that I remove for myself alone. */
export interface MessageHide {
  conversation: string;
  seqs: number[]; // at most 100
}
/** MessageReact is my reaction to a message: one emoji. With Off it is taken back. */
export interface MessageReact {
  conversation: string;
  seq: number;
  emoji: string;
  off?: boolean;
}
/** MessageReacted asks who has reacted to a message with an emoji. */
export interface MessageReacted {
  conversation: string;
  seq: number;
  emoji: string;
  after?: string; // next of the page before; empty: the first page
  limit?: number;
}
/** ReactedPage has users by id. */
export interface ReactedPage {
  users: User[];
  next?: string; // none: that was all
}
/**
 * MarksSet moves my marks forward, by conversation: up to where this device has messages, and up to
 * where they were shown. Zero moves nothing.
 */
export interface MarksSet {
  marks: { [key: string]: Marks}; // of at most 100 conversations
}
/** FileURLs names files whose addresses I need, at most 100. */
export interface FileURLs {
  files: string[];
}
/** FileURLList has the addresses of those of the files that I may have. */
export interface FileURLList {
  urls: { [key: string]: FileURL}; // by file
}
/** FileURL is an address of a file, and one of its thumbnail if it has one: paths on the server. */
export interface FileURL {
  url: string;
  thumbnail?: string;
  until: number; // unix ms; ask again before
}
/** Typing says that a member begins or ends to write. */
export interface Typing {
  conversation: string;
  user?: string; // set by the server
  on: boolean;
}
/** Activity says whether a person is at this tab. */
export interface Activity {
  away: boolean;
}
/** CallStart calls a user (To) or everyone else in a conversation. */
export interface CallStart {
  client_call_id: string; // unique per user; the same id again returns the first call
  conversation?: string;
  to?: string;
  media: Media;
  camera: boolean; // whether my camera is on
}
/** CallRef names a call. */
export interface CallRef {
  call: string;
}
/** CallAnswer answers a call in this tab. */
export interface CallAnswer {
  call: string;
  camera: boolean; // whether my camera is on
  sdp?: string; // the first offer of the leg, which saves a leg.offer
}
/** CallMove takes my part in a call to this tab. */
export interface CallMove {
  call: string;
}
/** LegRef names a leg by its secret, which only the tab that hosts it knows. */
export interface LegRef {
  call: string;
  leg: string;
  secret: string;
}
/** CallLeg is a leg handed to this tab. */
export interface CallLeg {
  call: Snapshot;
  leg: string;
  secret: string;
  merged?: boolean; // glare: this answered their call to me
  moved?: boolean; // start counted as a move
  sdp?: string; // the answer to the offer in call.answer
}
/** CallStateSet changes what is given and leaves the rest. */
export interface CallStateSet {
  call: string;
  microphone?: boolean;
  camera?: boolean;
  held?: boolean;
  hand_raised?: boolean;
}
/**
 * LegOffer carries the offer of a leg's one PeerConnection: the first, one with more
 * slots, or an ICE restart.
 */
export interface LegOffer extends LegRef {
  sdp: string;
}
/** LegAnswer has the answer to an offer, with the server's candidates. */
export interface LegAnswer {
  sdp: string;
}
/** LegPhase reports milliseconds from the click to a phase, measured by the client. */
export interface LegPhase extends LegRef {
  phase: string; // "first_frame", "first_audio"
  ms: number;
}
/** Source is what a peer sends. */
export type Source =
  | "microphone"
  | "camera"
  | "screen"
/**
 * Slot tells what the stream on one mid shows now. No participant: nothing. ID is the
 * CSRC of its packets, to change a label on the exact packet.
 */
export interface Slot {
  mid: string;
  participant?: string;
  source?: Source;
  id?: number;
}
/** Slots are all slots of this tab's leg, as they are now. */
export interface Slots {
  call: string;
  slots: Slot[];
}
/** Speaker is who speaks in a call of mine now. */
export interface Speaker {
  call: string;
  user?: string; // none: silence
}
/** LegEnd says that a leg of this tab is over, and why. */
export interface LegEnd {
  call: string;
  leg: string;
  reason: Reason;
}
/** Every request of a client: what it carries and what it gives. */
export interface Requests {
  "hello": { params: Hello; result: Welcome };
  "token.renew": { params: TokenRenew; result: TokenRenewed };
  "session.list": { params: Empty; result: SessionList };
  "session.sign_out": { params: SessionSignOut; result: Empty };
  "user.get": { params: UserGet; result: User };
  "userobject.set": { params: UserObjectSet; result: Empty };
  "userobject.get": { params: UserObjectGet; result: UserObjects };
  "presence.watch": { params: PresenceWatch; result: PresenceList };
  "contact.add": { params: ContactRef; result: Empty };
  "contact.remove": { params: ContactRef; result: Empty };
  "contact.list": { params: ContactList; result: ContactPage };
  "block.add": { params: BlockRef; result: Empty };
  "block.remove": { params: BlockRef; result: Empty };
  "block.list": { params: BlockList; result: BlockPage };
  "preferences.set": { params: PreferencesChange; result: Preferences };
  "draft.set": { params: DraftSet; result: Empty };
  "conversation.create": { params: ConversationCreate; result: Conversation };
  "conversation.list": { params: ConversationList; result: ConversationPage };
  "conversation.get": { params: ConversationGet; result: Conversations };
  "conversation.members": { params: ConversationMembers; result: MemberPage };
  "conversation.watch": { params: ConversationWatch; result: MarksList };
  "conversation.join": { params: ConversationRef; result: Conversation };
  "conversation.leave": { params: ConversationRef; result: Empty };
  "conversation.mine": { params: ConversationMine; result: Empty };
  "conversation.clear": { params: ConversationClear; result: Empty };
  "feed.changes": { params: FeedChanges; result: Changes };
  "message.send": { params: MessageSend; result: Change };
  "message.page": { params: MessagePage; result: Messages };
  "message.get": { params: MessageGet; result: Messages };
  "message.edit": { params: MessageEdit; result: Change };
  "message.recall": { params: MessageName; result: Change };
  "message.hide": { params: MessageHide; result: Empty };
  "message.react": { params: MessageReact; result: Change };
  "message.reacted": { params: MessageReacted; result: ReactedPage };
  "preview.get": { params: PreviewGet; result: PreviewFound };
  "marks.set": { params: MarksSet; result: Empty };
  "file.urls": { params: FileURLs; result: FileURLList };
  "call.start": { params: CallStart; result: CallLeg };
  "call.ringing": { params: CallRef; result: Empty };
  "call.answer": { params: CallAnswer; result: CallLeg };
  "call.decline": { params: CallRef; result: Empty };
  "call.leave": { params: CallRef; result: Empty };
  "call.move": { params: CallMove; result: CallLeg };
  "call.resume": { params: LegRef; result: CallLeg };
  "call.state": { params: CallStateSet; result: Empty };
  "call.get": { params: CallRef; result: CallChange };
  "leg.offer": { params: LegOffer; result: LegAnswer };
  "leg.phase": { params: LegPhase; result: Empty };
}

/** Every notification of a client. */
export interface ClientNotes {
  "pong": Empty;
  "typing": Typing;
  "activity": Activity;
  "leg.suspend": LegRef;
}

/** Every notification of the server. */
export interface ServerNotes {
  "ping": Ping;
  "greeting": Greeting;
  "synced": Synced;
  "change": Change;
  "marks": ConversationMarks;
  "call": CallChange;
  "typing": Typing;
  "presence": Presence;
  "profile": User;
  "sessions": Empty;
  "slots": Slots;
  "speaker": Speaker;
  "leg.end": LegEnd;
}

/** What the data of each type of item holds. */
export interface ItemData {
  "message": Message;
  "member": Member;
  "conversation": Settings;
  "reactions": Reactions;
  "membership": Membership;
  "contact": Contact;
  "object": UserObject;
  "hidden": Hidden;
  "draft": Draft;
  "block": Block;
  "preferences": Preferences;
}
