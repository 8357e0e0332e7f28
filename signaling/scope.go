package signaling

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// A token may list conversations (auth.Scope): its bearer is its user in these, and nowhere
// else. Here stands what such a tab may ask and what it is told. Whatever is not in the two
// tables it may not, and is not: a new method, notification or event has to be put in, and a
// test fails until it is.

// narrowing is what becomes of a method, a notification or an event for such a tab.
type narrowing uint8

const (
	// withheld: it is about all that is the user's: sessions, contacts, objects.
	withheld narrowing = iota
	// inside: it is about a conversation, a call in one, or a user. It is as if there were
	// no others than those listed, and the users in them. Of what a tab asks, chat sees to that
	// (chat.Within), and the switchboard (switchboard.Asker).
	inside
	// itself: it is about this tab only: its connection, its token, a leg of a call that it
	// holds, what it watches.
	itself
)

// narrowedMethods says it of what a client asks.
var narrowedMethods = map[string]narrowing{
	wire.MethodHello: itself, // the welcome has no objects, and calls of the conversations only
	wire.NotePong:    itself,

	wire.MethodTokenRenew:         itself,
	wire.MethodSessionList:        withheld,
	wire.MethodSessionSignOut:     itself, // never another session, nor everywhere
	wire.MethodUserGet:            inside,
	wire.MethodUserObjectSet:      withheld,
	wire.MethodUserObjectGet:      withheld,
	wire.MethodPresenceWatch:      inside,
	wire.MethodContactAdd:         withheld,
	wire.MethodContactRemove:      withheld,
	wire.MethodContactList:        withheld,
	wire.MethodConversationCreate: inside, // finds a direct one; makes none
	wire.MethodConversationList:   inside,
	wire.MethodConversationGet:    inside,
	wire.MethodMessageSend:        inside,
	wire.MethodMessagePage:        inside,
	wire.MethodReceiptRead:        inside,

	wire.MethodCallStart:   inside,
	wire.MethodCallAnswer:  inside,
	wire.MethodCallMove:    inside,
	wire.MethodCallResume:  inside,
	wire.MethodCallRinging: inside,
	wire.MethodCallDecline: inside,
	wire.MethodCallLeave:   inside,
	wire.MethodCallState:   inside,
	wire.MethodLegOffer:    inside,
	wire.MethodLegPhase:    inside,

	wire.NoteAck:        inside, // delivers what was sent to the tab
	wire.NoteTyping:     inside,
	wire.NoteActivity:   itself,
	wire.NoteLegSuspend: inside,
}

// narrowedNews says it of what the server tells: of notifications by their name, of events by
// their type.
var narrowedNews = map[string]narrowing{
	wire.NotePing:     itself,
	wire.NoteSynced:   itself,
	wire.NoteTyping:   inside,
	wire.NotePresence: itself, // of whom the tab watches
	wire.NoteSessions: withheld,
	wire.NoteSlots:    itself,
	wire.NoteSpeaker:  itself,
	wire.NoteLegEnd:   itself,

	string(chat.EventMessage):       inside,
	string(chat.EventMessageUpdate): inside,
	string(chat.EventReceipt):       inside,
	string(chat.EventConversation):  inside,
	string(chat.EventCall):          inside,
	string(chat.EventUserObject):    withheld,
	string(chat.EventProfile):       inside,
}

var errNarrowed = refusal.New(refusal.NotAllowed, "This token is for certain conversations, and this is about more than them.")

// mayUse refuses a method that is withheld from who has a token for some conversations.
func (c *connection) mayUse(method string) error {
	if c.scope.Narrowed() && narrowedMethods[method] == withheld {
		return errNarrowed
	}
	return nil
}

// news is what the server tells, as far as matters for whom it is.
type news struct {
	name         string // of the event, or else of the notification
	conversation string // that it is about; empty: none
	user         string // whose profile it is; empty: no profile
	members      []string
}

func newsIn(f []byte) news {
	var read struct {
		Method string `json:"method"`
		Params struct {
			Conversation string         `json:"conversation"` // of typing
			Type         chat.EventType `json:"type"`
			Data         struct {
				ID           string `json:"id"`
				Conversation string `json:"conversation"`
				Members      []struct {
					ID string `json:"id"`
				} `json:"members"`
			} `json:"data"`
		} `json:"params"`
	}
	if json.Unmarshal(f, &read) != nil {
		return news{} // nothing of ours looks like that
	}
	p := read.Params
	if read.Method != wire.NoteEvent {
		return news{name: read.Method, conversation: p.Conversation}
	}
	n := news{name: string(p.Type), conversation: p.Data.Conversation}
	switch p.Type {
	case chat.EventProfile:
		n.user = p.Data.ID
	case chat.EventConversation:
		n.conversation = p.Data.ID
		for _, m := range p.Data.Members {
			n.members = append(n.members, m.ID)
		}
	}
	return n
}

// meetFellows reads who is in the conversations. The connection is among those of its user
// already, and what it has heard meanwhile is newer.
func (c *connection) meetFellows(ctx context.Context) error {
	read, err := c.chat.Fellows(ctx, c.tab.User)
	if err != nil {
		return err
	}
	c.position.mu.Lock()
	defer c.position.mu.Unlock()
	heard := c.fellows
	c.fellows = read
	maps.Copy(c.fellows, heard)
	return nil
}

// isForLocked reports whether what the server tells is for this connection, and notes who is in
// its conversations. The lock is that of its position.
func (c *connection) isForLocked(f *frame) bool {
	if !c.scope.Narrowed() {
		return true
	}
	n := newsIn(f.data)
	covered := c.scope.Covers(n.conversation)
	if covered && n.members != nil {
		if c.fellows == nil {
			c.fellows = map[string][]string{}
		}
		c.fellows[n.conversation] = n.members
	}
	switch narrowedNews[n.name] {
	case itself:
		return true
	case inside:
		return covered || n.user != "" && c.isFellowLocked(n.user)
	}
	return false
}

// isFellowLocked reports whether a user is in one of the conversations, as the connection's own is.
func (c *connection) isFellowLocked(user string) bool {
	if user == c.tab.User {
		return true
	}
	for _, members := range c.fellows {
		if slices.Contains(members, user) {
			return true
		}
	}
	return false
}
