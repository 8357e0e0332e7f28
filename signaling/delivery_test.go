package signaling

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/bus"
	"carillon/chat"
	"carillon/client"
	"carillon/store"
	"carillon/wire"
)

// ascending checks that offsets only grow and that no message came twice.
func (tb *tab) ascending() {
	tb.t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	seen := map[string]bool{}
	seqs := map[string]int64{}
	last := int64(0)
	for _, e := range tb.events {
		if e.Offset <= last {
			tb.t.Errorf("offset %d after %d", e.Offset, last)
		}
		last = e.Offset
		if e.Type != chat.EventMessage {
			continue
		}
		var m chat.Message
		if err := json.Unmarshal(e.Data, &m); err != nil {
			tb.t.Fatal(err)
		}
		if seen[m.ID] {
			tb.t.Errorf("message %s came twice", m.ID)
		}
		seen[m.ID] = true
		if before, ok := seqs[m.Conversation]; ok && m.Seq != before+1 {
			tb.t.Errorf("seq %d after %d", m.Seq, before)
		}
		seqs[m.Conversation] = m.Seq
	}
}

// TestExactlyOnceOverRandomCuts lets four tabs on two nodes write and cuts connections
// all the time. What was acknowledged is in every tab and in the history once, in order.
func TestExactlyOnceOverRandomCuts(t *testing.T) {
	w := newWorld(t, Config{Rates: generous})
	w.addNode(Config{Rates: generous}, join(t, w))
	tabs := []*tab{w.open(0, "alice"), w.open(1, "alice"), w.open(1, "bob"), w.open(0, "bob")}
	conversation := tabs[0].send("bob", "first").Conversation

	const each = 60
	var writers, cutter sync.WaitGroup
	stop := make(chan struct{})
	cutter.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(rand.IntN(15)) * time.Millisecond):
				tabs[rand.IntN(len(tabs))].Cut()
			}
		}
	})
	for i, tb := range tabs {
		writers.Go(func() {
			for n := range each {
				text := fmt.Sprintf("%d/%d", i, n)
				if _, err := tb.Send(t.Context(), wire.MessageSend{Conversation: conversation, ClientID: "client-id-" + text, Text: text}); err != nil {
					t.Errorf("send %s: %v", text, err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	cutter.Wait()

	history := tabs[0].history(conversation)
	if len(history) != len(tabs)*each+1 {
		t.Fatalf("history has %d messages, want %d", len(history), len(tabs)*each+1)
	}
	for i, tb := range tabs {
		tb.await("all messages", func() bool { return len(tb.texts()) >= len(history) })
		if got := tb.texts(); !slices.Equal(got, history) {
			t.Errorf("tab %d: its order differs from the history", i)
		}
		tb.ascending()
	}
}

// history pages backwards through a conversation.
func (tb *tab) history(conversation string) (texts []string) {
	tb.t.Helper()
	before := int64(0)
	for {
		var page wire.Messages
		if err := tb.ask(wire.MethodMessagePage, wire.MessagePage{Conversation: conversation, Before: before}, &page); err != nil {
			tb.t.Fatal(err)
		}
		var older []string
		for _, m := range page.Messages {
			older = append(older, m.Text)
		}
		texts = append(older, texts...)
		if !page.More {
			return texts
		}
		before = page.Messages[0].Seq
	}
}

var generous = Rates{Frames: 10_000, UserRequests: 10_000, AddressRequests: 10_000, UserHellos: 10_000}

func TestPipelinedRequestsKeepTheirOrder(t *testing.T) {
	w := newWorld(t, Config{})
	bob := w.open(0, "bob")
	p := w.plain(0)
	p.hello(w.token("alice"))
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"message.send","params":{"to":"bob","client_id":"client-id-%d","kind":"text","text":"%d"}}`, i+10, i, i))
	}
	p.write(strings.Join(lines, "\n")) // one frame, a batch
	bob.await("all of them", func() bool { return len(bob.texts()) == 50 })
	for i, text := range bob.texts() {
		if text != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, text)
		}
	}
	answers := 0
	p.frames(func(f wire.Frame) bool {
		if f.ID != nil && f.Error != nil {
			t.Errorf("request %d: %s", *f.ID, f.Error.Message)
		}
		if f.ID != nil {
			answers++
		}
		return answers == 50
	})
}

func TestResumeBeyondTheLogIsTold(t *testing.T) {
	w := newWorldOf(t, Config{}, store.Config{LogEvents: 10})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	alice.send("bob", "one")
	bob.await("one", func() bool { return len(bob.texts()) == 1 })
	bob.Close()
	position := bob.Position()
	var last chat.Message
	for i := range 400 {
		last = alice.send("bob", fmt.Sprint(i))
	}
	// The log is trimmed now and then; until it is, everything is there.
	alice.eventually("the log to be trimmed", func() bool {
		_, complete, err := w.chat.EventsAfter(t.Context(), "bob", position.Offset, 1)
		if err != nil {
			t.Fatal(err)
		}
		if complete {
			last = alice.send("bob", "more")
		}
		return !complete
	})
	back := w.open(0, "bob", func(o *client.Options) { o.Resume = &position })
	if back.Welcome().Recovered {
		t.Fatal("recovered although events are gone")
	}
	back.mu.Lock()
	got := len(back.events)
	back.mu.Unlock()
	if got != 0 {
		t.Errorf("not recovered, but %d events came: a part", got)
	}
	var list wire.ConversationPage
	if err := back.ask(wire.MethodConversationList, wire.ConversationList{}, &list); err != nil {
		t.Fatal(err)
	}
	if got := list.Conversations[0].LastSeq; got != last.Seq {
		t.Errorf("last seq %d, want %d: pages bring the rest", got, last.Seq)
	}
	alice.send("bob", "live")
	back.await("what comes now", func() bool { return len(back.texts()) == 1 })
}

func TestOtherEpochIsNotRecovered(t *testing.T) {
	w := newWorld(t, Config{})
	w.open(0, "alice").send("bob", "one")
	bob := w.open(0, "bob", func(o *client.Options) { o.Resume = &wire.Resume{Epoch: "before the backup", Offset: 0} })
	if bob.Welcome().Recovered {
		t.Error("recovered from an epoch that is not ours")
	}
	future := w.open(0, "bob", func(o *client.Options) {
		o.Resume = &wire.Resume{Epoch: bob.Welcome().Epoch, Offset: 999}
	})
	if future.Welcome().Recovered {
		t.Error("recovered from an offset that never was")
	}
}

func TestPendingIsAcceptedAtHello(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice")
	if _, err := alice.Send(t.Context(), wire.MessageSend{To: "bob", ClientID: "client-id-1", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	p := w.plain(0)
	h, _ := json.Marshal(wire.Hello{Token: w.token("alice"), Protocol: 1, Tab: "tab-00000001", Device: "device-00000001",
		Pending: []string{"client-id-1", "client-id-2"}})
	p.write(`{"jsonrpc":"2.0","id":1,"method":"hello","params":` + string(h) + `}`)
	p.frames(func(f wire.Frame) bool {
		var welcome wire.Welcome
		if err := json.Unmarshal(f.Result, &welcome); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(welcome.Accepted, []string{"client-id-1"}) {
			t.Errorf("accepted %v, want client-id-1 only", welcome.Accepted)
		}
		return true
	})
}

// TestSlowTabIsCutOff stops one of bob's tabs from reading. It is closed, the others are
// not held up, and back again it gets all.
func TestSlowTabIsCutOff(t *testing.T) {
	w := newWorld(t, Config{QueueBytes: 64 << 10, Rates: generous})
	alice, quick := w.open(0, "alice"), w.open(0, "bob")
	slow := w.plain(0, narrow)
	slow.hello(w.token("bob"))
	text := strings.Repeat("x", 15<<10)
	sent := 0
	for ; !w.anyClosed("bob", 2) && sent < 1500; sent++ { // until its buffers and its queue are full
		alice.send("bob", text)
	}
	quick.await("all of it", func() bool { return len(quick.texts()) == sent })
	quick.ascending()
	if code := slow.frames(func(wire.Frame) bool { return false }); code != wire.CloseSlow {
		t.Errorf("reading again, the slow tab finds close code %d, want %d", code, wire.CloseSlow)
	}
	position := wire.Resume{Epoch: quick.Welcome().Epoch}
	back := w.open(0, "bob", func(o *client.Options) { o.Resume = &position })
	if !back.Welcome().Recovered {
		t.Fatalf("%d messages are more than the log holds", sent)
	}
	back.await("everything it missed", func() bool { return len(back.texts()) == sent })
	back.ascending()
}

// narrow makes a client that the kernel buffers little for.
func narrow(d *websocket.Dialer) {
	d.NetDial = func(network, address string) (net.Conn, error) {
		c, err := net.Dial(network, address)
		if err != nil {
			return nil, err
		}
		return c, c.(*net.TCPConn).SetReadBuffer(128 << 10)
	}
}

// anyClosed reports whether one of a user's n connections has been closed.
func (w *world) anyClosed(user string, n int) bool {
	all := w.nodes[0].localUser(user).all()
	closed := len(all) < n
	for _, c := range all {
		closed = closed || c.out.isClosed()
	}
	return closed
}

func TestAckDelivers(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice")
	w.open(0, "bob")
	alice.send("bob", "hello")
	alice.await("the receipt, within a second of the event", func() bool {
		for _, e := range alice.events {
			var r chat.Receipt
			if e.Type == chat.EventReceipt && json.Unmarshal(e.Data, &r) == nil && r.User == "bob" && r.Delivered == 1 {
				return true
			}
		}
		return false
	})
}

// TestLostEnvelopesAreReadFromTheLog loses every envelope on the way to one node.
func TestLostEnvelopesAreReadFromTheLog(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	alice.send("bob", "heard")
	bob.await("the first", func() bool { return len(bob.texts()) == 1 })
	quiet := func([]chat.UserEvent) {}
	w.deliver.Store(&quiet)
	alice.send("bob", "lost")
	alice.send("bob", "lost too")
	loud := w.nodes[0].Deliver
	w.deliver.Store(&loud)
	alice.send("bob", "heard again")
	for _, tb := range []*tab{alice, bob} {
		tb.await("all four", func() bool { return len(tb.texts()) == 4 })
		tb.ascending()
	}
	w.deliver.Store(&quiet)
	alice.send("bob", "lost for good")
	w.nodes[0].envelopesLost("") // as the bus says after it was away
	bob.await("the fifth", func() bool { return len(bob.texts()) == 5 })
}

func TestEventTooLargeForTheBusIsReadFromTheLog(t *testing.T) {
	w := newWorld(t, Config{})
	bob := w.open(0, "bob")
	w.open(0, "alice").send("bob", "one")
	bob.await("the first", func() bool { return len(bob.texts()) == 1 })
	w.nodes[0].localUser("bob").receive(bus.Message{Data: []byte(`{"o":3}` + "\n")}) // an envelope without its event
	w.open(0, "alice").send("bob", "two")
	bob.await("the second", func() bool { return len(bob.texts()) == 2 })
	bob.ascending()
}

// An answer may be larger than all that may wait for a tab: strangers who write long messages,
// or many of one's own, must not shut anybody out of their conversations.
func TestAnAnswerMayBeLargerThanTheQueue(t *testing.T) {
	w := newWorld(t, Config{QueueBytes: 20_000})
	bob := w.open(0, "bob")
	for i := range 12 {
		stranger := w.open(0, fmt.Sprintf("stranger-%d", i))
		stranger.send("bob", strings.Repeat("<", 4000))
		bob.await("the message", func() bool { return len(bob.texts()) == i+1 })
	}
	var all wire.ConversationPage
	if err := bob.ask(wire.MethodConversationList, wire.ConversationList{}, &all); err != nil || len(all.Conversations) != 12 {
		t.Fatalf("%d conversations, %v", len(all.Conversations), err)
	}
	var last chat.Message
	for range 12 {
		last = bob.send("stranger-0", strings.Repeat("x", 4000))
	}
	if got := bob.history(last.Conversation); len(got) != 13 {
		t.Errorf("the page has %d messages, want 13", len(got))
	}
}
