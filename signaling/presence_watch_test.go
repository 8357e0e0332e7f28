package signaling

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/chat"
	"carillon/client"
	"carillon/wire"
)

// lastPresence is how the tab was told last that a user is.
func (tb *tab) lastPresence(user string) (last wire.Presence) {
	for _, p := range noted[wire.Presence](tb, wire.NotePresence) {
		if p.User == user {
			last = p
		}
	}
	return last
}

// Whoever watches a user who changes all the time is told now and then, and at last how it is.
func TestPresenceIsToldMerged(t *testing.T) {
	w := newWorld(t, Config{Rates: generous})
	bob := w.open(0, "bob")
	alice := w.open(0, "alice")
	if err := alice.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob"}}, nil); err != nil {
		t.Fatal(err)
	}
	const changes = 1000
	for i := range changes {
		if err := bob.Notify(wire.NoteActivity, wire.Activity{Away: i%2 == 1}); err != nil {
			t.Fatal(err)
		}
		if i%20 < 19 {
			continue
		}
		if err := bob.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil { // it comes after them
			t.Fatal(err)
		}
	}
	alice.await("bob away", func() bool { return alice.lastPresence("bob").State == wire.Away })
	alice.mu.Lock()
	defer alice.mu.Unlock()
	if n := len(noted[wire.Presence](alice, wire.NotePresence)); n > changes/10 {
		t.Errorf("told %d times of %d changes", n, changes)
	}
}

// A new name reaches who watches, on every node, and nobody else.
func TestAChangedProfileIsToldToWhoWatches(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	w.open(0, "bob")
	here, there, nobody := w.open(0, "alice"), w.open(1, "alice"), w.open(1, "alice")
	for _, tb := range []*tab{here, there} {
		if err := tb.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.open(0, "bob", func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { return w.verifier.Mint("bob", "Robert", time.Hour) }
	})
	for _, tb := range []*tab{here, there} {
		tb.await("the new name", func() bool {
			return slices.ContainsFunc(noted[chat.User](tb, wire.NoteProfile), func(u chat.User) bool { return u.ID == "bob" && u.Name == "Robert" })
		})
	}
	if n := len(noted[chat.User](nobody, wire.NoteProfile)); n != 0 {
		t.Errorf("a tab that watches nobody was told of %d profiles", n)
	}
}

// When somebody was last here is known after a restart of the server, and on the other nodes.
func TestLastSeenSurvivesARestart(t *testing.T) {
	w := newWorld(t, Config{OfflineMS: 1, HeartbeatMS: 20})
	bob, carol := w.open(0, "bob"), w.open(0, "carol")
	before := time.Now().UnixMilli()
	bob.Close()
	var at map[string]int64
	carol.eventually("that bob has gone", func() bool {
		var err error
		if at, err = w.chat.LastSeen(t.Context(), []string{"bob"}); err != nil {
			t.Fatal(err)
		}
		return at["bob"] >= before
	})
	w.stop(0) // carol is here until then
	w.addNode(Config{}, w.bus)
	alice := w.open(1, "alice")
	var list wire.PresenceList
	if err := alice.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob", "carol"}}, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Users) != 2 {
		t.Fatalf("got %+v, want bob and carol", list.Users)
	}
	for _, p := range list.Users {
		if p.State != wire.Offline || p.LastSeen < before || p.User == "bob" && p.LastSeen != at["bob"] {
			t.Errorf("%+v: want offline since the restart or before", p)
		}
	}
}

// BenchmarkWatch watches one user with few watchers and with many: it costs the same.
func BenchmarkWatch(b *testing.B) {
	for _, watchers := range []int{10, 10_000} {
		b.Run(fmt.Sprint("watchers=", watchers), func(b *testing.B) {
			w := newWorld(b, Config{})
			p := w.nodes[0].presence
			bob := []string{"bob"}
			for range watchers {
				p.watch(newConnection(w.nodes[0], &discard{}, true), bob)
			}
			c := newConnection(w.nodes[0], &discard{}, true)
			for b.Loop() {
				p.watch(c, bob)
				p.unwatch(c)
			}
		})
	}
}

// Who shows their presence to nobody any more, or blocks somebody, goes out of sight on every node,
// and comes back when they show it again.
func TestPresenceFollowsWhatItsUserDecides(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	bob := w.open(0, "bob")
	here, there := w.open(0, "alice"), w.open(1, "alice")
	for _, tb := range []*tab{here, there} {
		if err := tb.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	become := func(state wire.PresenceState) {
		t.Helper()
		for _, tb := range []*tab{here, there} {
			tb.await("bob "+string(state), func() bool { return tb.lastPresence("bob").State == state })
		}
	}
	nobody, everyone := chat.Nobody, chat.Everyone
	bob.mustDo(wire.MethodPreferencesSet, chat.PreferencesChange{Presence: &nobody})
	become(wire.Offline)
	bob.mustDo(wire.MethodPreferencesSet, chat.PreferencesChange{Presence: &everyone})
	become(wire.Online)
	bob.mustDo(wire.MethodBlockAdd, wire.BlockRef{User: "alice"})
	become(wire.Offline)
	bob.mustDo(wire.MethodBlockRemove, wire.BlockRef{User: "alice"})
	become(wire.Online)
}
