package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/sfu/sfutest"
	"carillon/wire"
)

// caller is a page in a call: when its connection or the call's node is lost, it takes its leg up
// again with a new peer.
type caller struct {
	*siteTab
	leg  wire.CallLeg
	peer *sfutest.Client
	away bool // its node will be killed
}

// back waits until another node runs the call, and connects again. It returns how long media took
// from the new offer on.
func (c *caller) back() time.Duration {
	c.t.Helper()
	id := c.leg.Call.ID
	if c.away {
		leg, err := c.Resume(c.t.Context(), c.leg)
		if err != nil {
			c.t.Errorf("%s: resume: %v", c.user, err)
			return 0
		}
		c.leg = leg
	}
	c.await("another node runs the call", func() bool { return c.calls[id].Epoch > 1 })
	_ = c.peer.Close()
	begin := time.Now()
	c.peer = c.phone(c.leg)
	c.hears(c.peer)
	return time.Since(begin)
}

// chatter writes until it is stopped, from one user to another, and remembers what was acknowledged.
type chatter struct {
	from *siteTab
	to   string

	acknowledged []chat.Message // by the goroutine that writes, until it has ended
}

func (c *chatter) write(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		m, err := c.from.Send(c.from.t.Context(), wire.MessageSend{To: c.to, Kind: chat.Text, Text: fmt.Sprintf("%s %d", c.from.user, n)})
		if err != nil {
			c.from.t.Errorf("%s: send %d: %v", c.from.user, n, err)
			return
		}
		c.acknowledged = append(c.acknowledged, m)
	}
}

// A node is killed while people talk and write. Their tabs come back on others, the calls go on
// there, and every message that was acknowledged is there once, in one order for all.
func TestANodeIsKilledInTheMiddleOfCallsAndChats(t *testing.T) {
	t.Parallel()
	s := startSite(t, 3)
	pairs := [][2]*siteTab{
		{s.open(0, "alice"), s.open(1, "bob")}, // the call runs on the node that is killed
		{s.open(1, "carol"), s.open(0, "dave")},
		{s.open(0, "erin"), s.open(0, "frank")},
	}
	var callers []*caller
	for i, p := range pairs {
		a := &caller{siteTab: p[0], leg: p[0].rings(p[1]), away: i != 1}
		a.peer = a.phone(a.leg)
		b := &caller{siteTab: p[1], leg: p[1].answer(a.leg.Call.ID), away: i != 0}
		b.peer = b.phone(b.leg)
		a.hears(a.peer)
		b.hears(b.peer)
		callers = append(callers, a, b)
	}
	onTheirNode := callers[2:4] // carol's call runs on a node that stays

	writing, stop := context.WithCancel(t.Context())
	defer stop()
	var writers sync.WaitGroup
	var chatters []*chatter
	for _, p := range pairs {
		chatters = append(chatters, &chatter{from: p[0], to: p[1].user}, &chatter{from: p[1], to: p[0].user})
	}
	for _, c := range chatters {
		writers.Go(func() { c.write(writing) })
	}
	carol := callers[2]
	carol.await("messages", func() bool { return len(carol.texts("")) > 50 })

	s.kill(0)
	var all sync.WaitGroup
	took := make([]time.Duration, len(callers))
	for i, c := range callers {
		if !slices.Contains(onTheirNode, c) {
			all.Go(func() { took[i] = c.back() })
		}
	}
	carol.hears(carol.peer) // dave's media goes on without his socket
	dave := callers[3]
	if leg, err := dave.Resume(t.Context(), dave.leg); err != nil {
		t.Errorf("dave: resume: %v", err)
	} else {
		dave.leg = leg
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("media was back %v after the new offers", took)
	stop()
	writers.Wait()

	for i, p := range pairs {
		for j, tb := range p {
			sameHistory(t, tb, append(slices.Clone(chatters[2*i].acknowledged), chatters[2*i+1].acknowledged...))
			if c := callers[2*i+j]; c.of(c.leg.Call.ID, tb.user).State != call.Joined {
				t.Errorf("%s is %q in the call", tb.user, c.of(c.leg.Call.ID, tb.user).State)
			}
		}
		if err := p[0].Leave(t.Context(), callers[2*i].leg.Call.ID); err != nil {
			t.Fatal(err)
		}
		p[1].await("the end of the call", func() bool {
			c := p[1].calls[callers[2*i].leg.Call.ID]
			return c.State == call.Ended && c.Reason == call.Completed
		})
	}
}

// sameHistory wants that a tab has got what was acknowledged, and nothing else: each message once,
// in the order of the history.
func sameHistory(t *testing.T, tb *siteTab, acknowledged []chat.Message) {
	t.Helper()
	want := texts(inOrder(acknowledged))
	tb.await("all messages", func() bool { return len(tb.texts("")) >= len(want) })
	tb.note(func() {
		if got := tb.texts(""); !slices.Equal(got, want) {
			t.Errorf("%s has got %d messages, want these %d:\n%q\n%q", tb.user, len(got), len(want), got, want)
		}
	})
	var stored []string
	for _, m := range historyOf(t, tb.Client) {
		if m.Kind == chat.Text {
			stored = append(stored, m.Text)
		}
	}
	if !slices.Equal(stored, want) {
		t.Errorf("the history of %s has %d messages, want these %d:\n%q\n%q", tb.user, len(stored), len(want), stored, want)
	}
}

func inOrder(all []chat.Message) []chat.Message {
	return slices.SortedFunc(slices.Values(all), func(a, b chat.Message) int { return int(a.Seq - b.Seq) })
}

func texts(all []chat.Message) (list []string) {
	for _, m := range all {
		list = append(list, m.Text)
	}
	return list
}
