package signaling

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/wire"
)

// narrowed gives a tab tokens of this scope.
func (w *world) narrowed(user string, scope *auth.Scope) func(*client.Options) {
	return func(o *client.Options) {
		o.Token = func(context.Context) (string, error) {
			return w.verifier.MintNarrowed(user, user, *scope, time.Hour)
		}
	}
}

// A tab whose token lists one conversation is told of no other, whatever the way, and does
// nothing in it.
func TestATabHearsOnlyOfTheConversationsOfItsToken(t *testing.T) {
	w := newCallWorld(t)
	whole, bob, carol := w.open(1, "alice"), w.open(1, "bob"), w.open(1, "carol")
	open := bob.send("alice", "open 1").Conversation
	shut := carol.send("alice", "shut 1").Conversation
	ringing := carol.start("alice")
	rung := whole.rung()

	var told recorder
	scope := &auth.Scope{Conversations: []string{open}}
	from := whole.Position()
	from.Opening += scopeName(*scope)
	delete(from.Feeds, shut) // what a tab names itself it is told has diverged
	narrow := w.open(1, "alice", w.narrowed("alice", scope), told.on, func(o *client.Options) { o.Resume = &from })
	if calls := narrow.snapshots(); len(calls) > 0 {
		t.Errorf("greeted with the calls %+v", calls)
	}
	for method, params := range map[string]any{
		wire.MethodFeedChanges:       wire.FeedChanges{Feed: chat.OwnFeed},
		wire.MethodConversationList:  wire.ConversationList{},
		wire.MethodConversationGet:   wire.ConversationGet{Conversations: []string{open, shut}},
		wire.MethodConversationWatch: wire.ConversationWatch{Conversations: []string{open, shut}},
	} {
		if err := narrow.ask(method, params, nil); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	for _, ask := range []struct {
		method string
		params any
	}{
		{wire.MethodCallAnswer, wire.CallAnswer{Call: rung.ID}},
		{wire.MethodCallDecline, wire.CallRef{Call: rung.ID}},
		{wire.MethodCallRinging, wire.CallRef{Call: rung.ID}},
		{wire.MethodCallLeave, wire.CallRef{Call: rung.ID}},
		{wire.MethodCallMove, wire.CallMove{Call: rung.ID}},
		{wire.MethodCallState, wire.CallStateSet{Call: rung.ID}},
		{wire.MethodCallResume, wire.LegRef{Call: rung.ID, Leg: ringing.Leg, Secret: ringing.Secret}},
		{wire.MethodLegOffer, wire.LegOffer{LegRef: wire.LegRef{Call: rung.ID}, SDP: "v=0"}},
		{wire.MethodCallStart, wire.CallStart{ClientCallID: "c1", Conversation: shut, Media: call.Audio}},
		{wire.MethodCallStart, wire.CallStart{ClientCallID: "c2", To: "carol", Media: call.Audio}},
		{wire.MethodMessagePage, wire.MessagePage{Conversation: shut}},
		{wire.MethodConversationMembers, wire.ConversationMembers{Conversation: shut}},
		{wire.MethodConversationLeave, wire.ConversationRef{Conversation: shut}},
		{wire.MethodFeedChanges, wire.FeedChanges{Feed: shut}},
		{wire.MethodCallGet, wire.CallRef{Call: rung.ID}},
		{wire.MethodMarksSet, wire.MarksSet{Marks: map[string]chat.Marks{shut: {Read: 1}}}},
		{wire.MethodMessageSend, wire.MessageSend{Conversation: shut, ClientID: "c3", Kind: "text", Text: "x"}},
	} {
		narrow.refused(refusal.NotFound, ask.method, ask.params)
	}
	carol.must(wire.MethodCallLeave, wire.CallRef{Call: rung.ID})

	carol.send("alice", "shut 2")
	for _, tb := range []*tab{carol, bob} {
		conversation := map[*tab]string{carol: shut, bob: open}[tb]
		if err := tb.Notify(wire.NoteTyping, wire.Typing{Conversation: conversation, On: true}); err != nil {
			t.Fatal(err)
		}
	}
	bob.send("alice", "open 2")
	narrow.await("what bob says", func() bool {
		typing := noted[wire.Typing](narrow, wire.NoteTyping)
		texts := narrow.texts()
		return len(texts) > 0 && texts[len(texts)-1] == "open 2" && len(typing) > 0
	})
	if sent := told.text(); strings.Contains(sent, shut) || strings.Contains(sent, "shut ") || strings.Contains(sent, rung.ID) {
		at := max(strings.Index(sent, shut), strings.Index(sent, "shut "), strings.Index(sent, rung.ID))
		t.Errorf("the tab is told of the other conversation: …%q", sent[max(0, at-300):min(len(sent), at+100)])
	}
	narrow.must(wire.MethodCallLeave, wire.CallRef{Call: narrow.start("bob").Call.ID})

	// With a token for something else it begins anew, and hears the rest.
	*scope = auth.Scope{}
	wider, err := w.verifier.MintNarrowed("alice", "alice", *scope, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := narrow.ask(wire.MethodTokenRenew, wire.TokenRenew{Token: wider}, nil); err != nil {
		t.Fatal(err)
	}
	carol.send("alice", "shut 3")
	narrow.await("a new greeting", func() bool { return narrow.synced >= 2 })
	if narrow.Welcome().Resumed {
		t.Error("it resumes, and keeps what it had within the other scope")
	}
	narrow.await("what carol says", func() bool { // in the greeting, if it came before
		return slices.Contains(narrow.texts(), "shut 3") || slices.ContainsFunc(narrow.heads, func(h chat.Conversation) bool {
			return h.ID == shut && h.Last != nil && h.Last.Text == "shut 3"
		})
	})
}

// The grants of a token count for the leg of a tab as they do for a stream.
func TestALegSendsAndGetsWhatItsTokenAllows(t *testing.T) {
	w := newCallWorld(t)
	for _, c := range []struct {
		grants []string
		want   map[string]int // lines of the answer: three that would receive, one that would send, all of sound
	}{
		{nil, map[string]int{"a=sendonly": 3, "a=recvonly": 1}},
		{[]string{"publish", "watch"}, map[string]int{"a=sendonly": 3, "a=recvonly": 1}},
		{[]string{"watch"}, map[string]int{"a=sendonly": 3, "a=recvonly": 0}},
		{[]string{"publish"}, map[string]int{"a=sendonly": 0, "a=recvonly": 1}},
	} {
		alice := w.open(1, "alice", w.narrowed("alice", &auth.Scope{Grants: c.grants}))
		leg := alice.start("bob")
		answer, err := alice.Offer(t.Context(), leg, newPhone(t).offer())
		if err != nil {
			t.Fatalf("%q: %v", c.grants, err)
		}
		for line, n := range c.want {
			if got := strings.Count(answer, line+"\r\n"); got != n {
				t.Errorf("%q: %d lines with %s, want %d, in\n%s", c.grants, got, line, n, answer)
			}
		}
		alice.must(wire.MethodCallLeave, wire.CallRef{Call: leg.Call.ID})
	}
	alice := w.open(1, "alice", w.narrowed("alice", &auth.Scope{Grants: []string{}}))
	leg := alice.start("bob")
	if _, err := alice.Offer(t.Context(), leg, newPhone(t).offer()); !refusal.Is(err, refusal.NotAllowed) {
		t.Errorf("a token that grants nothing: got %v, want not_allowed", err)
	}
}

// A data channel is as wide as the token of its tab, also when that has changed.
func TestADataChannelEndsWhenItsTabIsBackWithAnotherToken(t *testing.T) {
	w := newWorld(t, Config{})
	const id = "tab-00000001"
	back := func(scope *auth.Scope) *tab {
		return w.open(0, "alice", w.narrowed("alice", scope), func(o *client.Options) { o.Tab = id })
	}
	ch := w.channel(0, "alice", id)
	asked := int64(0)
	answers := func() {
		t.Helper()
		asked++
		_ = ch.WriteMessage(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":"conversation.list","params":{}}`, asked))
		ch.next(t, func(f wire.Frame) bool { return f.ID != nil && *f.ID == asked })
	}
	answers()
	back(&auth.Scope{}).Close()
	answers()
	back(&auth.Scope{Conversations: []string{"one"}})
	for {
		if _, err := ch.ReadMessage(); err != nil {
			return
		}
	}
}
