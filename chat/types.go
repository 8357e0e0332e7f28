package chat

import "encoding/json"

// User is what everyone who may see a user knows of them.
type User struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Picture string `json:"picture,omitempty"` // URL
	Guest   bool   `json:"guest,omitempty"`
}

// Kind is what a message holds.
type Kind string

const (
	Text      Kind = "text"
	Rich      Kind = "rich"       // Data is RichData
	File      Kind = "file"       // Data is FileData, as of the next two; Text is its caption
	Voice     Kind = "voice"      // recorded for this message
	VideoNote Kind = "video_note" // the same
	Location  Kind = "location"   // Data is LocationData
	Custom    Kind = "custom"     // Data is CustomData
	Call      Kind = "call"       // one per call, updated in place; Data is a call.Log
	System    Kind = "system"     // notices: who joined, who left
)

// Counts reports whether messages of this kind are unread for every member but the sender. The
// others are unread for nobody, or, as missed calls are, for some.
func (k Kind) Counts() bool { return k != Call && k != System }

// Message is one entry of a conversation. Seq has no gaps within a conversation.
type Message struct {
	ID           string          `json:"id"`
	Conversation string          `json:"conversation"`
	Seq          int64           `json:"seq"`
	N            int64           `json:"n"` // how many of the conversation's messages up to this one count as unread for everyone but their senders
	Sender       string          `json:"sender"`
	ClientID     string          `json:"client_id,omitempty"` // chosen by the sender's tab; unique per sender
	Kind         Kind            `json:"kind"`
	Text         string          `json:"text,omitempty"`
	Data         json.RawMessage `json:"data,omitempty" tstype:"unknown"`    // what the kind needs beside Text
	Preview      json.RawMessage `json:"preview,omitempty" tstype:"Preview"` // of the first link in Text; it comes in a later revision
	Revision     int             `json:"revision,omitempty"`                 // 0 as sent; grows with each change
	SentAt       int64           `json:"sent_at"`                            // unix ms, by the server's clock
	ReplyTo      int64           `json:"reply_to,omitempty"`                 // seq of the message that it answers
	Mentions     []string        `json:"mentions,omitempty"`                 // members whom Text names
	Forwarded    bool            `json:"forwarded,omitempty"`                // from another place
	EditedAt     int64           `json:"edited_at,omitempty"`                // unix ms, by its sender
	Gone         GoneReason      `json:"gone,omitempty"`                     // there is nothing to be seen of it any more: no text, no data
}

// MessageRef names a message.
type MessageRef struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
}

// GoneReason says why there is nothing to be seen of a message.
type GoneReason string

const (
	HiddenMessage   GoneReason = "hidden"   // I have removed it for myself alone
	RecalledMessage GoneReason = "recalled" // its sender has, for everyone
	RemovedMessage  GoneReason = "removed"  // an owner or a moderator has
)

// RichData is what a rich message has beside its text.
type RichData struct {
	Title  string          `json:"title,omitempty"`
	Fields []RichField     `json:"fields,omitempty"`
	Custom json.RawMessage `json:"custom,omitempty" tstype:"unknown"` // for the site's own code
}

// RichField is a line of a rich message.
type RichField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// LocationData is where a message points to. One with LiveUntil is sent anew by its sender, as a
// revision, until then.
type LocationData struct {
	Latitude  float64 `json:"latitude"`             // degrees, WGS 84
	Longitude float64 `json:"longitude"`            // degrees
	Accuracy  float64 `json:"accuracy,omitempty"`   // metres
	Name      string  `json:"name,omitempty"`       // of the place
	LiveUntil int64   `json:"live_until,omitempty"` // unix ms
}

// CustomData is a message that only the site's own code understands. Others show its text.
type CustomData struct {
	Type string          `json:"type"` // chosen by the site
	Data json.RawMessage `json:"data,omitempty" tstype:"unknown"`
}

// Preview is what a link led to when the server looked at it. All but URL and Site is what strangers
// say of themselves.
type Preview struct {
	URL         string          `json:"url"`  // where the link leads: http or https
	Site        string          `json:"site"` // the host of URL in ASCII, without www.
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Picture     *PreviewPicture `json:"picture,omitempty"`
}

// PreviewPicture is a JPEG that this server serves as /previews/KEY.jpg.
type PreviewPicture struct {
	Key    string `json:"key"`
	Width  int    `json:"width"` // pixels
	Height int    `json:"height"`
}

// ConversationKind tells a pair from a group.
type ConversationKind string

const (
	Direct ConversationKind = "direct"
	Group  ConversationKind = "group"
)

