package wire

import (
	"encoding/json"

	"carillon/call"
	"carillon/chat"
)

// Requests of a client, with the types of their params and result.
const (
	MethodHello      = "hello"       // Hello → Welcome, then pages of greeting, then synced
	MethodTokenRenew = "token.renew" // TokenRenew → TokenRenewed

	MethodSessionList    = "session.list"     // – → SessionList
	MethodSessionSignOut = "session.sign_out" // SessionSignOut → Empty

	MethodUserGet       = "user.get"       // UserGet → chat.User
	MethodUserObjectSet = "userobject.set" // UserObjectSet → Empty
	MethodUserObjectGet = "userobject.get" // UserObjectGet → UserObjects, by key
	MethodPresenceWatch = "presence.watch" // PresenceWatch → PresenceList; replaces what this tab watched

	MethodContactAdd    = "contact.add"    // ContactRef → Empty
	MethodContactRemove = "contact.remove" // ContactRef → Empty
	MethodContactList   = "contact.list"   // ContactList → ContactPage, by id

	MethodBlockAdd       = "block.add"       // BlockRef → Empty
	MethodBlockRemove    = "block.remove"    // BlockRef → Empty
	MethodBlockList      = "block.list"      // BlockList → BlockPage, by id
	MethodPreferencesSet = "preferences.set" // chat.PreferencesChange → chat.Preferences
	MethodDraftSet       = "draft.set"       // DraftSet → Empty

	MethodConversationCreate  = "conversation.create"  // ConversationCreate → chat.Conversation
	MethodConversationList    = "conversation.list"    // ConversationList → ConversationPage, latest change first
	MethodConversationGet     = "conversation.get"     // ConversationGet → Conversations
	MethodConversationMembers = "conversation.members" // ConversationMembers → MemberPage, by id
	MethodConversationWatch   = "conversation.watch"   // ConversationWatch → MarksList; replaces what this tab watched
	MethodConversationJoin    = "conversation.join"    // ConversationRef → chat.Conversation; takes an invitation
	MethodConversationLeave   = "conversation.leave"   // ConversationRef → Empty; also turns an invitation down
	MethodConversationMine    = "conversation.mine"    // ConversationMine → Empty; what I decide about it for myself
	MethodConversationClear   = "conversation.clear"   // ConversationClear → Empty; takes messages away from me alone
	MethodFeedChanges         = "feed.changes"         // FeedChanges → Changes, by pos ascending
	MethodMessageSend         = "message.send"         // MessageSend → Change, with the message
	MethodMessagePage         = "message.page"         // MessagePage → Messages, by seq ascending
	MethodMessageGet          = "message.get"          // MessageGet → Messages, by seq ascending
	MethodMessageEdit         = "message.edit"         // MessageEdit → Change, with the message
	MethodMessageRecall       = "message.recall"       // MessageName → Change, with what is left of the message
	MethodMessageHide         = "message.hide"         // MessageHide → Empty; removes messages for me alone
	MethodMessageReact        = "message.react"        // MessageReact → Change, with the reactions; without a type: it was so already
	MethodMessageReacted      = "message.reacted"      // MessageReacted → ReactedPage, by id
	MethodPreviewGet          = "preview.get"          // PreviewGet → PreviewFound; before a message with a link is sent
	MethodMarksSet            = "marks.set"            // MarksSet → Empty, when the marks are stored

	MethodFileURLs = "file.urls" // FileURLs → FileURLList, of those that I may have

	MethodCallStart   = "call.start"   // CallStart → CallLeg
	MethodCallRinging = "call.ringing" // CallRef → Empty; this tab shows the ring
	MethodCallAnswer  = "call.answer"  // CallAnswer → CallLeg
	MethodCallDecline = "call.decline" // CallRef → Empty
	MethodCallLeave   = "call.leave"   // CallRef → Empty; cancels while no one has answered
	MethodCallMove    = "call.move"    // CallMove → CallLeg
	MethodCallResume  = "call.resume"  // LegRef → CallLeg, with a new secret
	MethodCallState   = "call.state"   // CallStateSet → Empty; mute, camera, hold
	MethodCallGet     = "call.get"     // CallRef → CallChange, with everybody; after a hole

	MethodLegOffer = "leg.offer" // LegOffer → LegAnswer; the client always offers
	MethodLegPhase = "leg.phase" // LegPhase → Empty; a time measured by the client
)

