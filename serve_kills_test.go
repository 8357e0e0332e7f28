package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/chat"
	"carillon/wire"
)

var kills = flag.Int("kills", 5, "how often the tests of random kills kill a node; make soak says 40")

// Ten users in two tabs each write into one group and to each other, while a server is killed at
// random moments and started again. Whatever was acknowledged is there once, in every history and in
// every tab, in one order.
func TestRandomKillsOfOneServerLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	crowdUnderKills(startAlone(t))
}

const (
	crowd    = 10 // users
	tabsEach = 2
)

func crowdUnderKills(s *site) {
	s.Helper()
	var tabs []*siteTab // of the first user, then of the second …
	for i := range crowd {
		for range tabsEach {
			tabs = append(tabs, s.open(balanced, fmt.Sprint("user", i)))
		}
	}
	group := s.group(tabs)
	all := s.greetings(tabs, group) // by conversation
	writing, stop := context.WithCancel(s.Context())
	defer stop()
	var writers sync.WaitGroup
	var written atomic.Int64
	acknowledged := make([][]chat.Message, len(tabs))
	for i, tb := range tabs {
		writers.Go(func() { acknowledged[i] = tb.writeAtRandom(writing, group, &written) })
	}
	for range *kills {
		killed := rand.IntN(len(s.nodes))
		time.Sleep(rand.N(600 * time.Millisecond)) // the moment is what is random
		s.kill(killed)
		s.run(killed)
		goal := written.Load() + 2*crowd
		until(s.T, "messages after the kill", func() bool { return written.Load() >= goal })
	}
	stop()
	writers.Wait()
	for _, list := range acknowledged {
		for _, m := range list {
			all[m.Conversation] = append(all[m.Conversation], m)
		}
	}
	total := 0
	for id, list := range all {
		all[id] = inOrder(list)
		total += len(list)
	}
	for _, tb := range tabs {
		tb.hasAll(all)
	}
	s.Logf("%d messages in %d conversations over %d kills", total, len(all), *kills)
}

// greetings sends the first message of every conversation, and waits until all tabs have it. From then
// on a tab follows the conversation. What was before the first message that it is told it would page.
func (s *site) greetings(tabs []*siteTab, group string) map[string][]chat.Message {
	s.Helper()
	first := map[string][]chat.Message{group: {tabs[0].sayIn(group, "hello all")}}
	for i, tb := range tabs {
		for j := i/tabsEach + 1; i%tabsEach == 0 && j < crowd; j++ {
			m := tb.say(tabs[j*tabsEach].user, "hello")
			first[m.Conversation] = []chat.Message{m}
		}
	}
	for _, tb := range tabs {
		tb.await("the first messages", func() bool { return len(tb.texts("")) == crowd })
	}
	return first
}

// group makes a group of all users, each of whom joins.
func (s *site) group(tabs []*siteTab) string {
	s.Helper()
	var members []string
	for i := 1; i < crowd; i++ {
		members = append(members, tabs[i*tabsEach].user)
	}
	var made chat.Conversation
	tabs[0].must(wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: members, Name: "all"}, &made)
	for i := 1; i < crowd; i++ {
		tabs[i*tabsEach].must(wire.MethodConversationJoin, wire.ConversationRef{Conversation: made.ID}, nil)
	}
	return made.ID
}

// writeAtRandom writes until it is stopped, half into the group, half to others, and returns what was
// acknowledged.
func (tb *siteTab) writeAtRandom(ctx context.Context, group string, written *atomic.Int64) (acknowledged []chat.Message) {
	for n := 0; ctx.Err() == nil; n++ {
		m := wire.MessageSend{Kind: chat.Text, Text: fmt.Sprintf("%s %s %d", tb.user, tb.Tab(), n)}
		if other := fmt.Sprint("user", rand.IntN(crowd)); n%2 == 0 || other == tb.user {
			m.Conversation = group
		} else {
			m.To = other
		}
		sent, err := tb.Send(tb.t.Context(), m)
		if err != nil {
			tb.t.Errorf("%s: send: %v", tb.user, err)
			return acknowledged
		}
		acknowledged = append(acknowledged, sent)
		written.Add(1)
		time.Sleep(rand.N(40 * time.Millisecond)) // a person types, and the machine has two cores
	}
	return acknowledged
}

// hasAll wants that the tab has got, and finds in the histories, what was acknowledged in each of its
// conversations and nothing else: each message once, in the one order.
func (tb *siteTab) hasAll(all map[string][]chat.Message) {
	tb.t.Helper()
	var mine []string
	for before := ""; ; {
		var page wire.ConversationPage
		tb.must(wire.MethodConversationList, wire.ConversationList{Before: before}, &page)
		for _, c := range page.Conversations {
			mine = append(mine, c.ID)
		}
		if before = page.Next; before == "" {
			break
		}
	}
	for _, id := range mine {
		want := texts(all[id])
		for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline) && tb.count(id) < len(want); {
			time.Sleep(20 * time.Millisecond)
		}
		tb.note(func() { compare(tb, "has got", tb.texts(id), want) })
		var stored []string
		for _, m := range historyIn(tb.t, tb.Client, id) {
			if m.Kind == chat.Text {
				stored = append(stored, m.Text)
			}
		}
		compare(tb, "finds in the history", stored, want)
	}
}

func (tb *siteTab) count(conversation string) (n int) {
	tb.note(func() { n = len(tb.texts(conversation)) })
	return n
}

func compare(tb *siteTab, how string, got, want []string) {
	tb.t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			tb.t.Errorf("%s %s %d messages, want %d; they differ at %d:\n%q\n%q", tb.user, how, len(got), len(want), i,
				got[min(i, len(got)):min(i+5, len(got))], want[min(i, len(want)):min(i+5, len(want))])
			return
		}
	}
}