// Role is what a member may do.
type Role string

const (
	Owner     Role = "owner"
	Moderator Role = "moderator"
	Ordinary  Role = "member"
	GuestRole Role = "guest"
)

// MemberState is whether a user takes part in a conversation.
type MemberState string

const (
	Joined  MemberState = "joined"  // reads, writes and calls; this ends by leaving or being removed
	Invited MemberState = "invited" // sees the name and who invited, nothing that was written; ends by joining or leaving
	Gone    MemberState = "gone"    // takes no part any more
)

// Marks are how far a member has got: every message with seq <= Delivered has reached a device of
// theirs, <= Read was shown to them. They never go back.
type Marks struct {
	Delivered int64 `json:"delivered"`
	Read      int64 `json:"read"`
}

// Member is a user in a conversation, as the other members see it. It is an item of the
// conversation's feed; its marks are state, told apart, and not part of that item.
type Member struct {
	User  `tstype:",extends"`
	Role  Role        `json:"role"`
	State MemberState `json:"state"`
	Marks `tstype:",extends"`
}

// Membership is a conversation as it concerns one user alone. It is an item of that user's feed.
// What is unread is Conversation.N - max(ReadN, Floor.N) - OwnAhead + Missed.
type Membership struct {
	Conversation string      `json:"conversation"`
	State        MemberState `json:"state"`
	Role         Role        `json:"role"`
	InvitedBy    string      `json:"invited_by,omitempty"`  // a user
	FromSeq      int64       `json:"from_seq"`              // the first message that this member may see
	Read         int64       `json:"read"`                  // my mark
	ReadN        int64       `json:"read_n"`                // Message.N at that mark
	OwnAhead     int64       `json:"own_ahead"`             // my own messages beyond it that count, without those that retention removed
	Missed       int64       `json:"missed,omitempty"`      // calls beyond it that I missed
	MutedUntil   int64       `json:"muted_until,omitempty"` // unix ms; a message makes no sound and no notification before
	Archived     int64       `json:"archived,omitempty"`    // the latest message when I put it away; a later one brings it back, unless it is muted
	Favourite    bool        `json:"favourite,omitempty"`
}

// Floor is where a conversation begins now: what was before was removed by retention.
type Floor struct {
	Seq int64 `json:"seq"` // of the first message kept, less one
	Pos int64 `json:"pos"` // who resumes below it starts this feed afresh
	N   int64 `json:"n"`   // Message.N of the last one removed: those up to it are unread for nobody
}

// Conversation as one of its members sees it. Who is invited sees nothing that was written, and
// among Members only who invited them.
type Conversation struct {
	ID        string           `json:"id"`
	Kind      ConversationKind `json:"kind"`
	Name      string           `json:"name,omitempty"` // groups only; a direct conversation bears the other's name
	CreatedAt int64            `json:"created_at"`     // unix ms
	Pos       int64            `json:"pos"`            // of the latest change of its feed
	Floor     Floor            `json:"floor,omitzero"`
	LastSeq   int64            `json:"last_seq"`
	N         int64            `json:"n"` // Message.N of the latest
	Last      *Message         `json:"last,omitempty"`
	Count     int              `json:"count"`   // how many have joined
	Members   []Member         `json:"members"` // of a direct one both; of a group a few, me and who wrote last (and may be gone) among them
	Mine      Membership       `json:"mine"`
	MineAt    Place            `json:"mine_at"` // where Mine stands in my own feed
}

// Place is where an item stands in its feed: the number of its last change, and that change's tag.
type Place struct {
	Pos int64 `json:"pos"`
	Tag Tag   `json:"tag" tstype:"string"`
}

// OwnFeed names, among feeds, the one of the user. A conversation's is named by its id.
const OwnFeed = "me"

// FeedPosition is how far a tab knows a feed.
type FeedPosition struct {
	Pos    int64   `json:"pos"`
	Newest []Place `json:"newest"` // of the three newest items of it that the tab has
}

// ItemType names what an item of a feed holds.
type ItemType string

const (
	// Of a conversation.
	ItemMessage      ItemType = "message"      // Message
	ItemMember       ItemType = "member"       // Member, without marks
	ItemConversation ItemType = "conversation" // Settings
	ItemReactions    ItemType = "reactions"    // Reactions

	// Of a user.
	ItemMembership  ItemType = "membership"  // Membership
	ItemContact     ItemType = "contact"     // Contact
	ItemObject      ItemType = "object"      // UserObject
	ItemHidden      ItemType = "hidden"      // Hidden
	ItemDraft       ItemType = "draft"       // Draft
	ItemBlock       ItemType = "block"       // Block
	ItemPreferences ItemType = "preferences" // Preferences
)