// Notifications of a client: no answer.
const (
	NotePong       = "pong"        // Empty; answers ping
	NoteTyping     = "typing"      // Typing; the server passes it on with User
	NoteActivity   = "activity"    // Activity; for idle presence
	NoteLegSuspend = "leg.suspend" // LegRef; sent at pagehide
)

// Notifications of the server, beside NoteTyping.
const (
	NotePing     = "ping"     // Ping; answer with pong at once
	NoteGreeting = "greeting" // Greeting; a page of what welcome begins
	NoteSynced   = "synced"   // Synced; that was the last page, ring and notify from now on
	NoteChange   = "change"   // Change of a feed of mine
	NoteMarks    = "marks"    // ConversationMarks, of a conversation that this tab watches, and of a direct one
	NoteCall     = "call"     // CallChange, of a call that I take part in
	NotePresence = "presence" // Presence, of whom I watch
	NoteProfile  = "profile"  // chat.User, of whom I watch
	NoteSessions = "sessions" // –; my sessions changed since I listed them
	NoteSlots    = "slots"    // Slots; what each receiving line of my leg shows
	NoteSpeaker  = "speaker"  // Speaker; who speaks in my call
	NoteLegEnd   = "leg.end"  // LegEnd; this tab's leg is over, give back camera and microphone
)

// Empty is the params or result of a method that needs none.
type Empty struct{}

// Hello is the first request of every connection.
type Hello struct {
	Token      string   `json:"token"`
	Protocol   int      `json:"protocol"`
	Tab        string   `json:"tab"`         // made by the page, 8–64 characters, one per open page
	Device     string   `json:"device"`      // kept by the browser profile, 8–64 characters
	DeviceName string   `json:"device_name"` // "Chrome on Linux"
	Resume     *Resume  `json:"resume,omitempty"`
	Pending    []string `json:"pending,omitempty"` // client ids of messages sent but not yet acknowledged
}

// Resume says what this tab has already.
type Resume struct {
	At      int64                        `json:"at"`      // of the latest synced, or of a ping that had one
	Opening string                       `json:"opening"` // of the same
	Feeds   map[string]chat.FeedPosition `json:"feeds"`   // my own, and at most 100 conversations that the tab keeps
}

// Welcome answers hello. What the tab has missed, or what it begins with, follows in pages.
type Welcome struct {
	User       chat.User   `json:"user"`
	Tab        string      `json:"tab"`
	Server     string      `json:"server"`   // version
	Resumed    bool        `json:"resumed"`  // what follows is what changed; else forget everything: all of it follows
	Diverged   []string    `json:"diverged"` // feeds of Resume that are another history now, or begin later: forget them
	Accepted   []string    `json:"accepted"` // those of Hello.Pending that were stored
	ICEServers []ICEServer `json:"ice_servers"`
	Limits     Limits      `json:"limits"`
	PingMS     int64       `json:"ping_ms"`
	ServerTime int64       `json:"server_time"`        // unix ms
	TokenMS    int64       `json:"token_ms,omitempty"` // until the token expires; renew before
}

// Greeting is a page of what follows the welcome. First come the items of the user's own feed,
// then conversations, then live calls. Of conversations there are those that changed; a tab
// that has not resumed gets the first page of the list.
type Greeting struct {
	Items         []chat.Item         `json:"items,omitempty"` // of my own feed, by pos
	Pos           int64               `json:"pos,omitempty"`   // up to where my own feed is whole now; with the last of the items
	Conversations []chat.Conversation `json:"conversations,omitempty"`
	Next          string              `json:"next,omitempty"` // of the list: as in ConversationPage; with its only page
	Calls         []CallChange        `json:"calls,omitempty"`
}

