package signaling

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"carillon/auth"
	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// A token may list conversations (auth.Scope): its bearer is its user in these, and nowhere
// else. Here stands what such a tab may ask and what it is told. Whatever is not in the two
// tables it may not, and is not: a new method, notification or type of item has to be put in, and
// a test fails until it is.

// narrowing is what becomes of a method, a notification or an item for such a tab.
type narrowing uint8

const (
	// withheld: it is about all that is the user's: sessions, contacts, objects.
	withheld narrowing = iota
	// inside: it is about a conversation, a call in one, or a user. It is as if there were
	// no others than those listed, and the users in them. Of what a tab asks, chat sees to that
	// (chat.Within), and the switchboard (switchboard.Asker).
	inside
	// itself: it is about this tab only: its connection, its token, a leg of a call that it
	// holds, whom it watches and may see, what it has asked for.
	itself
)

// narrowedMethods says it of what a client asks.
var narrowedMethods = map[string]narrowing{
	wire.MethodHello: itself, // the greeting that follows is read by chat and the switchboard, and has no more than these say
	wire.NotePong:    itself,

	wire.MethodTokenRenew:          itself,
	wire.MethodSessionList:         withheld,
	wire.MethodSessionSignOut:      itself, // never another session, nor everywhere
	wire.MethodUserGet:             inside,
	wire.MethodUserObjectSet:       withheld,
	wire.MethodUserObjectGet:       withheld,
	wire.MethodPresenceWatch:       inside,
	wire.MethodContactAdd:          withheld,
	wire.MethodContactRemove:       withheld,
	wire.MethodContactList:         withheld,
	wire.MethodBlockAdd:            withheld,
	wire.MethodBlockRemove:         withheld,
	wire.MethodBlockList:           withheld,
	wire.MethodPreferencesSet:      withheld,
	wire.MethodDraftSet:            inside,
	wire.MethodConversationCreate:  inside, // finds a direct one; makes none
	wire.MethodConversationList:    inside,
	wire.MethodConversationGet:     inside,
	wire.MethodConversationMembers: inside,
	wire.MethodConversationWatch:   inside,
	wire.MethodConversationJoin:    inside,
	wire.MethodConversationLeave:   inside,
	wire.MethodConversationMine:    inside,
	wire.MethodConversationClear:   inside,
	wire.MethodFeedChanges:         inside, // of the user's own feed the memberships of the conversations
	wire.MethodMessageSend:         inside,
	wire.MethodMessagePage:         inside,
	wire.MethodMessageGet:          inside,
	wire.MethodMessageEdit:         inside,
	wire.MethodMessageRecall:       inside,
	wire.MethodMessageHide:         inside,
	wire.MethodMessageReact:        inside,
	wire.MethodMessageReacted:      inside,
	wire.MethodPreviewGet:          itself,
	wire.MethodMarksSet:            inside,
	wire.MethodFileURLs:            inside, // and what the user has uploaded and not sent yet

	wire.MethodCallStart:   inside,
	wire.MethodCallAnswer:  inside,
	wire.MethodCallMove:    inside,
	wire.MethodCallResume:  inside,
	wire.MethodCallRinging: inside,
	wire.MethodCallDecline: inside,
	wire.MethodCallLeave:   inside,
	wire.MethodCallState:   inside,
	wire.MethodCallGet:     inside,
	wire.MethodLegOffer:    inside,
	wire.MethodLegPhase:    inside,

	wire.NoteTyping:     inside,
	wire.NoteActivity:   itself,
	wire.NoteLegSuspend: inside,
}

// narrowedNews says it of what the server tells: of notifications by their name, of changes by
// the type of their item.
var narrowedNews = map[string]narrowing{
	wire.NotePing:     itself,
	wire.NoteGreeting: itself,
	wire.NoteSynced:   itself,
	wire.NoteMarks:    inside,
	wire.NoteCall:     inside,
	wire.NoteTyping:   inside,
	wire.NotePresence: itself,
	wire.NoteProfile:  itself,
	wire.NoteSessions: withheld,
	wire.NoteSlots:    itself,
	wire.NoteSpeaker:  itself,
	wire.NoteLegEnd:   itself,

	string(chat.ItemMessage):      inside,
	string(chat.ItemMember):       inside,
	string(chat.ItemConversation): inside,
	string(chat.ItemMembership):   inside,
	string(chat.ItemContact):      withheld,
	string(chat.ItemObject):       withheld,
	string(chat.ItemReactions):    inside,
	string(chat.ItemHidden):       inside,
	string(chat.ItemDraft):        inside,
	string(chat.ItemBlock):        withheld,
	string(chat.ItemPreferences):  withheld,
}

var errNarrowed = refusal.New(refusal.NotAllowed, "This token is for certain conversations, and this is about more than them.")

// mayUse refuses a method that is withheld from who has a token for some conversations.
func (c *connection) mayUse(method string) error {
	if c.scope.Narrowed() && narrowedMethods[method] == withheld {
		return errNarrowed
	}
	return nil
}

// newsIn returns under what a frame of the server stands in the table, and which conversation it is
// about; empty: none.
func newsIn(frame []byte) (name, conversation string) {
	var f wire.Frame
	if json.Unmarshal(frame, &f) != nil {
		return "", "" // nothing of ours looks like that
	}
	switch f.Method {
	case wire.NoteChange:
		var p struct {
			Feed string        `json:"feed"`
			Type chat.ItemType `json:"type"`
			Data struct {
				Conversation string `json:"conversation"`
			} `json:"data"`
		}
		_ = json.Unmarshal(f.Params, &p) // of ours, and so are those below
		if p.Feed == chat.OwnFeed {
			return string(p.Type), p.Data.Conversation
		}
		return string(p.Type), p.Feed
	case wire.NoteCall:
		var p struct {
			Call struct {
				Conversation string `json:"conversation"`
			} `json:"call"`
		}
		_ = json.Unmarshal(f.Params, &p)
		return f.Method, p.Call.Conversation
	case wire.NoteMarks, wire.NoteTyping:
		var p struct {
			Conversation string `json:"conversation"`
		}
		_ = json.Unmarshal(f.Params, &p)
		return f.Method, p.Conversation
	}
	return f.Method, ""
}

// isFor reports whether what the server tells is for this connection.
func (c *connection) isFor(frame []byte) bool {
	if !c.scope.Narrowed() {
		return true
	}
	name, conversation := newsIn(frame)
	switch narrowedNews[name] {
	case itself:
		return true
	case inside:
		return c.scope.Covers(conversation)
	}
	return false
}

// isForChange reports whether the connection is told of a change of a feed. Without a frame that
// is only how far the feed has come: the tab then asks, and is answered what it may know.
func (c *connection) isForChange(feed string, f *frame) bool {
	if f == nil {
		return feed == chat.OwnFeed || c.scope.Covers(feed)
	}
	return c.isFor(f.data)
}

// scopeName tells tokens apart that list different conversations; empty: it lists none in
// particular. It follows the name of the opening that a tab is told, so that a tab which comes back
// with another token begins anew: what it has was seen through the old one.
func scopeName(scope auth.Scope) string {
	if !scope.Narrowed() {
		return ""
	}
	list := slices.Compact(slices.Sorted(slices.Values(scope.Conversations)))
	sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
	return "." + hex.EncodeToString(sum[:8])
}
