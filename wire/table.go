package wire

//go:generate go run ./gen

import (
	"carillon/chat"
)

// Request pairs a method with zero values of its params and its result.
type Request struct {
	Method         string
	Params, Result any
}

// Note pairs a notification, or a type of item, with the zero value of what it carries.
type Note struct {
	Name string
	Data any
}

// Requests lists every request of a client. The server's dispatcher, the samples, the
// TypeScript types and docs/PROTOCOL.md are all checked against it.
func Requests() []Request {
	return []Request{
		{MethodHello, Hello{}, Welcome{}},
		{MethodTokenRenew, TokenRenew{}, TokenRenewed{}},
		{MethodSessionList, Empty{}, SessionList{}},
		{MethodSessionSignOut, SessionSignOut{}, Empty{}},
		{MethodUserGet, UserGet{}, chat.User{}},
		{MethodUserObjectSet, UserObjectSet{}, Empty{}},
		{MethodUserObjectGet, UserObjectGet{}, UserObjects{}},
		{MethodPresenceWatch, PresenceWatch{}, PresenceList{}},
		{MethodContactAdd, ContactRef{}, Empty{}},
		{MethodContactRemove, ContactRef{}, Empty{}},
		{MethodContactList, ContactList{}, ContactPage{}},
		{MethodBlockAdd, BlockRef{}, Empty{}},
		{MethodBlockRemove, BlockRef{}, Empty{}},
		{MethodBlockList, BlockList{}, BlockPage{}},
		{MethodPreferencesSet, chat.PreferencesChange{}, chat.Preferences{}},
		{MethodDraftSet, DraftSet{}, Empty{}},
		{MethodConversationCreate, ConversationCreate{}, chat.Conversation{}},
		{MethodConversationList, ConversationList{}, ConversationPage{}},
		{MethodConversationGet, ConversationGet{}, Conversations{}},
		{MethodConversationMembers, ConversationMembers{}, MemberPage{}},
		{MethodConversationWatch, ConversationWatch{}, MarksList{}},
		{MethodConversationJoin, ConversationRef{}, chat.Conversation{}},
		{MethodConversationLeave, ConversationRef{}, Empty{}},
		{MethodConversationMine, ConversationMine{}, Empty{}},
		{MethodConversationClear, ConversationClear{}, Empty{}},
		{MethodFeedChanges, FeedChanges{}, Changes{}},
		{MethodMessageSend, MessageSend{}, Change{}},
		{MethodMessagePage, MessagePage{}, Messages{}},
		{MethodMessageGet, MessageGet{}, Messages{}},
		{MethodMessageEdit, MessageEdit{}, Change{}},
		{MethodMessageRecall, MessageName{}, Change{}},
		{MethodMessageHide, MessageHide{}, Empty{}},
		{MethodMessageReact, MessageReact{}, Change{}},
		{MethodMessageReacted, MessageReacted{}, ReactedPage{}},
		{MethodPreviewGet, PreviewGet{}, PreviewFound{}},
		{MethodMarksSet, MarksSet{}, Empty{}},
		{MethodFileURLs, FileURLs{}, FileURLList{}},
		{MethodCallStart, CallStart{}, CallLeg{}},
		{MethodCallRinging, CallRef{}, Empty{}},
		{MethodCallAnswer, CallAnswer{}, CallLeg{}},
		{MethodCallDecline, CallRef{}, Empty{}},
		{MethodCallLeave, CallRef{}, Empty{}},
		{MethodCallMove, CallMove{}, CallLeg{}},
		{MethodCallResume, LegRef{}, CallLeg{}},
		{MethodCallState, CallStateSet{}, Empty{}},
		{MethodCallGet, CallRef{}, CallChange{}},
		{MethodLegOffer, LegOffer{}, LegAnswer{}},
		{MethodLegPhase, LegPhase{}, Empty{}},
	}
}

// ClientNotes lists every notification of a client.
func ClientNotes() []Note {
	return []Note{
		{NotePong, Empty{}},
		{NoteTyping, Typing{}},
		{NoteActivity, Activity{}},
		{NoteLegSuspend, LegRef{}},
	}
}

// ServerNotes lists every notification of the server.
func ServerNotes() []Note {
	return []Note{
		{NotePing, Ping{}},
		{NoteGreeting, Greeting{}},
		{NoteSynced, Synced{}},
		{NoteChange, Change{}},
		{NoteMarks, chat.ConversationMarks{}},
		{NoteCall, CallChange{}},
		{NoteTyping, Typing{}},
		{NotePresence, Presence{}},
		{NoteProfile, chat.User{}},
		{NoteSessions, Empty{}},
		{NoteSlots, Slots{}},
		{NoteSpeaker, Speaker{}},
		{NoteLegEnd, LegEnd{}},
	}
}

// Items lists every type of item with what its data holds.
func Items() []Note {
	return []Note{
		{string(chat.ItemMessage), chat.Message{}},
		{string(chat.ItemMember), chat.Member{}},
		{string(chat.ItemConversation), chat.Settings{}},
		{string(chat.ItemReactions), chat.Reactions{}},
		{string(chat.ItemMembership), chat.Membership{}},
		{string(chat.ItemContact), chat.Contact{}},
		{string(chat.ItemObject), chat.UserObject{}},
		{string(chat.ItemHidden), chat.Hidden{}},
		{string(chat.ItemDraft), chat.Draft{}},
		{string(chat.ItemBlock), chat.Block{}},
		{string(chat.ItemPreferences), chat.Preferences{}},
	}
}
