package signaling

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/chat"
	"carillon/client"
	"carillon/store"
	"carillon/wire"
)

// TestEveryTabEndsEqualToTheDatabase lets users in several tabs on two nodes write, read, come and
// go. Connections are cut, tabs read slowly, changes are lost on the way to a node and between the
// nodes. At the end every tab has of each feed what the database has, each message once and in
// order.
func TestEveryTabEndsEqualToTheDatabase(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	m := newModel(t)
	// The second group becomes large when dave joins, in mid-run, and the third is.
	groups := []string{m.group("alice", "bob", "carol").ID, m.group("bob", "alice", "carol").ID, m.group("carol", "alice", "bob", "erin").ID}
	m.invite(groups[1], "dave")
	users := []string{"alice", "bob", "carol"}
	for i := range 6 {
		m.openTab(i%2, users[i%3], i == 5)
	}
	var work sync.WaitGroup
	stop := make(chan struct{})
	work.Go(func() {
		m.disturb(rand.New(rand.NewPCG(uint64(seed), 2)), rand.New(rand.NewPCG(uint64(seed), 3)), stop)
	})
	var writers sync.WaitGroup
	for i, tb := range m.tabs {
		mine := rand.New(rand.NewPCG(uint64(seed), uint64(10+i)))
		writers.Go(func() { m.act(tb, mine, groups, users) })
	}
	work.Go(func() {
		m.tabs[0].await("some messages", func() bool { return len(m.tabs[0].messages()) > 30 })
		if _, err := m.chat.Join(t.Context(), chat.User{ID: "dave"}, groups[1]); err != nil {
			t.Errorf("join: %v", err)
		}
	})
	writers.Wait()
	close(stop)
	work.Wait()
	m.losing(func() bool { return false })
	// Who comes late, and who comes back with what it had, ends with the same.
	m.openTab(random.IntN(2), "alice", false)
	for _, n := range m.nodes {
		n.sweep()
	}
	for _, id := range groups {
		m.compare(id)
	}
	m.compareOwn()
}

// model is two nodes, and tabs that keep what they are told.
type model struct {
	*world
	tabs []*modelTab

	mu   sync.Mutex
	lose func() bool // whether the next change is lost on its way to its node
}

// modelTab keeps the newest of every item, as a page would.
type modelTab struct {
	*tab
	late bool // it was opened at the end, and has only heads of what was before
}

func newModel(t *testing.T) *model {
	cfg := Config{Rates: generous, QueueBytes: 16 << 10}
	rules := anyone
	rules.LargeGroup = 3
	m := &model{world: newWorldWith(t, cfg, store.Config{}, rules), lose: func() bool { return false }}
	m.addNode(cfg, join(t, m.world))
	// Both nodes commit: each change is told to one of them, and the other hears it by the bus.
	one := 0
	told := func(all []chat.Told) {
		for _, each := range all {
			m.mu.Lock()
			lost := m.lose()
			m.mu.Unlock()
			if one++; !lost {
				m.nodes[one%2].Deliver([]chat.Told{each})
			}
		}
	}
	m.deliver.Store(&told)
	return m
}

func (m *model) losing(lose func() bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lose = lose
}

func (m *model) openTab(node int, user string, slow bool) {
	tb := m.open(node, user, func(o *client.Options) {
		if slow {
			o.Dialer = &websocket.Dialer{NetDial: trickling}
		}
	})
	m.tabs = append(m.tabs, &modelTab{tab: tb, late: len(m.tabs) >= 6})
}

// act does what people do.
func (m *model) act(tb *modelTab, random *rand.Rand, groups, users []string) {
	for n := range 40 {
		p := wire.MessageSend{Text: fmt.Sprintf("%s %d", tb.Tab(), n)}
		if random.IntN(3) == 0 {
			p.To = users[random.IntN(len(users))]
			if p.To == tb.Welcome().User.ID {
				p.To = "dave"
			}
		} else {
			p.Conversation = groups[random.IntN(len(groups))]
		}
		sent, err := tb.Send(m.t.Context(), p)
		if err != nil {
			m.t.Errorf("send: %v", err)
			return
		}
		switch random.IntN(4) {
		case 0:
			tb.Mark(sent.Conversation, chat.Marks{Read: sent.Seq})
		case 1:
			o := wire.UserObjectSet{Key: fmt.Sprint("key ", random.IntN(3)), Value: raw(n)}
			_ = tb.ask(wire.MethodUserObjectSet, o, nil) // its connection may be cut just now
		}
	}
}

