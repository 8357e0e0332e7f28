package signaling

import (
	"context"
	"sync"
	"testing"

	"carillon/client"
	"carillon/wire"
)

// Two tabs of a user say at the same time whether somebody is there, while others look.
func TestTheLastWordOnPresenceIsHowTheTabsAre(t *testing.T) {
	w := newWorld(t, Config{})
	w.open(0, "alice")
	w.open(0, "alice")
	p, alice := w.nodes[0].presence, w.nodes[0].localUser("alice")
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					p.mu.Lock()
					_ = p.ofLocked("alice")
					p.mu.Unlock()
				}
			}
		})
	}
	defer func() { close(stop); readers.Wait() }()
	for i := range 500 {
		var both sync.WaitGroup
		for j, c := range alice.all() {
			both.Go(func() {
				c.away.Store(i%2 == j)
				p.changed(alice)
			})
		}
		both.Wait()
		p.mu.Lock()
		got := p.own["alice"]
		p.mu.Unlock()
		if got != wire.Online {
			t.Fatalf("round %d: %s, and one of the tabs is not away", i, got)
		}
	}
}

// Whoever watches sees that a guest is one, at once and with every change.
func TestPresenceTellsAGuestFromAUser(t *testing.T) {
	w := newWorld(t, Config{})
	token, who, err := w.verifier.MintGuest("Visitor")
	if err != nil {
		t.Fatal(err)
	}
	guest := w.open(0, who.User, func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { return token, nil }
	})
	alice := w.open(0, "alice")
	w.open(0, "bob")
	var states wire.PresenceList
	if err := alice.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob", who.User}}, &states); err != nil {
		t.Fatal(err)
	}
	for _, p := range states.Users {
		if p.Guest != (p.User == who.User) {
			t.Errorf("%+v", p)
		}
	}
	if err := guest.Notify(wire.NoteActivity, wire.Activity{Away: true}); err != nil {
		t.Fatal(err)
	}
	alice.await("the guest is away", func() bool {
		for _, p := range noted[wire.Presence](alice, wire.NotePresence) {
			if p == (wire.Presence{User: who.User, Guest: true, State: wire.Away}) {
				return true
			}
		}
		return false
	})
}
