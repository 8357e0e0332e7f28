package signaling

import (
	"testing"

	"carillon/chat"
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