// disturb cuts connections and loses changes; lost says which.
func (m *model) disturb(random, lost *rand.Rand, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(random.IntN(20)) * time.Millisecond):
		}
		switch random.IntN(5) {
		case 0:
			m.losing(func() bool { return lost.IntN(4) == 0 })
		case 1:
			m.losing(func() bool { return false })
		case 2:
			m.nodes[random.IntN(2)].envelopesLost("")
		case 3:
			m.nodes[random.IntN(2)].feeds.forget()
		default:
			m.tabs[random.IntN(6)].Cut()
		}
	}
}

// forget is what happens to cursors when there are too many.
func (fs *feeds) forget() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.known = newLRU[feedID, *feed](maxFeeds)
}

// compare compares what the tabs have of a conversation with the database.
func (m *model) compare(id string) {
	m.t.Helper()
	var all []chat.Message
	for after := int64(0); ; {
		page, err := m.chat.Page(m.t.Context(), "alice", id, 0, after, 100)
		if after == 0 {
			var first chat.Page
			first, err = m.chat.Page(m.t.Context(), "alice", id, 2, 0, 1)
			page = first
			page.More = true
		}
		if err != nil {
			m.t.Fatal(err)
		}
		for _, item := range page.Items {
			all = append(all, decoded[chat.Message](m.t, item.Data))
		}
		if !page.More || len(page.Items) == 0 {
			break
		}
		after = all[len(all)-1].Seq
	}
	for i, tb := range m.tabs {
		if tb.late {
			tb.await("the head", func() bool {
				return slices.ContainsFunc(tb.heads, func(h chat.Conversation) bool { return h.ID == id && h.LastSeq == int64(len(all)) })
			})
			continue
		}
		of := func() (got []chat.Message) {
			for _, one := range tb.messages() {
				if one.Conversation == id {
					got = append(got, one)
				}
			}
			return got
		}
		tb.await(fmt.Sprintf("all %d messages of a group in tab %d", len(all), i), func() bool { return len(of()) >= len(all) })
		tb.mu.Lock()
		got := of()
		tb.mu.Unlock()
		if !reflect.DeepEqual(got, all) {
			m.t.Errorf("tab %d has %d messages, which are not the %d of the database", i, len(got), len(all))
		}
		tb.ascending()
	}
}

// compareOwn compares the users' own feeds.
func (m *model) compareOwn() {
	m.t.Helper()
	for i, tb := range m.tabs {
		user := tb.Welcome().User.ID
		var want newest // it may still move: marks wait for a second before they are sent
		var got newest
		tb.awaits(fmt.Sprintf("the own feed of %s in tab %d", user, i), func() bool {
			got, want = newest{}, m.own(user)
			for _, h := range tb.heads {
				got.keep(chat.ItemMembership, h.MineAt.Pos, raw(h.Mine))
			}
			for _, c := range tb.changes {
				if c.Feed == chat.OwnFeed {
					got.keep(c.Type, c.Pos, c.Data)
				}
			}
			return reflect.DeepEqual(got, want)
		}, func() string { return got.differsFrom(want) })
	}
}

// own is a user's feed as the database has it.
func (m *model) own(user string) newest {
	own := newest{}
	for after := int64(0); ; {
		page, err := m.chat.Changes(m.t.Context(), user, chat.OwnFeed, after, 0)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, item := range page.Items {
			own.keep(item.Type, item.Place.Pos, item.Data)
		}
		if after = page.UpTo; !page.More {
			return own
		}
	}
}

// newest has the newest form of each item of a user's feed.
type newest map[string]ownItem

type ownItem struct {
	pos  int64
	data string
}

func (n newest) differsFrom(want newest) (all string) {
	for key, item := range want {
		if n[key] != item {
			all += fmt.Sprintf("\n%s: got %+v, want %+v", key, n[key], item)
		}
	}
	return fmt.Sprintf("%s\n%d items, want %d", all, len(n), len(want))
}

func (n newest) keep(kind chat.ItemType, pos int64, data json.RawMessage) {
	key := fmt.Sprint(kind, " ")
	switch kind {
	case chat.ItemMembership:
		var m chat.Membership
		_ = json.Unmarshal(data, &m)
		key += m.Conversation
		m.OwnAhead = 0 // a tab counts its own messages itself: the feed does not move for them
		data = raw(m)
	case chat.ItemContact:
		var c chat.Contact
		_ = json.Unmarshal(data, &c)
		key += c.ID
	case chat.ItemObject:
		var o chat.UserObject
		_ = json.Unmarshal(data, &o)
		key += o.Key
	}
	if n[key].pos <= pos {
		n[key] = ownItem{pos, string(data)}
	}
}

// trickling dials a connection that is read slowly.
func trickling(network, address string) (net.Conn, error) {
	c, err := narrowTo(8<<10, nil)(network, address)
	if err != nil {
		return nil, err
	}
	return slowly{c.(*stalled).Conn}, nil
}

type slowly struct{ net.Conn }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.Conn.Read(p[:min(len(p), 512)])
}