// ICEServer as RTCPeerConnection takes it.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Limits that a client can respect before the server has to refuse.
type Limits struct {
	FrameBytes   int `json:"frame_bytes"`
	MessageBytes int `json:"message_bytes"`
	ObjectBytes  int `json:"object_bytes"`
	PageSize     int `json:"page_size"`
	FileBytes    int `json:"file_bytes,omitempty"` // none: this server takes no files
}

// Synced ends the greeting. Who was sent less than all that changed, because it was too much, has
// All false: what the tab keeps and was not sent is to be asked for.
type Synced struct {
	At      int64  `json:"at"`
	Opening string `json:"opening"`
	All     bool   `json:"all"`
}

// Ping asks for a pong. At and Opening replace those of synced, when they are there.
type Ping struct {
	At      int64  `json:"at,omitempty"`
	Opening string `json:"opening,omitempty"`
}

// CallChange is a call, with those participants that changed since the change From; with From 0
// it has everybody. Of changes of a call the one of the highest epoch, then of the highest cseq is
// the newest. Who has an older one than From asks by call.get.
type CallChange struct {
	From  int64         `json:"from,omitempty"` // a cseq of the same epoch
	AgeMS int64         `json:"age_ms"`         // how old it was when it was sent to this tab; times in the call count from then
	Call  call.Snapshot `json:"call"`
}

// TokenRenew keeps a tab signed in, with a new token of the same user.
type TokenRenew struct {
	Token string `json:"token"`
}

// TokenRenewed answers token.renew.
type TokenRenewed struct {
	TokenMS int64 `json:"token_ms"` // until the new token expires
}

// Session is one open tab of mine.
type Session struct {
	ID         string `json:"id"` // for sign-out
	Tab        string `json:"tab"`
	Device     string `json:"device"`
	DeviceName string `json:"device_name"`
	Since      int64  `json:"since"` // unix ms
	This       bool   `json:"this"`
}

// SessionList is all open tabs of mine, the oldest first.
type SessionList struct {
	Sessions []Session `json:"sessions"`
}

// SessionSignOut ends one session, or with Everywhere all of this user's and every
// token minted before now.
type SessionSignOut struct {
	ID         string `json:"id,omitempty"`
	Everywhere bool   `json:"everywhere,omitempty"`
}

// UserGet asks for the profile of a user whom I may see.
type UserGet struct {
	User string `json:"user"`
}

// UserObjectSet sets a value that all tabs of mine share.
type UserObjectSet struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value" tstype:"unknown"` // null removes
}

// UserObjectGet asks for one key, or for a page of all when empty.
type UserObjectGet struct {
	Key   string `json:"key,omitempty"`
	After string `json:"after,omitempty"` // next of the page before; empty: the first page
}

// UserObjects are values that all tabs of mine share, by key.
type UserObjects struct {
	Objects []chat.UserObject `json:"objects"`
	Next    string            `json:"next,omitempty"` // none: that was all
}

// PresenceState of a user: the best of their tabs.
type PresenceState string

const (
	Online  PresenceState = "online"
	Away    PresenceState = "away"
	Offline PresenceState = "offline"
)

// Presence is how a user is now.
type Presence struct {
	User     string        `json:"user"`
	Guest    bool          `json:"guest,omitempty"`
	State    PresenceState `json:"state"`
	LastSeen int64         `json:"last_seen,omitempty"` // unix ms, when offline
}

// PresenceWatch names all users whose presence this tab wants to be told from now on.
type PresenceWatch struct {
	Users []string `json:"users"`
}

// PresenceList is how those of the named users are now whom I may see.
type PresenceList struct {
	Users []Presence `json:"users"`
}

// ContactRef names a user whom I add to my contacts or remove from them.
type ContactRef struct {
	User string `json:"user"`
}

// ContactList asks for a page of my contacts.
type ContactList struct {
	After string `json:"after,omitempty"` // next of the page before; empty: the first page
	Limit int    `json:"limit,omitempty"`
}

// ContactPage is whom I added, wrote to or called, by id.
type ContactPage struct {
	Contacts []chat.User `json:"contacts"`
	Next     string      `json:"next,omitempty"` // none: that was all
}

// BlockRef names a user whom I block, or block no longer.
type BlockRef struct {
	User string `json:"user"`
}

