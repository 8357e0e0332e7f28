package signaling

import (
	"context"
	"slices"
	"testing"
	"time"

	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/wire"
)

// Where users reach their contacts only, nobody else sees when they are here, or who they are.
func TestStrangersSeeNeitherPresenceNorProfile(t *testing.T) {
	w := newWorld(t, Config{})
	w.chat = chat.New(w.store, chat.Config{Reach: chat.Reach{Users: chat.ReachContacts, Known: []string{"*"}}})
	w.addNode(Config{}, w.bus)
	bob, mallory := w.open(1, "bob"), w.open(1, "mallory")
	var seen wire.PresenceList
	if err := mallory.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob", "nobody", "mallory"}}, &seen); err != nil {
		t.Fatal(err)
	}
	for _, p := range seen.Users {
		if p.User != "mallory" {
			t.Errorf("mallory sees that %s is %s", p.User, p.State)
		}
	}
	mallory.refused(refusal.NotFound, wire.MethodUserGet, wire.UserGet{User: "bob"})
	mallory.refused(refusal.NotFound, wire.MethodUserGet, wire.UserGet{User: "nobody"}) // as if there were none
	if got := bob.Welcome().User.ID; got != "bob" {
		t.Errorf("bob is %q", got)
	}
}

// The id of a session ends it for its own user, and means nothing to others.
func TestNobodySignsOutAnother(t *testing.T) {
	w := newWorld(t, Config{})
	alice, mallory := w.open(0, "alice"), w.open(0, "mallory")
	var mine wire.SessionList
	if err := alice.ask(wire.MethodSessionList, wire.Empty{}, &mine); err != nil {
		t.Fatal(err)
	}
	if len(mine.Sessions) != 1 {
		t.Fatalf("alice has %d sessions, want her one", len(mine.Sessions))
	}
	mallory.refused(refusal.NotFound, wire.MethodSessionSignOut, wire.SessionSignOut{ID: mine.Sessions[0].ID})
	if err := alice.ask(wire.MethodSessionList, wire.Empty{}, &mine); err != nil {
		t.Errorf("alice was signed out: %v", err)
	}
	var theirs wire.SessionList
	if err := mallory.ask(wire.MethodSessionList, wire.Empty{}, &theirs); err != nil {
		t.Fatal(err)
	}
	for _, s := range theirs.Sessions {
		if s.ID == mine.Sessions[0].ID {
			t.Error("mallory sees alice's session")
		}
	}
}

// contactsOnly is a world of two nodes where users reach their contacts only.
func contactsOnly(t *testing.T) *world {
	w := newWorld(t, Config{})
	w.chat = chat.New(w.store, chat.Config{Reach: chat.Reach{Users: chat.ReachContacts, Known: []string{"*"}}})
	w.addNode(Config{}, w.bus)
	w.addNode(Config{}, join(t, w))
	return w
}

// watchesPresence asks for the presence of users and returns who is in the answer.
func (tb *tab) watchesPresence(users ...string) (seen []string) {
	tb.t.Helper()
	var states wire.PresenceList
	if err := tb.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: users}, &states); err != nil {
		tb.t.Fatal(err)
	}
	for _, p := range states.Users {
		seen = append(seen, p.User)
	}
	return seen
}

// told are the states of a user that the tab was told since it watches, in order.
func (tb *tab) told(user string) (states []wire.PresenceState) {
	for _, p := range noted[wire.Presence](tb, wire.NotePresence) {
		if p.User == user {
			states = append(states, p.State)
		}
	}
	return states
}

func (tb *tab) mustDo(method string, params any) {
	tb.t.Helper()
	if err := tb.ask(method, params, nil); err != nil {
		tb.t.Fatalf("%s: %v", method, err)
	}
}

func (tb *tab) says(away bool) {
	tb.t.Helper()
	if err := tb.Notify(wire.NoteActivity, wire.Activity{Away: away}); err != nil {
		tb.t.Fatal(err)
	}
}

// Whom one removes from one's contacts is told nothing more of one's presence, by a watch that
// they had before, on another node too; and is told again when they are back among them.
func TestARemovedContactIsToldNothingMore(t *testing.T) {
	w := contactsOnly(t)
	alice, dave, bob := w.open(1, "alice"), w.open(1, "dave"), w.open(2, "bob")
	bob.mustDo(wire.MethodContactAdd, wire.ContactRef{User: "alice"})
	dave.mustDo(wire.MethodContactAdd, wire.ContactRef{User: "alice"})
	alice.eventually("bob and dave in sight", func() bool { return len(alice.watchesPresence("bob", "dave")) == 2 })
	bob.says(true)
	alice.lastTold("bob", wire.Away)

	bob.mustDo(wire.MethodContactRemove, wire.ContactRef{User: "alice"})
	alice.lastTold("bob", wire.Offline) // as far as she is told
	bob.says(false)
	bob.mustDo(wire.MethodUserGet, wire.UserGet{User: "bob"}) // which is carried out after that
	dave.says(true)
	alice.lastTold("dave", wire.Away)
	alice.mu.Lock()
	for _, p := range noted[wire.Presence](alice, wire.NotePresence) {
		if p.User == "bob" && p.LastSeen != 0 {
			t.Errorf("alice was told when bob was here last")
		}
	}
	if got := alice.told("bob"); got[len(got)-1] != wire.Offline {
		t.Errorf("alice, whom bob has removed, was told that he is %q", got)
	}
	alice.mu.Unlock()
	if seen := alice.watchesPresence("bob", "dave"); len(seen) != 1 || seen[0] != "dave" {
		t.Errorf("alice sees %q, want dave", seen)
	}
	alice.refused(refusal.NotFound, wire.MethodUserGet, wire.UserGet{User: "bob"})

	bob.mustDo(wire.MethodContactAdd, wire.ContactRef{User: "alice"})
	alice.lastTold("bob", wire.Online)
}

