package main

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// What happens at one node reaches the tabs on all.
func TestThreeNodesAreOneServer(t *testing.T) {
	t.Parallel()
	s := startSite(t, 3)
	alice := []*siteTab{s.open(0, "alice"), s.open(1, "alice"), s.open(2, "alice")}
	bob := s.open(1, "bob")

	m := bob.say("alice", "hello")
	for _, tb := range append(slices.Clone(alice), bob) {
		tb.await("the message", func() bool { return slices.Equal(tb.texts(""), []string{"hello"}) })
	}

	alice[2].Mark(m.Conversation, chat.Marks{Read: m.Seq})
	bob.await("that alice has read it", func() bool {
		return slices.ContainsFunc(notesOf[chat.ConversationMarks](bob, wire.NoteMarks), func(c chat.ConversationMarks) bool {
			return slices.ContainsFunc(c.Members, func(one chat.MemberMarks) bool { return one.User == "alice" && one.Read == m.Seq })
		})
	})

	carol := s.open(2, "carol")
	carol.say("bob", "hello") // so that bob may see her
	var states wire.PresenceList
	bob.must(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"carol"}}, &states)
	for _, state := range []wire.PresenceState{wire.Offline, wire.Online} {
		if state == wire.Offline {
			carol.Close()
		} else {
			carol = s.open(0, "carol")
		}
		bob.await("that carol is "+string(state), func() bool {
			told := notesOf[wire.Presence](bob, wire.NotePresence)
			return len(told) > 0 && told[len(told)-1].State == state
		})
	}

	oneAnswerWins(t, alice, bob)
	aMove(t, alice, bob)
	signOuts(t, alice)
}

func oneAnswerWins(t *testing.T, alice []*siteTab, bob *siteTab) {
	t.Helper()
	leg := bob.rings(alice[0])
	for _, tb := range alice {
		tb.await("the ring", func() bool { return tb.calls[leg.Call.ID].State == call.Ringing })
	}
	var answers sync.WaitGroup
	errs := make([]error, len(alice))
	for i, tb := range alice {
		answers.Go(func() { _, errs[i] = tb.Answer(t.Context(), leg.Call.ID, false) })
	}
	answers.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !refusal.Is(err, refusal.AlreadyAnswered):
			t.Errorf("an answer that came second: got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d answers won, want one: %v", won, len(alice), errs)
	}
	for _, tb := range append(slices.Clone(alice), bob) {
		tb.await("that alice has answered", func() bool { return tb.of(leg.Call.ID, "alice").State == call.Joining })
	}
	if err := bob.Leave(t.Context(), leg.Call.ID); err != nil {
		t.Fatal(err)
	}
	for _, tb := range append(slices.Clone(alice), bob) {
		tb.await("the end", func() bool { return tb.calls[leg.Call.ID].State == call.Ended })
	}
}

// aMove hands alice's part of a call from her tab on one node to that on another.
func aMove(t *testing.T, alice []*siteTab, bob *siteTab) {
	t.Helper()
	b := bob.rings(alice[0])
	atBob := bob.phone(b)
	a := alice[0].answer(b.Call.ID)
	atAlice := alice[0].phone(a)
	bob.hears(atBob)
	alice[0].hears(atAlice)
	moved, err := alice[2].Move(t.Context(), b.Call.ID)
	if err != nil {
		t.Fatal(err)
	}
	there := alice[2].phone(moved)
	alice[0].await("that its leg was replaced", func() bool {
		return slices.ContainsFunc(notesOf[wire.LegEnd](alice[0], wire.NoteLegEnd), func(e wire.LegEnd) bool { return e.Leg == a.Leg && e.Reason == call.Replaced })
	})
	if err := atAlice.Close(); err != nil {
		t.Error(err)
	}
	on := true
	alice[2].must(wire.MethodCallState, wire.CallStateSet{Call: b.Call.ID, Microphone: &on}, nil)
	bob.hears(atBob)
	alice[2].hears(there)
	if err := alice[2].Leave(t.Context(), b.Call.ID); err != nil {
		t.Fatal(err)
	}
	bob.await("the end", func() bool { return bob.calls[b.Call.ID].State == call.Ended })
}

// signOuts ends one tab from another node, and then all.
func signOuts(t *testing.T, alice []*siteTab) {
	t.Helper()
	var list wire.SessionList
	alice[2].must(wire.MethodSessionList, wire.Empty{}, &list)
	if len(list.Sessions) != len(alice) {
		t.Fatalf("alice has %d sessions, want %d", len(list.Sessions), len(alice))
	}
	for _, one := range list.Sessions {
		if one.Tab == alice[0].Tab() {
			alice[2].must(wire.MethodSessionSignOut, wire.SessionSignOut{ID: one.ID}, nil)
		}
	}
	wantSignedOut(t, alice[0])
	alice[2].must(wire.MethodSessionSignOut, wire.SessionSignOut{Everywhere: true}, nil)
	wantSignedOut(t, alice[1])
	wantSignedOut(t, alice[2])
}

func wantSignedOut(t *testing.T, tb *siteTab) {
	t.Helper()
	tb.await("that it is signed out", func() bool {
		select {
		case <-tb.Done():
			return true
		default:
			return false
		}
	})
	if closed, ok := errors.AsType[*websocket.CloseError](tb.Err()); !ok || closed.Code != wire.CloseSignedOut {
		t.Errorf("it ended with %v, want %d", tb.Err(), wire.CloseSignedOut)
	}
}
