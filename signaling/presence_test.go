package signaling

import (
	"sync"
	"testing"

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