// Item is a part of a feed as it is since its last change. An item that changed five times is
// there once.
type Item struct {
	Place `tstype:",extends"`
	Type  ItemType        `json:"type"`
	Data  json.RawMessage `json:"data" tstype:"unknown"`

	// What the server has to know of it without decoding Data; set by NewItem.
	Conversation string `json:"-"` // of the message or the membership
	User         string `json:"-"` // who sent the message, or whom the member or the contact is
	Seq          int64  `json:"-"` // of the message, or of that reacted to
	Joined       bool   `json:"-"` // whether the member has joined
	From         int64  `json:"-"` // the first message that the member may see; not set by NewItem
	Count        int    `json:"-"` // how many have joined with this change of a member, where that is known; not set by NewItem
}

// Settings are what all members may change or see of a conversation as a whole.
type Settings struct {
	Name string `json:"name,omitempty"`
}

// Contact is somebody whom a user added, wrote to or called.
type Contact struct {
	User `tstype:",extends"`
	Gone bool `json:"gone,omitempty"` // removed
}

// UserObject is a value shared by all tabs of one user. A null value removes it.
type UserObject struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value" tstype:"unknown"`
	Tab   string          `json:"tab"` // the tab that set it
}

// Reactions are those to one message. A change that is told as it happens says who made it; what is
// read says which are mine.
type Reactions struct {
	Seq    int64          `json:"seq"`
	Counts map[string]int `json:"counts"` // by emoji, none of them 0

	Mine []string `json:"mine,omitempty"` // emoji

	User  string `json:"user,omitempty"`
	Emoji string `json:"emoji,omitempty"` // with which this user has reacted now,
	Off   bool   `json:"off,omitempty"`   // or does no longer
}

// Hidden is a message that a user has removed for themselves alone.
type Hidden struct {
	Conversation string `json:"conversation"`
	Seq          int64  `json:"seq"`
}

// Draft is what a user has begun to write in a conversation. One without text, and that answers
// nothing, was sent or thrown away.
type Draft struct {
	Conversation string `json:"conversation"`
	Text         string `json:"text,omitempty"`
	ReplyTo      int64  `json:"reply_to,omitempty"` // seq of the message that it answers
	At           int64  `json:"at"`                 // unix ms, by the server's clock
}

// Block is somebody who may neither write to the user nor call them, nor see when they are here.
type Block struct {
	User  string `json:"user"`
	Since int64  `json:"since"`          // unix ms
	Gone  bool   `json:"gone,omitempty"` // blocked no longer
}

// Audience is whom a user lets do something.
type Audience string

const (
	Everyone     Audience = "everyone" // whom the server's policy allows it
	ContactsOnly Audience = "contacts"
	Nobody       Audience = "nobody"
)

// Preferences are what a user has decided for all of their devices.
type Preferences struct {
	Presence  Audience `json:"presence"`             // who sees when I am here, or was last
	Calls     Audience `json:"calls"`                // who may ring me
	Groups    Audience `json:"groups"`               // who may invite me to a group
	BusyUntil int64    `json:"busy_until,omitempty"` // unix ms; do not disturb: nothing rings or makes a sound before
	Locale    string   `json:"locale,omitempty"`     // language of the interface, such as "pt-BR"
}

// PreferencesChange changes what is given and leaves the rest.
type PreferencesChange struct {
	Presence  *Audience `json:"presence,omitempty"`
	Calls     *Audience `json:"calls,omitempty"`
	Groups    *Audience `json:"groups,omitempty"`
	BusyUntil *int64    `json:"busy_until,omitempty"`
	Locale    *string   `json:"locale,omitempty"`
}

// MemberMarks are the marks of one member, as told to the others.
type MemberMarks struct {
	User  string `json:"user"`
	Marks `tstype:",extends"`
}

// ConversationMarks are marks of members of a conversation. One with many members has, in place of
// Members, counts.
type ConversationMarks struct {
	Conversation string        `json:"conversation"`
	Members      []MemberMarks `json:"members,omitempty"` // those that changed, or all
	Counts       []MarkCount   `json:"counts,omitempty"`  // by seq, of the latest messages only
}

// MarkCount says how many members have got, and were shown, a message and all before. I am among
// them when my own marks are that far.
type MarkCount struct {
	Seq       int64 `json:"seq"`
	Delivered int   `json:"delivered"`
	Read      int   `json:"read"`
}
