package signaling

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/switchboard"
	"carillon/wire"
)

// channelEnd is one end of a data channel in memory.
type channelEnd struct {
	in, out chan []byte
	closed  chan struct{}
	once    *sync.Once
}

func newChannel() (server, browser *channelEnd) {
	a, b, closed, once := make(chan []byte, 1000), make(chan []byte, 1000), make(chan struct{}), new(sync.Once)
	return &channelEnd{a, b, closed, once}, &channelEnd{b, a, closed, once}
}

func (e *channelEnd) ReadMessage() ([]byte, error) {
	select {
	case m := <-e.in:
		return m, nil
	case <-e.closed:
		return nil, io.EOF
	}
}

func (e *channelEnd) WriteMessage(m []byte) error {
	select {
	case e.out <- append([]byte(nil), m...):
		return nil
	case <-e.closed:
		return io.ErrClosedPipe
	}
}

func (e *channelEnd) Close() error { e.once.Do(func() { close(e.closed) }); return nil }

// next is the next frame on the browser's end that is asked for.
func (e *channelEnd) next(t *testing.T, want func(wire.Frame) bool) wire.Frame {
	t.Helper()
	for {
		m, err := e.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(m)) {
			var f wire.Frame
			if err := json.Unmarshal([]byte(text), &f); err != nil {
				t.Fatalf("channel carries %q", text)
			}
			if want(f) {
				return f
			}
		}
	}
}

func (w *world) channel(node int, user, tab string) *channelEnd {
	return w.channelFrom("", node, user, tab)
}

// channelFrom is channel for a leg that was offered from an address; from this machine if it is
// empty.
func (w *world) channelFrom(address string, node int, user, tab string) *channelEnd {
	from := switchboard.Asker{Tab: call.Tab{User: user, Session: "s", Where: call.Where{TabID: tab, Device: "device-00000001"}}}
	from.Address, _ = netip.ParseAddr(address)
	return w.channelOf(from, node)
}

// channelOf is channel for a leg that this tab offered.
func (w *world) channelOf(from switchboard.Asker, node int) *channelEnd {
	server, browser := newChannel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.nodes[node].serveChannel(server, chat.User{ID: from.User, Name: from.User}, from, true)
	}()
	w.t.Cleanup(func() { _ = browser.Close(); <-ended })
	return browser
}

// joined waits until the channel is among its tab's connections, and hears what its user's are
// told.
func (ch *channelEnd) joined(t *testing.T) *channelEnd {
	t.Helper()
	if err := ch.WriteMessage([]byte(`{"jsonrpc":"2.0","id":6,"method":"conversation.list"}`)); err != nil {
		t.Fatal(err)
	}
	ch.next(t, func(f wire.Frame) bool { return f.ID != nil })
	return ch
}

// The way past the WebSocket is not a way past the budget of its address.
func TestADataChannelDrawsOnTheBudgetOfItsAddress(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{Rates: Rates{AddressRequests: 1}}, join(t, w)) // five at once
	refused := func(address, user string) bool {
		t.Helper()
		channel := w.channelFrom(address, 1, user, user+"-tab-0001")
		if err := channel.WriteMessage([]byte(`{"jsonrpc":"2.0","id":7,"method":"userobject.get"}`)); err != nil {
			t.Fatal(err)
		}
		f := channel.next(t, func(f wire.Frame) bool { return f.ID != nil })
		if f.Error != nil && f.Error.Data.Code != refusal.RateLimited {
			t.Fatalf("got %s", f.Error.Data.Code)
		}
		return f.Error != nil
	}
	for i := range 5 {
		if refused("203.0.113.9", fmt.Sprint("user-", i)) {
			t.Fatalf("request %d is refused", i+1)
		}
	}
	if !refused("203.0.113.9", "user-5") {
		t.Error("an address over its budget goes on over data channels")
	}
	if refused("203.0.113.10", "user-6") {
		t.Error("another address is refused too")
	}
}

// Who gets no new token may stay in the call, and asks nothing more.
func TestADataChannelEndsWithTheTokenOfItsTab(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w)) // the call is owned by another node than the tab's
	bob := w.open(0, "bob")
	soon := func(tab string) *channelEnd {
		asker := switchboard.Asker{Tab: call.Tab{User: "bob", Where: call.Where{TabID: tab}}, Until: time.Now().Add(3 * time.Second)}
		return w.channelOf(asker, 1).joined(t)
	}
	renewed := soon(bob.Tab())
	var token wire.TokenRenewed
	if err := bob.ask(wire.MethodTokenRenew, wire.TokenRenew{Token: w.token("bob")}, &token); err != nil {
		t.Fatal(err)
	}
	ends := soon("tab-that-is-away")
	if _, err := ends.ReadMessage(); err == nil {
		t.Error("the channel does not end with the token")
	}
	// The other would have ended before this one.
	if err := renewed.WriteMessage([]byte(`{"jsonrpc":"2.0","id":7,"method":"userobject.get"}`)); err != nil {
		t.Fatal(err)
	}
	renewed.next(t, func(f wire.Frame) bool { return f.ID != nil })
}

