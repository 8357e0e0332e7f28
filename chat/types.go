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
	Text   Kind = "text"
	Call   Kind = "call"   // one per call, updated in place; Data is a call.Log
	System Kind = "system" // notices: who joined, who left
)

// Message is one entry of a conversation. Seq has no gaps within a conversation.
type Message struct {
	ID           string          `json:"id"`
	Conversation string          `json:"conversation"`
	Seq          int64           `json:"seq"`
	Sender       string          `json:"sender"`
	ClientID     string          `json:"client_id,omitempty"` // chosen by the sender's tab; unique per sender
	Kind         Kind            `json:"kind"`
	Text         string          `json:"text,omitempty"`
	Data         json.RawMessage `json:"data,omitempty" tstype:"unknown"` // what the kind needs beside Text
	Revision     int             `json:"revision,omitempty"`              // 0 as sent; grows with each change
	SentAt       int64           `json:"sent_at"`                         // unix ms, by the server's clock
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

// Member is a user in a conversation, with their marks: every message with
// seq <= Delivered has reached a device of theirs, <= Read was shown to them.
type Member struct {
	User      `tstype:",extends"`
	Role      Role  `json:"role"`
	Delivered int64 `json:"delivered"`
	Read      int64 `json:"read"`
}

// Conversation as one of its members sees it.
type Conversation struct {
	ID        string           `json:"id"`
	Kind      ConversationKind `json:"kind"`
	Name      string           `json:"name,omitempty"` // groups only; a direct conversation bears the other's name
	Members   []Member         `json:"members"`
	LastSeq   int64            `json:"last_seq"`
	Last      *Message         `json:"last,omitempty"`
	Unread    int              `json:"unread"` // messages of others beyond my read mark
	CreatedAt int64            `json:"created_at"`
}

// EventType names what happened to a user.
type EventType string

const (
	EventMessage       EventType = "message"        // Data: Message
	EventMessageUpdate EventType = "message.update" // Data: Message, a new revision
	EventReceipt       EventType = "receipt"        // Data: Receipt
	EventConversation  EventType = "conversation"   // Data: Conversation, new or changed, as this user sees it
	EventCall          EventType = "call"           // Data: call.Snapshot
	EventUserObject    EventType = "userobject"     // Data: UserObject
	EventProfile       EventType = "profile"        // Data: User
)

// Event is one entry in a user's log: what every tab of theirs must learn.
// Offset has no gaps within a user.
type Event struct {
	Offset int64           `json:"offset"`
	Type   EventType       `json:"type"`
	At     int64           `json:"at"`     // unix ms, by the server's clock
	AgeMS  int64           `json:"age_ms"` // how old it was when it was sent to this tab
	Data   json.RawMessage `json:"data" tstype:"unknown"`
}

// Receipt is a member's marks after they grew.
type Receipt struct {
	Conversation string `json:"conversation"`
	User         string `json:"user"`
	Delivered    int64  `json:"delivered"`
	Read         int64  `json:"read"`
	Unread       int    `json:"unread"` // of the user who receives this event, in this conversation
}

// UserObject is a value shared by all tabs of one user. A null value removes it.
type UserObject struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value" tstype:"unknown"`
	Tab   string          `json:"tab"` // the tab that set it
}

// UserEvent is an event and the user in whose log it stands: what the store hands on
// after each commit.
type UserEvent struct {
	User  string
	Event Event
}
