package wire

//go:generate go run ./gen

import (
	"carillon/call"
	"carillon/chat"
)

// Request pairs a method with zero values of its params and its result.
type Request struct {
	Method         string
	Params, Result any
}

// Note pairs a notification, or a type of event, with the zero value of what it carries.
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
		{MethodConversationCreate, ConversationCreate{}, chat.Conversation{}},
		{MethodConversationList, ConversationList{}, ConversationPage{}},
		{MethodConversationGet, ConversationGet{}, chat.Conversation{}},
		{MethodMessageSend, MessageSend{}, chat.Message{}},
		{MethodMessagePage, MessagePage{}, Messages{}},
		{MethodReceiptRead, ReceiptRead{}, Empty{}},
		{MethodCallStart, CallStart{}, CallLeg{}},
		{MethodCallRinging, CallRef{}, Empty{}},
		{MethodCallAnswer, CallAnswer{}, CallLeg{}},
		{MethodCallDecline, CallRef{}, Empty{}},
		{MethodCallLeave, CallRef{}, Empty{}},
		{MethodCallMove, CallMove{}, CallLeg{}},
		{MethodCallResume, LegRef{}, CallLeg{}},
		{MethodCallState, CallStateSet{}, Empty{}},
		{MethodLegOffer, LegOffer{}, LegAnswer{}},
		{MethodLegPhase, LegPhase{}, Empty{}},
	}
}

// ClientNotes lists every notification of a client.
func ClientNotes() []Note {
	return []Note{
		{NotePong, Empty{}},
		{NoteAck, Ack{}},
		{NoteTyping, Typing{}},
		{NoteActivity, Activity{}},
		{NoteLegSuspend, LegRef{}},
	}
}

// ServerNotes lists every notification of the server.
func ServerNotes() []Note {
	return []Note{
		{NotePing, Empty{}},
		{NoteEvent, chat.Event{}},
		{NoteSynced, Synced{}},
		{NoteTyping, Typing{}},
		{NotePresence, Presence{}},
		{NoteSessions, Empty{}},
		{NoteSlots, Slots{}},
		{NoteSpeaker, Speaker{}},
		{NoteLegEnd, LegEnd{}},
	}
}

// Events lists every type of durable event with what its data holds.
func Events() []Note {
	return []Note{
		{string(chat.EventMessage), chat.Message{}},
		{string(chat.EventMessageUpdate), chat.Message{}},
		{string(chat.EventReceipt), chat.Receipt{}},
		{string(chat.EventConversation), chat.Conversation{}},
		{string(chat.EventCall), call.Snapshot{}},
		{string(chat.EventUserObject), chat.UserObject{}},
		{string(chat.EventProfile), chat.User{}},
	}
}
