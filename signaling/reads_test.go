package signaling

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/store"
	"carillon/wire"
)

// watchedStore counts the reads of each user that run at a time, and can hold up those of one.
type watchedStore struct {
	*store.Store
	observed

	held    string        // whose reads wait
	release chan struct{} // until this is closed
	running map[string]int
	most    map[string]int // that ran at a time
	all     map[string]int // that there were
}

func (s *watchedStore) Read(ctx context.Context, f func(chat.View) error) error {
	user := limit.PayerOf(ctx).User
	return s.Store.Read(ctx, func(v chat.View) error {
		var hold chan struct{}
		s.note(func() {
			s.running[user]++
			s.all[user]++
			s.most[user] = max(s.most[user], s.running[user])
			if user == s.held && user != "" {
				hold = s.release
			}
		})
		if hold != nil {
			select {
			case <-hold:
			case <-ctx.Done(): // the test has failed
			}
		}
		defer s.note(func() { s.running[user]-- })
		return f(v)
	})
}

// watchStore puts a watchedStore between chat and the store, for the nodes that are added next.
func (w *world) watchStore() *watchedStore {
	s := &watchedStore{
		Store: w.store, observed: observe(w.t), release: make(chan struct{}),
		running: map[string]int{}, most: map[string]int{}, all: map[string]int{},
	}
	w.chat = chat.New(s, anyone)
	return s
}

// hold makes the reads of a user wait from now on.
func (s *watchedStore) hold(user string) {
	s.note(func() { s.held = user; clear(s.most) })
}

// One user asks from 40 tabs at once for what is charged only when it is known. Two of the reads
// run, whatever the tabs are, and somebody else is answered meanwhile.
func TestReadsOfOneUserRunAFewAtATime(t *testing.T) {
	w := newWorld(t, Config{})
	s := w.watchStore()
	w.addNode(Config{}, join(t, w))
	const tabs = 40
	var asked sync.WaitGroup
	alice := w.open(1, "alice")
	alice.send("mallory", "hello")
	var mallory []*tab
	for range tabs {
		mallory = append(mallory, w.open(1, "mallory"))
	}
	s.hold("mallory")
	answers := make(chan error, 3*tabs)
	for _, tb := range mallory {
		for range 3 {
			asked.Go(func() { answers <- tb.ask(wire.MethodConversationList, wire.ConversationList{}, nil) })
		}
	}
	s.await("reads of mallory", func() bool { return s.running["mallory"] == Defaults().UserReads })
	for i := range 20 {
		var page wire.ConversationPage
		if err := alice.ask(wire.MethodConversationList, wire.ConversationList{}, &page); err != nil || len(page.Conversations) != 1 {
			t.Fatalf("alice asks for the %d. time: %v, %d conversations", i+1, err, len(page.Conversations))
		}
	}
	close(s.release)
	asked.Wait()
	for range 3 * tabs {
		if err := <-answers; err != nil {
			t.Errorf("mallory, who only waits longer: %v", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.most["mallory"]; n != Defaults().UserReads {
		t.Errorf("%d reads of mallory ran at a time, want %d", n, Defaults().UserReads)
	}
}

// More than so many of one user do not even wait: they are told when to ask again.
func TestReadsThatWaitAreBounded(t *testing.T) {
	w := newWorld(t, Config{})
	s := w.watchStore()
	w.addNode(Config{UserReads: 1}, join(t, w))
	const tabs, waiting = 60, 50
	var mallory []*tab
	for range tabs {
		mallory = append(mallory, w.open(1, "mallory"))
	}
	s.hold("mallory")
	answers := make(chan error, tabs)
	for _, tb := range mallory {
		go func() { answers <- tb.ask(wire.MethodUserObjectGet, wire.UserObjectGet{}, nil) }()
	}
	for range tabs - 1 - waiting {
		err := <-answers
		if refused, _ := refusal.Of(err); !refusal.Is(err, refusal.RateLimited) || refused.Retry <= 0 {
			t.Errorf("one too many: got %v, want %s with a time", err, refusal.RateLimited)
		}
	}
	close(s.release)
	for range 1 + waiting {
		if err := <-answers; err != nil {
			t.Errorf("one of those that wait: %v", err)
		}
	}
}

// Who comes back and has missed much pays for each page of it, and gets the next one when the
// last is paid for.
func TestEachPageOfAGreetingIsPaidFor(t *testing.T) {
	w := newWorld(t, Config{})
	w.chat = chat.New(w.store, chat.Config{Reach: anyone.Reach, PageSize: thingsPerRequest})
	bob := w.open(0, "bob")
	for i := range 3 * thingsPerRequest {
		bob.mustDo(wire.MethodContactAdd, wire.ContactRef{User: fmt.Sprint("friend-", i)})
	}
	const pages = 2 // that he can pay for in this hour: each has the price of a request
	w.addNode(Config{}, join(t, w)).limits.requests = limit.NewBudget(limit.Shares{
		User: limit.Share{Rate: limit.Per(time.Hour, pages, time.Hour)},
	})
	again, err := w.dial(1, "bob")
	if err != nil {
		t.Fatal(err)
	}
	again.await("two pages", func() bool { return len(again.changes) >= pages*thingsPerRequest })
	if err := again.ask(wire.MethodUserObjectGet, wire.UserObjectGet{}, nil); !refusal.Is(err, refusal.RateLimited) {
		t.Errorf("a request after two pages that were not paid for otherwise: got %v, want %s", err, refusal.RateLimited)
	}
	again.mu.Lock()
	defer again.mu.Unlock()
	if n := len(again.changes); n > pages*thingsPerRequest {
		t.Errorf("%d things came for the price of %d", n, pages*thingsPerRequest)
	}
}

// Who has asked and gone is not read for any more.
func TestNothingIsReadForWhoHasGone(t *testing.T) {
	w := newWorld(t, Config{})
	s := w.watchStore()
	w.addNode(Config{UserReads: 1}, join(t, w))
	p := w.plain(1)
	p.hello(w.token("mallory"))
	p.frames(func(f wire.Frame) bool { return f.Method == wire.NoteSynced })
	s.hold("mallory")
	s.note(func() { clear(s.all) })
	const ask = `{"jsonrpc":"2.0","id":7,"method":"userobject.get","params":{}}` + "\n"
	p.write(strings.Repeat(ask, 50) + `{"jsonrpc":"2.0","id":8,"method":"no such"}`)
	p.frames(func(f wire.Frame) bool { return f.ID != nil && *f.ID == 8 }) // all have been taken in
	s.await("the first read", func() bool { return s.running["mallory"] == 1 })
	_ = p.Close()
	alice := w.open(0, "alice")
	alice.eventually("the end of the connection", func() bool {
		n := w.nodes[1]
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.connections) == 0
	})
	close(s.release)
	w.stop(1) // waits for whatever still runs
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.all["mallory"]; n != 1 {
		t.Errorf("%d were read, want the one that was under way", n)
	}
}