// A renewal with another scope ends what the wider one has opened, and does not prolong it.
func TestARenewalThatNarrowsEndsTheDataChannel(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w)) // the call is owned by another node than the tab's
	bob := w.open(0, "bob")
	asker := switchboard.Asker{Tab: call.Tab{User: "bob", Where: call.Where{TabID: bob.Tab()}}, Until: time.Now().Add(time.Hour)}
	channel := w.channelOf(asker, 1).joined(t)
	narrow, err := w.verifier.MintNarrowed("bob", "", auth.Scope{Conversations: []string{"another"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var token wire.TokenRenewed
	if err := bob.ask(wire.MethodTokenRenew, wire.TokenRenew{Token: narrow}, &token); err != nil {
		t.Fatal(err)
	}
	if _, err := channel.ReadMessage(); err == nil {
		t.Error("the channel goes on within the wider scope")
	}
}

func TestChannelCarriesChangesOnlyInPlaceOfTheSocket(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w)) // the call is owned by another node than the tab's
	alice := w.open(0, "alice")
	give := make(chan bool, 10)
	give <- true
	bob := w.open(0, "bob", func(o *client.Options) { o.Dialer = &websocket.Dialer{NetDial: gated(give)} })
	channel := w.channel(1, "bob", bob.Tab())

	// A request is answered on the channel it came by.
	if err := channel.WriteMessage([]byte(`{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"to":"alice","client_id":"client-id-1","kind":"text","text":"in the call"}}`)); err != nil {
		t.Fatal(err)
	}
	f := channel.next(t, func(f wire.Frame) bool {
		if f.Method == wire.NoteChange {
			t.Errorf("a change on the channel although the socket is synced: %s", f.Params)
		}
		return f.ID != nil
	})
	if f.Error != nil {
		t.Fatal(f.Error.Message)
	}
	alice.await("the message", func() bool { return len(alice.texts()) == 1 })
	bob.await("its echo on the socket", func() bool { return len(bob.texts()) == 1 })

	// The socket goes and cannot come back: changes come on the channel. What was on its way when
	// it broke can be asked for.
	bob.Cut()
	id := alice.send("bob", "one").Conversation
	last := decoded[wire.Change](t, f.Result).Pos
	for got := ""; got != "one"; {
		f := channel.next(t, func(f wire.Frame) bool { return f.Method == wire.NoteChange })
		c := decoded[wire.Change](t, f.Params)
		switch {
		case c.Feed != id || c.Pos <= last:
		case c.Type == "": // told because the channel takes over
			got = "one"
		case c.Type == chat.ItemMessage:
			got = decoded[chat.Message](t, c.Data).Text
		}
	}
	alice.send("bob", "two")
	channel.next(t, func(f wire.Frame) bool {
		if f.Method != wire.NoteChange {
			return false
		}
		c := decoded[wire.Change](t, f.Params)
		return c.Type == chat.ItemMessage && decoded[chat.Message](t, c.Data).Text == "two"
	})

	// It is back: the socket carries on where it was, the channel is silent.
	give <- true
	bob.await("all three on the socket", func() bool { return len(bob.texts()) == 3 })
	bob.ascending()
	here := w.nodes[1].localUser("bob")
	bob.eventually("the channel to stand by", func() bool {
		c := here.all()[0]
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.phase == standby
	})
	alice.send("bob", "three")
	bob.await("the fourth", func() bool { return len(bob.texts()) == 4 })
	if err := channel.WriteMessage([]byte(`{"jsonrpc":"2.0","id":8,"method":"session.list"}`)); err != nil {
		t.Fatal(err)
	}
	channel.next(t, func(f wire.Frame) bool {
		if f.Method == wire.NoteChange && strings.Contains(string(f.Params), "three") {
			t.Error("a change on the channel after the socket was back")
		}
		return f.ID != nil && *f.ID == 8
	})
}

func TestSameClientIDOverChannelAndSocketIsOneMessage(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice")
	channel := w.channel(0, "alice", alice.Tab())
	if err := channel.WriteMessage([]byte(`{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"to":"bob","client_id":"client-id-1","kind":"text","text":"once"}}`)); err != nil {
		t.Fatal(err)
	}
	m, err := alice.Send(t.Context(), wire.MessageSend{To: "bob", ClientID: "client-id-1", Text: "once"})
	if err != nil {
		t.Fatal(err)
	}
	channel.next(t, func(f wire.Frame) bool {
		if f.ID == nil {
			return false
		}
		same := decoded[chat.Message](t, decoded[wire.Change](t, f.Result).Data)
		if same.ID != m.ID {
			t.Errorf("channel got message %s, socket %s", same.ID, m.ID)
		}
		return true
	})
	if got := alice.history(m.Conversation); len(got) != 1 {
		t.Errorf("history has %d messages, want 1", len(got))
	}
}

func TestChannelTakesNoHelloAndNoGarbage(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice")
	channel := w.channel(0, "alice", alice.Tab())
	for send, want := range map[string]string{
		`{"jsonrpc":"2.0","id":7,"method":"hello","params":{}}`: "hello_again",
		"nonsense": "bad_request",
		`{"jsonrpc":"2.0","id":7,"method":"call.start","params":{"to":7}}`: "",
	} {
		if err := channel.WriteMessage([]byte(send)); err != nil {
			t.Fatal(err)
		}
		f := channel.next(t, func(f wire.Frame) bool { return f.Error != nil })
		if want != "" && string(f.Error.Data.Code) != want {
			t.Errorf("%s: got %s, want %s", send, f.Error.Data.Code, want)
		}
	}
}