// BlockList asks for a page of whom I have blocked.
type BlockList struct {
	After string `json:"after,omitempty"` // next of the page before; empty: the first page
	Limit int    `json:"limit,omitempty"`
}

// BlockPage is whom I have blocked, by id.
type BlockPage struct {
	Users []chat.User `json:"users"`
	Next  string      `json:"next,omitempty"` // none: that was all
}

// DraftSet keeps what I have begun to write for all of my tabs, at most once in two seconds. One
// without text, and that answers nothing, is removed.
type DraftSet struct {
	Conversation string `json:"conversation"`
	Text         string `json:"text,omitempty"`
	ReplyTo      int64  `json:"reply_to,omitempty"` // seq of the message that it answers
}

// ConversationMine changes what is given and leaves the rest.
type ConversationMine struct {
	Conversation string `json:"conversation"`
	MutedUntil   *int64 `json:"muted_until,omitempty"` // unix ms; 0: not muted
	Archived     *bool  `json:"archived,omitempty"`
	Favourite    *bool  `json:"favourite,omitempty"`
}

// ConversationClear takes the messages up to a seq away from me.
type ConversationClear struct {
	Conversation string `json:"conversation"`
	UpTo         int64  `json:"up_to"`
}

// ConversationCreate with kind direct and one other member returns the one that exists.
type ConversationCreate struct {
	Kind    chat.ConversationKind `json:"kind"`
	Members []string              `json:"members"` // besides me
	Name    string                `json:"name,omitempty"`
}

// ConversationList asks for a page of my conversations.
type ConversationList struct {
	Before string `json:"before,omitempty"` // next of the page before; empty: the first page
	Limit  int    `json:"limit,omitempty"`
}

// ConversationPage has the conversation with the latest message first.
type ConversationPage struct {
	Conversations []chat.Conversation `json:"conversations"`
	Next          string              `json:"next,omitempty"` // none: that was all
}

// ConversationGet asks for conversations of mine, at most 100.
type ConversationGet struct {
	Conversations []string `json:"conversations"`
}

// Conversations are those of the ones asked for that are mine. There may be less than were asked
// for: More says that the rest is to be asked for again.
type Conversations struct {
	Conversations []chat.Conversation `json:"conversations"`
	More          bool                `json:"more"`
}

// ConversationRef names a conversation.
type ConversationRef struct {
	Conversation string `json:"conversation"`
}

// ConversationMembers asks for a page of the members of a conversation.
type ConversationMembers struct {
	Conversation string `json:"conversation"`
	After        string `json:"after,omitempty"` // next of the page before; empty: the first page
	Limit        int    `json:"limit,omitempty"`
}

// MemberPage has members by id, and their marks as they are now.
type MemberPage struct {
	Members []chat.Member `json:"members"`
	Next    string        `json:"next,omitempty"` // none: that was all
	Pos     int64         `json:"pos"`            // of the conversation's feed: the members are as of then
}

// ConversationWatch names all conversations that this tab has open: it is told of marks and typing there.
type ConversationWatch struct {
	Conversations []string `json:"conversations"` // at most 20
}

// MarksList is how the marks are now, of those of the named conversations that are mine.
type MarksList struct {
	Conversations []chat.ConversationMarks `json:"conversations"`
}

// FeedChanges asks for what changed in a feed after a pos.
type FeedChanges struct {
	Feed  string `json:"feed"` // a conversation, or "me"
	After int64  `json:"after"`
	Limit int    `json:"limit,omitempty"`
}

// Changes are the items of a feed that changed, by pos.
type Changes struct {
	Items []chat.Item `json:"items"`
	UpTo  int64       `json:"up_to"` // the feed is whole up to here now
	More  bool        `json:"more"`  // ask again after UpTo
	Reset bool        `json:"reset"` // too much has changed, or After is not of this history: forget the feed and page from its end
	Users []chat.User `json:"users"` // senders of the messages, and whom they name
}