// To whom somebody writes sees them from then on, without asking again; so do members of a new
// group.
func TestWhoWritesIsSeenByWhomTheyWroteTo(t *testing.T) {
	w := contactsOnly(t)
	alice, bob, carol := w.open(1, "alice"), w.open(2, "bob"), w.open(2, "carol")
	if seen := bob.watchesPresence("alice", "carol", "nobody"); len(seen) > 0 {
		t.Errorf("bob sees %q", seen)
	}
	online := func(user string) {
		t.Helper()
		bob.await(user+" is online", func() bool {
			states := bob.told(user)
			return len(states) > 0 && states[0] == wire.Online
		})
	}
	bob.mustDo(wire.MethodContactAdd, wire.ContactRef{User: "alice"})
	alice.send("bob", "Hello")
	online("alice")

	bob.mustDo(wire.MethodContactAdd, wire.ContactRef{User: "carol"})
	alice.mustDo(wire.MethodContactAdd, wire.ContactRef{User: "carol"})
	carol.mustDo(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: []string{"alice", "bob"}, Name: "We"})
	online("carol")
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if got := bob.told("nobody"); len(got) > 0 {
		t.Errorf("bob was told of nobody: %q", got)
	}
}

// lastTold waits until a state of a user is what the tab was told last.
func (tb *tab) lastTold(user string, want wire.PresenceState) {
	tb.t.Helper()
	tb.await(user+" "+string(want), func() bool {
		states := tb.told(user)
		return len(states) > 0 && states[len(states)-1] == want
	})
}

// groupOfWhoKnow makes a group of users, who have its owner as a contact.
func (w *world) groupOfWhoKnow(owner string, members ...string) chat.Conversation {
	w.t.Helper()
	for _, id := range members {
		if err := w.chat.AddContact(w.t.Context(), id, owner); err != nil {
			w.t.Fatal(err)
		}
	}
	return w.group(owner, members...)
}

// Members of a group see each other until one of them leaves it: then those who stay do not see
// them any more, nor they those, on whichever nodes they are.
func TestWhoLeavesAGroupNeitherSeesNorIsSeen(t *testing.T) {
	w := contactsOnly(t)
	alice, bob, carol := w.open(1, "alice"), w.open(2, "bob"), w.open(2, "carol")
	g := w.groupOfWhoKnow("carol", "alice", "bob")
	alice.eventually("both in sight", func() bool { return len(alice.watchesPresence("bob", "carol")) == 2 })
	bob.eventually("both in sight", func() bool { return len(bob.watchesPresence("alice", "carol")) == 2 })

	bob.mustDo(wire.MethodConversationLeave, wire.ConversationRef{Conversation: g.ID})
	alice.lastTold("bob", wire.Offline)
	bob.lastTold("alice", wire.Offline)
	bob.lastTold("carol", wire.Offline)
	alice.says(true)
	bob.says(true)
	carol.says(true)
	alice.lastTold("carol", wire.Away)
	alice.mu.Lock()
	defer alice.mu.Unlock()
	if got := alice.told("bob"); got[len(got)-1] != wire.Offline {
		t.Errorf("alice was told that bob, who has left, is %q", got)
	}
}

// Who has never been here is nobody. The first time that they are, those who wait for them see them.
func TestWhoSignsInForTheFirstTimeComesIntoSight(t *testing.T) {
	w := contactsOnly(t)
	alice := w.open(1, "alice")
	w.groupOfWhoKnow("carol", "alice", "newcomer")
	if seen := alice.watchesPresence("newcomer"); len(seen) > 0 {
		t.Errorf("alice sees %q, who was never here", seen)
	}
	w.open(2, "newcomer", func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { return w.verifier.Mint("newcomer", "Nell", time.Hour) }
	})
	alice.lastTold("newcomer", wire.Online)
	alice.await("the name", func() bool {
		return slices.ContainsFunc(noted[chat.User](alice, wire.NoteProfile), func(u chat.User) bool { return u.Name == "Nell" })
	})
}
