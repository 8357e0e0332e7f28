package signaling

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"carillon/chat"
	"carillon/limit"
)

// readsBy is the real store. It notes for whom it reads.
type readsBy struct {
	chat.Store

	mu    sync.Mutex
	users []string
}

func (r *readsBy) Read(ctx context.Context, f func(chat.View) error) error {
	r.mu.Lock()
	r.users = append(r.users, limit.PayerOf(ctx).User)
	r.mu.Unlock()
	return r.Store.Read(ctx, f)
}

// Who comes while others are being greeted waits, and is then greeted at once and whole: so all are
// not greeted at the end.
func TestGreetingsTakeTurns(t *testing.T) {
	w := newWorld(t, Config{})
	reads := &readsBy{Store: w.store}
	w.chat = chat.New(reads, anyone)
	s := w.addNode(Config{Greetings: 1}, w.bus)
	s.greetings <- struct{}{} // somebody's turn
	const crowd = 12
	var arriving sync.WaitGroup
	for i := range crowd {
		arriving.Go(func() { w.open(1, fmt.Sprint("user-", i)) })
	}
	for deadline := time.Now().Add(30 * time.Second); helloes(s) < crowd; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d have said hello after 30 s", helloes(s), crowd)
		}
	}
	<-s.greetings
	arriving.Wait()
	reads.mu.Lock()
	defer reads.mu.Unlock()
	inTurn := slices.DeleteFunc(slices.Compact(reads.users), func(user string) bool { return user == "" }) // nobody's: the node's own
	if inTurn = slices.Compact(inTurn); len(inTurn) != crowd {
		t.Errorf("read for %d users in this order: %q; want all for one, then all for the next", crowd, inTurn)
	}
}

// helloes is how many connections have said hello.
func helloes(s *Server) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.connections {
		c.liveness.mu.Lock()
		if c.liveness.vitals.helloBy.IsZero() {
			n++
		}
		c.liveness.mu.Unlock()
	}
	return n
}