// Change is one item of a feed that has just changed. Without a type it says only that the feed
// has come to pos: ask by feed.changes.
type Change struct {
	Feed string          `json:"feed"` // a conversation, or "me"
	Pos  int64           `json:"pos"`
	Tag  chat.Tag        `json:"tag,omitempty" tstype:"string"`
	Type chat.ItemType   `json:"type,omitempty"`
	Data json.RawMessage `json:"data,omitempty" tstype:"unknown"`

	Count int `json:"count,omitempty"` // of a member: how many have joined the conversation now; without it that is to be asked for
}

// MessageSend names a conversation, or a user (To) whose direct conversation is then made.
type MessageSend struct {
	Conversation string           `json:"conversation,omitempty"`
	To           string           `json:"to,omitempty"`
	ClientID     string           `json:"client_id"` // unique per sender; the same id again returns the first message
	Kind         chat.Kind        `json:"kind"`
	Text         string           `json:"text,omitempty"`
	Data         json.RawMessage  `json:"data,omitempty" tstype:"unknown"`
	NoPreview    bool             `json:"no_preview,omitempty"` // of the link in Text
	ReplyTo      int64            `json:"reply_to,omitempty"`   // seq of the message that it answers
	Mentions     []string         `json:"mentions,omitempty"`   // users whom Text names, at most 50; who is no member is left out
	Forward      *chat.MessageRef `json:"forward,omitempty"`    // it holds what this message holds, whatever else is given
}

// PreviewGet asks what a link leads to.
type PreviewGet struct {
	URL string `json:"url"` // http or https
}

// PreviewFound is what it leads to; without a preview, nothing that can be shown.
type PreviewFound struct {
	Preview *chat.Preview `json:"preview,omitempty"`
}

// MessagePage reads backwards from Before (exclusive; 0: from the end), or forwards from After.
type MessagePage struct {
	Conversation string `json:"conversation"`
	Before       int64  `json:"before,omitempty"`
	After        int64  `json:"after,omitempty"`
	Limit        int    `json:"limit,omitempty"`
}

// Messages is a page of a conversation, by seq ascending, as items of type message.
type Messages struct {
	Items     []chat.Item `json:"items"`
	Reactions []chat.Item `json:"reactions,omitempty"` // those to them, as items of type reactions
	Users     []chat.User `json:"users"`               // who sent them
	More      bool        `json:"more"`                // there are more in the direction of the page
	Pos       int64       `json:"pos"`                 // of the conversation's feed: the messages are as of then
}

// MessageGet asks for messages of a conversation, at most 100. Those that are not there are left out.
// There may be less than were asked for: More says that the rest is to be asked for again.
type MessageGet struct {
	Conversation string  `json:"conversation"`
	Seqs         []int64 `json:"seqs"`
}

// MessageEdit replaces the text of a message of mine, or the caption of its file.
type MessageEdit struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Text         string `json:"text"`
}

// MessageName names a message that I take away from everyone.
type MessageName struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
}

// MessageHide names messages that I remove for myself alone.
type MessageHide struct {
	Conversation string  `json:"conversation"`
	Seqs         []int64 `json:"seqs"` // at most 100
}

// MessageReact is my reaction to a message: one emoji. With Off it is taken back.
type MessageReact struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Emoji        string `json:"emoji"`
	Off          bool   `json:"off,omitempty"`
}

// MessageReacted asks who has reacted to a message with an emoji.
type MessageReacted struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
	Emoji        string `json:"emoji"`
	After        string `json:"after,omitempty"` // next of the page before; empty: the first page
	Limit        int    `json:"limit,omitempty"`
}

// ReactedPage has users by id.
type ReactedPage struct {
	Users []chat.User `json:"users"`
	Next  string      `json:"next,omitempty"` // none: that was all
}

// MarksSet moves my marks forward, by conversation: up to where this device has messages, and up to
// where they were shown. Zero moves nothing.
type MarksSet struct {
	Marks map[string]chat.Marks `json:"marks"` // of at most 100 conversations
}

// FileURLs names files whose addresses I need, at most 100.
type FileURLs struct {
	Files []string `json:"files"`
}

// FileURLList has the addresses of those of the files that I may have.
type FileURLList struct {
	URLs map[string]FileURL `json:"urls"` // by file
}

