package signaling

import (
	"fmt"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/wire"
)

func (tb *tab) watches(conversations ...string) wire.MarksList {
	tb.t.Helper()
	var all wire.MarksList
	if err := tb.ask(wire.MethodConversationWatch, wire.ConversationWatch{Conversations: conversations}, &all); err != nil {
		tb.t.Fatal(err)
	}
	return all
}

// In a group marks and typing reach those tabs that have it open, on all nodes.
func TestMarksOfAGroupReachWhoHasItOpen(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	alice, bob, carol, other := w.open(0, "alice"), w.open(0, "bob"), w.open(1, "carol"), w.open(1, "alice")
	g := w.group("alice", "bob", "carol").ID
	m := alice.write(g, "hello")
	if all := carol.watches(g); len(all.Conversations) != 1 || len(all.Conversations[0].Members) != 3 {
		t.Errorf("the marks are %+v, want those of three", all)
	}
	alice.watches(g)
	bob.await("the message", func() bool { return len(bob.texts()) == 1 })
	bob.Mark(g, chat.Marks{Read: m.Seq})
	for _, tb := range []*tab{alice, carol} {
		tb.awaitMarks(g, "bob", chat.Marks{Delivered: m.Seq, Read: m.Seq})
	}
	if err := bob.Notify(wire.NoteTyping, wire.Typing{Conversation: g, On: true}); err != nil {
		t.Fatal(err)
	}
	for _, tb := range []*tab{alice, carol} {
		tb.await("typing", func() bool { return len(noted[wire.Typing](tb, wire.NoteTyping)) == 1 })
	}
	alice.write(g, "done")
	other.await("the message", func() bool { return len(other.texts()) == 2 })
	if n := len(noted[chat.ConversationMarks](other, wire.NoteMarks)) + len(noted[wire.Typing](other, wire.NoteTyping)); n != 0 {
		t.Errorf("a tab that has nothing open was told %d times", n)
	}

	// Who leaves hears no more.
	if err := carol.ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: g}, nil); err != nil {
		t.Fatal(err)
	}
	last := alice.write(g, "among us")
	bob.await("the message", func() bool { return len(bob.texts()) == 3 })
	bob.Mark(g, chat.Marks{Read: last.Seq})
	alice.awaitMarks(g, "bob", chat.Marks{Read: last.Seq})
	bob.send("carol", "bye")
	carol.await("what comes later", func() bool { return len(carol.texts()) > 0 && carol.texts()[len(carol.texts())-1] == "bye" })
	for _, text := range seen(&carol.observed, carol.texts) {
		if text == "among us" {
			t.Error("carol, who has left, got the message")
		}
	}
	for _, one := range noted[chat.ConversationMarks](carol, wire.NoteMarks) {
		for _, of := range one.Members {
			if one.Conversation == g && of.Read >= last.Seq {
				t.Error("carol, who has left, is told of marks")
			}
		}
	}
}

// Marks that a node was not told of are told again when it learns that something was lost, whatever
// the bus calls it. Who has left is told nothing, and does not keep the others from it.
func TestMarksThatWereMissedAreToldAgain(t *testing.T) {
	for name, lost := range map[string]func(group, direct string) (ofGroup, ofDirect string){
		"of anything":         func(_, _ string) (string, string) { return "", "" },
		"of what is open":     func(group, direct string) (string, string) { return watchSubject(group), watchSubject(direct) },
		"of what is a user's": func(_, _ string) (string, string) { return subject("carol"), subject("carol") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.addNode(Config{}, join(t, w))
			bob, gone, carol := w.open(0, "bob"), w.open(1, "gone"), w.open(1, "carol")
			g := w.group("alice", "bob", "carol", "gone").ID
			direct := carol.send("bob", "just you").Conversation
			m := carol.write(g, "hello")
			gone.watches(g)
			carol.watches(g, direct)
			if err := gone.ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: g}, nil); err != nil {
				t.Fatal(err)
			}
			quiet := func([]chat.Told) {}
			w.deliver.Store(&quiet)
			for _, id := range []string{g, direct} {
				if err := bob.ask(wire.MethodMarksSet, wire.MarksSet{Marks: map[string]chat.Marks{id: {Read: m.Seq}}}, nil); err != nil {
					t.Fatal(err)
				}
			}
			ofGroup, ofDirect := lost(g, direct)
			w.nodes[1].envelopesLost(ofGroup)
			carol.awaitMarks(g, "bob", chat.Marks{Delivered: m.Seq, Read: m.Seq})
			w.nodes[1].envelopesLost(ofDirect)
			carol.awaitMarks(direct, "bob", chat.Marks{Delivered: 1, Read: 1})
			for _, told := range noted[chat.ConversationMarks](gone, wire.NoteMarks) {
				if slices.ContainsFunc(told.Members, func(m chat.MemberMarks) bool { return m.User == "bob" }) {
					t.Errorf("who has left is told %+v", told)
				}
			}
		})
	}
}

