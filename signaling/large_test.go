package signaling

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"carillon/bus"
	"carillon/bus/natstest"
	"carillon/chat"
	"carillon/store"
	"carillon/wire"
)

// newLargeWorld has some nodes, for which a group of more than two is large. Each node is told of
// every third commit, as if it were its own.
func newLargeWorld(t testing.TB, nodes int, buses ...*bus.Bus) *world {
	t.Helper()
	cfg := Config{Rates: generous}
	rules := anyone
	rules.LargeGroup = 2
	w := newWorldWith(t, cfg, store.Config{}, rules)
	for i := 1; i < nodes; i++ {
		b := w.bus
		if len(buses) > 0 {
			b = buses[i-1]
		}
		w.addNode(cfg, w.own(b))
	}
	w.commitOn(0, nodes)
	return w
}

// commitOn hands commits in turn to n nodes from first on.
func (w *world) commitOn(first, n int) {
	var mu sync.Mutex
	turn := 0
	tell := func(all []chat.Told) {
		mu.Lock()
		node := w.nodes[first+turn%n]
		turn++
		mu.Unlock()
		node.Deliver(all)
	}
	w.deliver.Store(&tell)
}

// lose loses all that is committed before again is called.
func (w *world) lose() (again func()) {
	loud := w.deliver.Load()
	quiet := func([]chat.Told) {}
	w.deliver.Store(&quiet)
	return func() { w.deliver.Store(loud) }
}

