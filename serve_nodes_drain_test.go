package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/wire"
)

// A node is told to stop. New tabs go elsewhere at once; those that are there are told to come back,
// not all at the same moment, and their calls go on where they come.
func TestADrainedNodeHandsEverythingOver(t *testing.T) {
	t.Parallel()
	s := startSite(t, 3)
	s.kill(0)
	s.env = append(s.env, "CARILLON_HTTP_DRAIN_SECONDS=8") // the others need not wait at the end of the test
	s.run(0)
	alice, bob := s.open(0, "alice"), s.open(1, "bob")
	var idle []*siteTab
	for range 8 {
		idle = append(idle, s.open(0, "carol"))
	}
	a := &caller{siteTab: alice, leg: alice.rings(bob), away: true}
	a.peer = a.phone(a.leg)
	b := &caller{siteTab: bob, leg: bob.answer(a.leg.Call.ID)}
	b.peer = b.phone(b.leg)
	a.hears(a.peer)
	b.hears(b.peer)

	tokens := map[string]string{} // of those who come meanwhile
	for i := range 6 {
		user := fmt.Sprint("dave", i)
		tokens[user] = s.token(user)
	}
	drained := s.nodes[0]
	if err := drained.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "it is not ready", func() bool { c := drained.condition(t); return c.Draining && !c.Ready })
	tabs := func() string {
		_, metrics := get(t, drained.urls["private"]+"/metrics")
		for line := range strings.Lines(metrics) {
			if n, found := strings.CutPrefix(line, "carillon_tabs "); found {
				return strings.TrimSpace(n)
			}
		}
		return ""
	}
	until(t, "the balancer sends it nobody", func() bool {
		_, list := get(t, "http://"+s.balancer+"/readyz")
		for range 5 { // three nodes take turns
			_, more := get(t, "http://"+s.balancer+"/readyz")
			list += more
		}
		return !strings.Contains(list, "draining")
	})
	before := tabs()
	for user, token := range tokens {
		s.openBy(balanced, user, token)
	}
	if after := tabs(); before == "" || before != after {
		t.Errorf("new tabs came to a node that drains: it had %q, and has %q", before, after)
	}
	a.hears(a.peer) // what is there goes on
	alice.say("bob", "still here")

	if err := drained.command.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, drained.stderr.String())
	}
	var waits []int
	for _, tb := range append(slices.Clone(idle), alice) {
		tb.await("that it was told to come back", func() bool { return len(tb.lost) > 0 })
		var first error
		tb.note(func() { first = tb.lost[0] })
		closed, ok := errors.AsType[*websocket.CloseError](first)
		if !ok || closed.Code != wire.CloseShutdown {
			t.Fatalf("%s has lost its connection by %v, want %d", tb.user, first, wire.CloseShutdown)
		}
		wait, err := strconv.Atoi(closed.Text)
		if err != nil {
			t.Fatalf("it is to wait for %q", closed.Text)
		}
		if tb == alice && wait > 500 {
			t.Errorf("one in a call is to wait for %d ms", wait)
		}
		waits = append(waits, wait)
	}
	if slices.Sort(waits); waits[len(waits)-1]-waits[0] < 500 {
		t.Errorf("all come back at once: after %v ms", waits)
	}
	moved := make(chan bool)
	go func() { b.back(); close(moved) }()
	t.Logf("media was back %v after the new offer", a.back())
	<-moved
	for _, tb := range append(slices.Clone(idle), alice, bob) {
		tb.await("synced again", func() bool { return tb == bob || tb.synced > 1 })
	}
	alice.say("bob", "on another node")
	bob.await("both messages", func() bool { return slices.Equal(bob.texts(""), []string{"still here", "on another node"}) })
	bob.note(func() {
		if state := bob.of(a.leg.Call.ID, "alice").State; state != call.Joined {
			t.Errorf("alice is %q in the call", state)
		}
	})
}