// FileURL is an address of a file, and one of its thumbnail if it has one: paths on the server.
type FileURL struct {
	URL       string `json:"url"`
	Thumbnail string `json:"thumbnail,omitempty"`
	Until     int64  `json:"until"` // unix ms; ask again before
}

// Typing says that a member begins or ends to write.
type Typing struct {
	Conversation string `json:"conversation"`
	User         string `json:"user,omitempty"` // set by the server
	On           bool   `json:"on"`
}

// Activity says whether a person is at this tab.
type Activity struct {
	Away bool `json:"away"`
}

// CallStart calls a user (To) or everyone else in a conversation.
type CallStart struct {
	ClientCallID string     `json:"client_call_id"` // unique per user; the same id again returns the first call
	Conversation string     `json:"conversation,omitempty"`
	To           string     `json:"to,omitempty"`
	Media        call.Media `json:"media"`
	Camera       bool       `json:"camera"` // whether my camera is on
}

// CallRef names a call.
type CallRef struct {
	Call string `json:"call"`
}

// CallAnswer answers a call in this tab.
type CallAnswer struct {
	Call   string `json:"call"`
	Camera bool   `json:"camera"`        // whether my camera is on
	SDP    string `json:"sdp,omitempty"` // the first offer of the leg, which saves a leg.offer
}

// CallMove takes my part in a call to this tab.
type CallMove struct {
	Call string `json:"call"`
}

// LegRef names a leg by its secret, which only the tab that hosts it knows.
type LegRef struct {
	Call   string `json:"call"`
	Leg    string `json:"leg"`
	Secret string `json:"secret"`
}

// CallLeg is a leg handed to this tab.
type CallLeg struct {
	Call   call.Snapshot `json:"call"`
	Leg    string        `json:"leg"`
	Secret string        `json:"secret"`
	Merged bool          `json:"merged,omitempty"` // glare: this answered their call to me
	Moved  bool          `json:"moved,omitempty"`  // start counted as a move
	SDP    string        `json:"sdp,omitempty"`    // the answer to the offer in call.answer
}

// CallStateSet changes what is given and leaves the rest.
type CallStateSet struct {
	Call       string `json:"call"`
	Microphone *bool  `json:"microphone,omitempty"`
	Camera     *bool  `json:"camera,omitempty"`
	Held       *bool  `json:"held,omitempty"`
	HandRaised *bool  `json:"hand_raised,omitempty"`
}

// LegOffer carries the offer of a leg's one PeerConnection: the first, one with more
// slots, or an ICE restart.
type LegOffer struct {
	LegRef `tstype:",extends"`
	SDP    string `json:"sdp"`
}

// LegAnswer has the answer to an offer, with the server's candidates.
type LegAnswer struct {
	SDP string `json:"sdp"`
}

// LegPhase reports milliseconds from the click to a phase, measured by the client.
type LegPhase struct {
	LegRef `tstype:",extends"`
	Phase  string `json:"phase"` // "first_frame", "first_audio"
	MS     int64  `json:"ms"`
}

// Source is what a peer sends.
type Source string

const (
	Microphone Source = "microphone"
	Camera     Source = "camera"
	Screen     Source = "screen"
)

// Slot tells what the stream on one mid shows now. No participant: nothing. ID is the
// CSRC of its packets, to change a label on the exact packet.
type Slot struct {
	MID         string `json:"mid"`
	Participant string `json:"participant,omitempty"`
	Source      Source `json:"source,omitempty"`
	ID          uint32 `json:"id,omitempty"`
}

// Slots are all slots of this tab's leg, as they are now.
type Slots struct {
	Call  string `json:"call"`
	Slots []Slot `json:"slots"`
}

// Speaker is who speaks in a call of mine now.
type Speaker struct {
	Call string `json:"call"`
	User string `json:"user,omitempty"` // none: silence
}

// LegEnd says that a leg of this tab is over, and why.
type LegEnd struct {
	Call   string      `json:"call"`
	Leg    string      `json:"leg"`
	Reason call.Reason `json:"reason"`
}