// invite invites a user into a group, as there is no way to yet but when it is made.
func (w *world) invite(group, user string) {
	w.t.Helper()
	err := w.store.Write(w.t.Context(), "", func(tx chat.Tx) error {
		if err := tx.Lock([]string{group}, []string{user}); err != nil {
			return err
		}
		_, at, err := tx.NextPlace(group, 1)
		if err != nil {
			return err
		}
		own, err := tx.NextPlaces([]string{user})
		if err != nil {
			return err
		}
		_, err = tx.PutParticipations(group, []chat.Participation{{
			User: user, InFeed: at, InOwn: own[0],
			Membership: chat.Membership{Conversation: group, State: chat.Invited, Role: chat.Ordinary, InvitedBy: "alice"},
		}})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (tb *tab) say(conversation, text string) {
	tb.t.Helper()
	if _, err := tb.Send(tb.t.Context(), wire.MessageSend{Conversation: conversation, Text: text}); err != nil {
		tb.t.Fatal(err)
	}
}

func (tb *tab) awaitTexts(want ...string) {
	tb.t.Helper()
	tb.awaits(fmt.Sprintf("the messages %v", want), func() bool { return slices.Equal(tb.texts(), want) },
		func() string { return fmt.Sprintf(", but %v", tb.texts()) })
	tb.ascending()
}

// crossings are the messages of the bus so far by what their subjects begin with.
type crossings struct {
	observed
	messages map[string]int
}

func (w *world) countMessages() *crossings {
	w.t.Helper()
	c := &crossings{observed: observe(w.t), messages: map[string]int{}}
	b := join(w.t, w)
	for _, subject := range []string{"user.*", "conversation.*", "watch.*"} {
		if _, err := b.Subscribe(subject, func(m bus.Message) {
			kind, _, _ := strings.Cut(m.Subject, ".")
			if !strings.Contains(string(m.Data), `"x":`) { // commands to nodes are about tabs that come and go
				c.note(func() { c.messages[kind]++ })
			}
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := b.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// A message to a group of a thousand members crosses the bus once, and reaches the tabs on all nodes.
func TestALargeGroupIsToldToEachNodeOnce(t *testing.T) {
	w := newLargeWorld(t, 3)
	id := w.group("alice", append(numbered(1000), "bob", "carol")...).ID
	tabs := []*tab{w.open(0, "alice"), w.open(1, "bob"), w.open(2, "carol"), w.open(0, "carol"), w.open(1, "alice")}
	crossed := w.countMessages()
	for i := range 9 {
		tabs[i%3].say(id, fmt.Sprint(i))
	}
	for _, tb := range tabs {
		tb.awaitTexts("0", "1", "2", "3", "4", "5", "6", "7", "8")
	}
	crossed.await("all of them on the bus", func() bool { return crossed.messages["conversation"] >= 9 })
	crossed.mu.Lock()
	defer crossed.mu.Unlock()
	if n, users := crossed.messages["conversation"], crossed.messages["user"]; n != 9 || users > 0 {
		t.Errorf("9 messages crossed the bus as %d of the conversation and %d of users, want 9 and 0", n, users)
	}
	for i, n := range w.nodes {
		if known := n.readers.get(id, 0); known != nil && len(known.all) > 0 {
			t.Errorf("node %d remembers %d members, most of whom are nowhere", i, len(known.all))
		}
	}
}

// A node listens to a large group as long as one of its members has a tab there.
func TestANodeListensWhileAMemberIsThere(t *testing.T) {
	w := newLargeWorld(t, 2)
	id := w.group("alice", "bob", "carol").ID
	alice, bob := w.open(0, "alice"), w.open(1, "bob")
	alice.say(id, "one")
	bob.awaitTexts("one")
	bob.Close()
	alice.eventually("the end of the subscription", func() bool { return w.nodes[1].large.feed(id) == nil })
	alice.say(id, "two")
	late := w.open(1, "carol")
	alice.say(id, "three")
	late.awaitTexts("three")
	w.open(1, "dave").Close() // of whom nobody has told this group
	if n := seen(&late.observed, func() int64 { return late.heads[0].LastSeq }); n != 2 {
		t.Errorf("carol, who came after two messages, began with %d", n)
	}
}

// Who joins sees what is written from then on, wherever they are; who leaves is told nothing that
// came later, even if nobody told that they left.
func TestWhoJoinsAndLeavesALargeGroup(t *testing.T) {
	for name, lost := range map[string]bool{"told": false, "lost on the way": true} {
		t.Run(name, func(t *testing.T) {
			w := newLargeWorld(t, 3)
			id := w.group("alice", "bob", "erin").ID
			w.invite(id, "carol")
			alice := w.open(0, "alice")
			here, there := w.open(0, "carol"), w.open(2, "carol") // nobody else has a tab on the third node
			alice.say(id, "before")
			if err := there.ask(wire.MethodConversationJoin, wire.ConversationRef{Conversation: id}, nil); err != nil {
				t.Fatal(err)
			}
			alice.await("carol, and how many they are with her", func() bool {
				return slices.ContainsFunc(alice.changes, func(c wire.Change) bool { return c.Type == chat.ItemMember && c.Count == 4 })
			})
			alice.say(id, "between")
			for _, tb := range []*tab{here, there} {
				tb.awaitTexts("between")
			}
			again := func() {}
			if lost {
				again = w.lose()
			}
			if err := here.ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: id}, nil); err != nil {
				t.Fatal(err)
			}
			again()
			alice.say(id, "after")
			alice.awaitTexts("before", "between", "after")
			// Both have been told all when they are told of what comes after that.
			w.open(1, "dave").send("carol", "hello")
			for _, tb := range []*tab{here, there} {
				tb.awaitTexts("between", "hello")
			}
		})
	}
}

// A group becomes large while its members are on three nodes, and goes on; also when a node was
// not told, and finds it out by itself.
func TestAGroupBecomesLarge(t *testing.T) {
	for name, lost := range map[string]bool{"told": false, "lost on the way": true} {
		t.Run(name, func(t *testing.T) {
			w := newLargeWorld(t, 3)
			id := w.group("alice", "bob").ID
			w.invite(id, "carol")
			alice, bob, carol := w.open(0, "alice"), w.open(1, "bob"), w.open(2, "carol")
			alice.say(id, "small")
			bob.awaitTexts("small")
			again := func() {}
			if lost {
				again = w.lose()
			}
			if err := carol.ask(wire.MethodConversationJoin, wire.ConversationRef{Conversation: id}, nil); err != nil {
				t.Fatal(err)
			}
			if !lost { // what is written before her node follows the group, a tab pages
				carol.eventually("her node follows the group", func() bool {
					f := w.nodes[2].large.feed(id)
					return f != nil && f.begun()
				})
			}
			bob.say(id, "large")
			again()
			if lost {
				for _, n := range w.nodes {
					n.sweep()
				}
			}
			bob.say(id, "larger")
			for _, tb := range []*tab{alice, bob} {
				tb.awaitTexts("small", "large", "larger")
			}
			carol.awaitTexts("large", "larger")
			// It stays large, with two members as well.
			if err := carol.ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: id}, nil); err != nil {
				t.Fatal(err)
			}
			crossed := w.countMessages()
			alice.say(id, "still large")
			bob.awaitTexts("small", "large", "larger", "still large")
			crossed.await("the message on the bus", func() bool { return crossed.messages["conversation"] > 0 })
		})
	}
}

// A node that was not told that a group is large finds it out with the first member who comes, also
// for those who were here before.
func TestWhoComesToAGroupThatHasBecomeLarge(t *testing.T) {
	w := newLargeWorld(t, 1)
	id := w.group("alice", "bob").ID
	w.invite(id, "carol")
	alice := w.open(0, "alice")
	again := w.lose()
	if _, err := w.chat.Join(t.Context(), chat.User{ID: "carol"}, id); err != nil {
		t.Fatal(err)
	}
	again()
	bob := w.open(0, "bob")
	bob.say(id, "hello")
	for _, tb := range []*tab{alice, bob} {
		tb.awaitTexts("hello")
	}
}

// A node without the bus for a while has everything when it is back, of more than a page too.
func TestALargeGroupOverABusThatWasAway(t *testing.T) {
	servers := natstest.Start(t, 1)
	var buses []*bus.Bus
	for range 3 {
		b, err := bus.Open(bus.Config{URL: servers.URL(), Database: "one"}, (&world{t: t}).logger())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		buses = append(buses, b)
	}
	w := newLargeWorld(t, 4, buses...) // the first node has a bus of its own, and no tab
	w.commitOn(1, 3)
	id := w.group("alice", "bob", "carol").ID
	w.invite(id, "dave")
	alice, bob, carol, dave := w.open(1, "alice"), w.open(2, "bob"), w.open(3, "carol"), w.open(2, "dave")
	texts := []string{"with the bus"}
	alice.say(id, texts[0])
	for _, tb := range []*tab{alice, bob, carol} {
		tb.awaitTexts(texts...)
	}
	servers.Kill(0)
	alice.eventually("the nodes to be without the bus", func() bool {
		return !slices.ContainsFunc(buses, func(b *bus.Bus) bool { return b.Connected() })
	})
	for i := range 150 {
		texts = append(texts, fmt.Sprint("without ", i))
		alice.say(id, texts[len(texts)-1])
	}
	if err := dave.ask(wire.MethodConversationJoin, wire.ConversationRef{Conversation: id}, nil); err != nil {
		t.Fatal(err)
	}
	if err := carol.ask(wire.MethodConversationLeave, wire.ConversationRef{Conversation: id}, nil); err != nil {
		t.Fatal(err)
	}
	servers.Run(0)
	alice.eventually("the nodes to be back", func() bool {
		return !slices.ContainsFunc(buses, func(b *bus.Bus) bool { return !b.Connected() })
	})
	for _, tb := range []*tab{alice, bob} {
		tb.awaitTexts(texts...)
	}
	alice.say(id, "with the bus again")
	dave.awaitTexts("with the bus again")
	bob.awaitTexts(append(texts, "with the bus again")...)
	w.nodes[3].sweep()
	if carols := seen(&carol.observed, carol.texts); slices.Contains(carols, "with the bus again") {
		t.Error("carol, who has left, was told what was written afterwards")
	}
}

// Tabs come and go, members join and leave, and the node keeps nothing of what is over.
func TestNothingIsKeptOfLargeGroupsWithoutTabs(t *testing.T) {
	w := newLargeWorld(t, 2)
	var ids []string
	for range 5 {
		ids = append(ids, w.group("alice", "bob", "carol").ID)
	}
	var all sync.WaitGroup
	for i := range 12 {
		user := []string{"alice", "bob", "carol"}[i%3]
		all.Go(func() {
			for n := range 10 {
				tb := w.open(i%2, user)
				if n%2 == 0 {
					tb.say(ids[i%5], "hello")
				}
				tb.Close()
			}
		})
	}
	all.Wait()
	for i, n := range w.nodes {
		(&tab{observed: observe(t)}).eventually(fmt.Sprintf("node %d to forget all groups", i), func() bool {
			n.large.mu.Lock()
			defer n.large.mu.Unlock()
			return len(n.large.here) == 0
		})
	}
}