// A tab that comes back says again what it has open, and is answered with the marks that it missed.
func TestMarksMissedWhileTheSocketWasAway(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	g := w.group("alice", "bob").ID
	m := alice.write(g, "hello")
	alice.watches(g)
	back := seen(&alice.observed, func() int { return alice.synced })
	alice.Cut()
	if err := bob.ask(wire.MethodMarksSet, wire.MarksSet{Marks: map[string]chat.Marks{g: {Read: m.Seq}}}, nil); err != nil {
		t.Fatal(err)
	}
	alice.await("that it is back", func() bool { return alice.synced > back })
	want := chat.MemberMarks{User: "bob", Marks: chat.Marks{Delivered: m.Seq, Read: m.Seq}}
	if all := alice.watches(g); len(all.Conversations) != 1 || !slices.Contains(all.Conversations[0].Members, want) {
		t.Errorf("got %+v, want bob's mark in it", all)
	}
}

// write sends a message into a conversation.
func (tb *tab) write(conversation, text string) chat.Message {
	tb.t.Helper()
	m, err := tb.Send(tb.t.Context(), wire.MessageSend{Conversation: conversation, Text: text})
	if err != nil {
		tb.t.Fatal(err)
	}
	return m
}

// Where there are many, it is told how many have read.
func TestMarksOfManyAreCounted(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	alice, bob, there := w.open(0, "alice"), w.open(0, "bob"), w.open(1, "alice")
	g := w.group("alice", append(numbered(60), "bob")...).ID
	m := alice.write(g, "hello")
	alice.watches(g)
	there.watches(g)
	bob.await("the message", func() bool { return len(bob.texts()) == 1 })
	bob.Mark(g, chat.Marks{Read: m.Seq})
	for _, tb := range []*tab{alice, there} {
		tb.await("a count", func() bool {
			for _, one := range noted[chat.ConversationMarks](tb, wire.NoteMarks) {
				if len(one.Members) > 0 {
					t.Errorf("told of each: %+v", one)
				}
				if n := len(one.Counts); n == 1 && one.Counts[0].Seq == m.Seq && one.Counts[0].Read == 1 {
					return true
				}
			}
			return false
		})
	}
}

// Who joins sees nothing that was written before, not when it changes later either.
func TestWhoJoinsSeesNothingOlder(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	var g chat.Conversation
	if err := alice.ask(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: []string{"bob"}, Name: "Team"}, &g); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		alice.write(g.ID, fmt.Sprint("secret ", i))
	}
	if err := bob.ask(wire.MethodMessagePage, wire.MessagePage{Conversation: g.ID}, nil); err == nil {
		t.Error("who is only invited reads")
	}
	if err := bob.ask(wire.MethodConversationJoin, wire.ConversationRef{Conversation: g.ID}, nil); err != nil {
		t.Fatal(err)
	}
	alice.write(g.ID, "welcome")
	bob.await("what is said to him", func() bool { return len(bob.texts()) > 0 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if got := bob.texts(); len(got) != 1 || got[0] != "welcome" {
		t.Errorf("bob sees %q", got)
	}
}
