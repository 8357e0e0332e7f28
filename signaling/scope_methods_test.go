package signaling

import (
	"context"
	"encoding/json"
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

// Whoever adds to the protocol says here, too, what becomes of it with a token for some
// conversations. Without a word it is withheld.
func TestTheTablesOfNarrowTokensAreTheProtocol(t *testing.T) {
	methods, news := map[string]bool{}, map[string]bool{}
	for _, r := range wire.Requests() {
		methods[r.Method] = true
	}
	for _, n := range wire.ClientNotes() {
		methods[n.Name] = true
	}
	for _, n := range slices.Concat(wire.ServerNotes(), wire.Items()) {
		if n.Name != wire.NoteChange { // decided by the type of the item
			news[n.Name] = true
		}
	}
	for _, c := range []struct {
		what  string
		of    map[string]bool
		table map[string]narrowing
	}{{"methods", methods, narrowedMethods}, {"news", news, narrowedNews}} {
		for name := range c.of {
			if _, known := c.table[name]; !known {
				t.Errorf("%s is not in the table of %s", name, c.what)
			}
		}
		for name := range c.table {
			if !c.of[name] {
				t.Errorf("%s is in the table of %s and not in the protocol", name, c.what)
			}
		}
	}
	c := &connection{scope: auth.Scope{Conversations: []string{}}}
	if err := c.mayUse("something.new"); !refusal.Is(err, refusal.NotAllowed) {
		t.Errorf("a method that is in no table: %v, want not_allowed", err)
	}
	if f := notification("something.new", wire.Empty{}); c.isFor(f.data) {
		t.Error("a notification that is in no table is told")
	}
	if f := changeFrame(wire.Change{Feed: chat.OwnFeed, Pos: 1, Type: "something.new", Data: []byte("{}")}); c.isFor(f.data) {
		t.Error("an item of a type that is in no table is told")
	}
}

// A tab whose token lists one conversation asks everything that there is, about that one and
// about others. Every method of the protocol has to be among what it asks.
func TestEveryMethodWithATokenForSomeConversations(t *testing.T) {
	w := newCallWorld(t)
	whole, bob, carol := w.open(1, "alice"), w.open(1, "bob"), w.open(1, "carol")
	dave := w.open(1, "dave")
	open := bob.send("alice", "open").Conversation
	shut := carol.send("alice", "shut").Conversation
	if _, err := whole.Send(t.Context(), wire.MessageSend{Conversation: shut, ClientID: "in-shut", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	whole.mustDo(wire.MethodUserObjectSet, wire.UserObjectSet{Key: "k", Value: []byte(`"treasure"`)})
	var invitation chat.Conversation // from whom she does not know
	if err := dave.ask(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: []string{"alice"}, Name: "We"}, &invitation); err != nil {
		t.Fatal(err)
	}
	theirs := carol.start("alice") // rings in the conversation that is shut
	rung := whole.rung()
	var sessions wire.SessionList
	if err := whole.ask(wire.MethodSessionList, wire.Empty{}, &sessions); err != nil {
		t.Fatal(err)
	}

	var told recorder
	from := whole.Position()
	from.Feeds = map[string]chat.FeedPosition{chat.OwnFeed: {}} // it has nothing of what has been so far
	scope := &auth.Scope{Conversations: []string{open}, Grants: []string{"publish", "watch", "admin"}}
	from.Opening += scopeName(*scope)
	narrow := w.open(1, "alice", w.narrowed("alice", scope), told.on, func(o *client.Options) {
		o.Resume = &from
	})
	token, err := w.verifier.MintNarrowed("alice", "alice", *scope, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if hello := narrow.Welcome(); !hello.Resumed {
		t.Errorf("greeted with %+v", hello)
	}
	narrow.mu.Lock()
	if len(narrow.calls) > 0 || len(narrow.heads) != 1 || narrow.heads[0].ID != open {
		t.Errorf("greeted with the calls %+v and the conversations %+v", narrow.calls, narrow.heads)
	}
	for _, c := range narrow.changes {
		if c.Feed == chat.OwnFeed && c.Type != chat.ItemMembership {
			t.Errorf("greeted with %+v", c)
		}
	}
	narrow.mu.Unlock()
	if accepted, err := w.chat.Within(scope.Conversations).Accepted(t.Context(), "alice", []string{"in-shut"}); err != nil || len(accepted) > 0 {
		t.Errorf("hello says that %q were accepted, %v", accepted, err)
	}

	asked := map[string]bool{wire.MethodHello: true, wire.NotePong: true}
	const done refusal.Code = ""
	ask := func(method string, params any, want refusal.Code) (result json.RawMessage) {
		t.Helper()
		asked[method] = true
		err := narrow.ask(method, params, &result)
		if want == done && err != nil || want != done && !refusal.Is(err, want) {
			t.Errorf("%s %+v: got %v, want %q", method, params, err, want)
		}
		return result
	}
	tell := func(method string, params any) {
		t.Helper()
		asked[method] = true
		if err := narrow.Notify(method, params); err != nil {
			t.Fatal(err)
		}
	}
	const no, none = refusal.NotAllowed, refusal.NotFound

	ask(wire.MethodTokenRenew, wire.TokenRenew{Token: token}, done)
	ask(wire.MethodSessionList, wire.Empty{}, no)
	ask(wire.MethodSessionSignOut, wire.SessionSignOut{Everywhere: true}, no)
	ask(wire.MethodSessionSignOut, wire.SessionSignOut{ID: sessions.Sessions[0].ID}, no)
	ask(wire.MethodUserGet, wire.UserGet{User: "alice"}, done)
	ask(wire.MethodUserGet, wire.UserGet{User: "bob"}, done)
	ask(wire.MethodUserGet, wire.UserGet{User: "carol"}, none)
	ask(wire.MethodUserGet, wire.UserGet{User: "dave"}, none)
	ask(wire.MethodUserObjectSet, wire.UserObjectSet{Key: "k", Value: []byte("1")}, no)
	ask(wire.MethodUserObjectGet, wire.UserObjectGet{Key: "k"}, no)
	ask(wire.MethodContactAdd, wire.ContactRef{User: "bob"}, no)
	ask(wire.MethodContactRemove, wire.ContactRef{User: "bob"}, no)
	ask(wire.MethodContactList, wire.ContactList{}, no)
	ask(wire.MethodBlockAdd, wire.BlockRef{User: "bob"}, no)
	ask(wire.MethodBlockRemove, wire.BlockRef{User: "bob"}, no)
	ask(wire.MethodBlockList, wire.BlockList{}, no)
	ask(wire.MethodPreferencesSet, chat.PreferencesChange{}, no)
	ask(wire.MethodDraftSet, wire.DraftSet{Conversation: open, Text: "x"}, done)
	ask(wire.MethodDraftSet, wire.DraftSet{Conversation: shut, Text: "x"}, none)
	ask(wire.MethodConversationMine, wire.ConversationMine{Conversation: open}, done)
	ask(wire.MethodConversationMine, wire.ConversationMine{Conversation: shut}, none)
	ask(wire.MethodConversationClear, wire.ConversationClear{Conversation: shut, UpTo: 1}, none)
	var states wire.PresenceList
	if err := json.Unmarshal(ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob", "carol", "dave"}}, done), &states); err != nil {
		t.Fatal(err)
	}
	narrow.await("how bob is", func() bool { // it is told when it is just being looked at again
		return len(states.Users) > 0 || len(noted[wire.Presence](narrow, wire.NotePresence)) > 0
	})
	narrow.mu.Lock()
	seen := slices.Concat(states.Users, noted[wire.Presence](narrow, wire.NotePresence))
	narrow.mu.Unlock()
	if slices.ContainsFunc(seen, func(p wire.Presence) bool { return p.User != "bob" }) {
		t.Errorf("is told of %+v, want bob alone", seen)
	}

	ask(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Direct, Members: []string{"bob"}}, done)
	ask(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Direct, Members: []string{"carol"}}, none)
	ask(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Direct, Members: []string{"invented"}}, none)
	ask(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: []string{"bob"}}, no)
	ask(wire.MethodConversationList, wire.ConversationList{}, done)
	var heads wire.Conversations
	if err := json.Unmarshal(ask(wire.MethodConversationGet, wire.ConversationGet{Conversations: []string{open, shut}}, done), &heads); err != nil {
		t.Fatal(err)
	}
	if len(heads.Conversations) != 1 || heads.Conversations[0].ID != open {
		t.Errorf("has the heads %+v, want that of the one conversation", heads)
	}
	ask(wire.MethodConversationMembers, wire.ConversationMembers{Conversation: open}, done)
	ask(wire.MethodConversationMembers, wire.ConversationMembers{Conversation: shut}, none)
	var watched wire.MarksList
	if err := json.Unmarshal(ask(wire.MethodConversationWatch, wire.ConversationWatch{Conversations: []string{open, shut}}, done), &watched); err != nil {
		t.Fatal(err)
	}
	if len(watched.Conversations) != 1 || watched.Conversations[0].Conversation != open {
		t.Errorf("watches %+v, want the one conversation", watched)
	}
	ask(wire.MethodConversationJoin, wire.ConversationRef{Conversation: invitation.ID}, none)
	ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: invitation.ID}, none)
	ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: shut}, none)
	ask(wire.MethodFileURLs, wire.FileURLs{Files: []string{"x"}}, done) // whose they are: see TestOnlyWhoSeesAMessageHasItsFile
	ask(wire.MethodFeedChanges, wire.FeedChanges{Feed: open}, done)
	ask(wire.MethodFeedChanges, wire.FeedChanges{Feed: shut}, none)
	ask(wire.MethodFeedChanges, wire.FeedChanges{Feed: chat.OwnFeed}, done)
	ask(wire.MethodPreviewGet, wire.PreviewGet{URL: "https://shop.example/"}, done)
	ask(wire.MethodMessageSend, wire.MessageSend{Conversation: open, ClientID: "n1", Text: "x"}, done)
	ask(wire.MethodMessageSend, wire.MessageSend{To: "bob", ClientID: "n2", Text: "x"}, done)
	ask(wire.MethodMessageSend, wire.MessageSend{Conversation: shut, ClientID: "n3", Text: "x"}, none)
	ask(wire.MethodMessageSend, wire.MessageSend{To: "carol", ClientID: "n4", Text: "x"}, none)
	ask(wire.MethodMessageSend, wire.MessageSend{Conversation: open, ClientID: "in-shut", Text: "x"}, none)
	ask(wire.MethodMessageGet, wire.MessageGet{Conversation: open, Seqs: []int64{1}}, done)
	ask(wire.MethodMessageGet, wire.MessageGet{Conversation: shut, Seqs: []int64{1}}, none)
	ask(wire.MethodMessageSend, wire.MessageSend{Conversation: open, ClientID: "n8", Forward: &chat.MessageRef{Conversation: open, Seq: 1}}, done)
	ask(wire.MethodMessageSend, wire.MessageSend{Conversation: open, ClientID: "n9", Forward: &chat.MessageRef{Conversation: shut, Seq: 1}}, none)
	ask(wire.MethodMessageEdit, wire.MessageEdit{Conversation: open, Seq: 2, Text: "y"}, done)
	ask(wire.MethodMessageEdit, wire.MessageEdit{Conversation: shut, Seq: 2, Text: "y"}, none)
	ask(wire.MethodMessageRecall, wire.MessageName{Conversation: open, Seq: 3}, done)
	ask(wire.MethodMessageRecall, wire.MessageName{Conversation: shut, Seq: 2}, none)
	ask(wire.MethodMessageReact, wire.MessageReact{Conversation: open, Seq: 1, Emoji: "👍"}, done)
	ask(wire.MethodMessageReact, wire.MessageReact{Conversation: shut, Seq: 1, Emoji: "👍"}, none)
	ask(wire.MethodMessageReacted, wire.MessageReacted{Conversation: open, Seq: 1, Emoji: "👍"}, done)
	ask(wire.MethodMessageReacted, wire.MessageReacted{Conversation: shut, Seq: 1, Emoji: "👍"}, none)
	ask(wire.MethodMessageHide, wire.MessageHide{Conversation: open, Seqs: []int64{2}}, done)
	ask(wire.MethodMessageHide, wire.MessageHide{Conversation: shut, Seqs: []int64{1}}, none)
	ask(wire.MethodMessagePage, wire.MessagePage{Conversation: open}, done)
	ask(wire.MethodMessagePage, wire.MessagePage{Conversation: shut}, none)
	ask(wire.MethodMarksSet, wire.MarksSet{Marks: map[string]chat.Marks{open: {Read: 1}}}, done)
	ask(wire.MethodMarksSet, wire.MarksSet{Marks: map[string]chat.Marks{shut: {Read: 1}}}, none)

	// A call in the one conversation, and one in the other.
	ask(wire.MethodCallStart, wire.CallStart{ClientCallID: "n5", Conversation: shut, Media: call.Audio}, none)
	ask(wire.MethodCallStart, wire.CallStart{ClientCallID: "n6", To: "carol", Media: call.Audio}, none)
	ours := bob.start("alice")
	narrow.rung()
	for _, c := range []struct {
		call          string
		want, decline refusal.Code
	}{{theirs.Call.ID, none, none}, {ours.Call.ID, done, refusal.AlreadyAnswered}} {
		ref := wire.LegRef{Call: c.call, Leg: theirs.Leg, Secret: theirs.Secret}
		ask(wire.MethodCallGet, wire.CallRef{Call: c.call}, c.want)
		ask(wire.MethodCallRinging, wire.CallRef{Call: c.call}, c.want)
		if answer := ask(wire.MethodCallAnswer, wire.CallAnswer{Call: c.call}, c.want); c.want == done {
			var leg wire.CallLeg
			if err := json.Unmarshal(answer, &leg); err != nil {
				t.Fatal(err)
			}
			ref = refOf(leg)
		}
		ask(wire.MethodLegPhase, wire.LegPhase{LegRef: ref, Phase: "first_audio", MS: 1}, c.want)
		ask(wire.MethodCallState, wire.CallStateSet{Call: c.call}, c.want)
		ask(wire.MethodLegOffer, wire.LegOffer{LegRef: ref, SDP: newPhone(t).offer()}, c.want)
		tell(wire.NoteLegSuspend, ref)
		ask(wire.MethodCallResume, ref, c.want)
		ask(wire.MethodCallMove, wire.CallMove{Call: c.call}, c.want)
		ask(wire.MethodCallLeave, wire.CallRef{Call: c.call}, c.want)
		ask(wire.MethodCallDecline, wire.CallRef{Call: c.call}, c.decline)
	}
	ask(wire.MethodConversationClear, wire.ConversationClear{Conversation: open, UpTo: 1}, done)
	mine := narrow.must(wire.MethodCallStart, wire.CallStart{ClientCallID: "n7", Conversation: open, Media: call.Audio})
	ask(wire.MethodCallLeave, wire.CallRef{Call: mine.Call.ID}, done)

	// What it tells reaches the one conversation only.
	tell(wire.NoteActivity, wire.Activity{Away: false})
	tell(wire.NoteTyping, wire.Typing{Conversation: shut, On: true})
	tell(wire.NoteTyping, wire.Typing{Conversation: open, On: true})
	bob.await("typing", func() bool { return len(noted[wire.Typing](bob, wire.NoteTyping)) > 0 })
	ask(wire.MethodUserGet, wire.UserGet{User: "alice"}, done) // after it has typed
	var theirShut wire.MemberPage
	if err := carol.ask(wire.MethodConversationMembers, wire.ConversationMembers{Conversation: shut}, &theirShut); err != nil {
		t.Fatal(err)
	}
	for _, m := range theirShut.Members {
		if m.ID == "alice" && m.Read > 0 {
			t.Errorf("carol is told of the marks %+v", m)
		}
	}
	if got := noted[wire.Typing](carol, wire.NoteTyping); len(got) > 0 {
		t.Errorf("carol is told of %+v", got)
	}

	// What it is told: nothing of the other conversation, of who is in it, of objects or sessions.
	rename := func(user string) {
		w.open(1, user, func(o *client.Options) {
			o.Token = func(context.Context) (string, error) { return w.verifier.Mint(user, "New "+user, time.Hour) }
		})
	}
	rename("carol")
	whole.mustDo(wire.MethodUserObjectSet, wire.UserObjectSet{Key: "k2", Value: []byte(`"treasure"`)})
	rename("alice")
	rename("bob")
	narrow.await("the new name of whom it watches", func() bool {
		return slices.ContainsFunc(noted[chat.User](narrow, wire.NoteProfile), func(u chat.User) bool { return u.Name == "New bob" })
	})
	for _, secret := range []string{shut, rung.ID, invitation.ID, "carol", "treasure", `"object"`, `"contact"`, `"sessions"`} {
		if sent := told.text(); strings.Contains(sent, secret) {
			at := strings.Index(sent, secret)
			t.Errorf("the tab is told of %q: …%s", secret, sent[max(0, at-200):at+len(secret)])
		}
	}

	ask(wire.MethodSessionSignOut, wire.SessionSignOut{}, done) // its own
	if code, _ := narrow.closedWith(); code != wire.CloseSignedOut {
		t.Errorf("closed with %d", code)
	}
	if err := whole.ask(wire.MethodSessionList, wire.Empty{}, &sessions); err != nil {
		t.Errorf("another tab of the user: %v", err)
	}
	for name := range narrowedMethods {
		if !asked[name] {
			t.Errorf("%s was not asked", name)
		}
	}
}
