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
	"carillon/refusal"
	"carillon/wire"
)

// ascending checks that the pos of each feed only grows, and that no message came twice or was left
// out.
func (tb *tab) ascending() {
	tb.t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	last := map[string]int64{}
	for _, c := range tb.changes {
		if c.Pos <= last[c.Feed] {
			tb.t.Errorf("%s: pos %d after %d", c.Feed, c.Pos, last[c.Feed])
		}
		last[c.Feed] = c.Pos
	}
	seqs := map[string]int64{}
	for _, m := range tb.messages() {
		if before, ok := seqs[m.Conversation]; ok && m.Seq != before+1 && m.Revision == 0 {
			tb.t.Errorf("seq %d after %d", m.Seq, before)
		}
		seqs[m.Conversation] = max(seqs[m.Conversation], m.Seq)
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
		if got := seen(&tb.observed, tb.texts); !slices.Equal(got, history) {
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
		for _, item := range page.Items {
			older = append(older, decoded[chat.Message](tb.t, item.Data).Text)
		}
		texts = append(older, texts...)
		if !page.More {
			return texts
		}
		before = decoded[chat.Message](tb.t, page.Items[0].Data).Seq
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
	for i, text := range seen(&bob.observed, bob.texts) {
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

func TestTooMuchThatWasMissedIsTold(t *testing.T) {
	w := newWorld(t, Config{Rates: generous})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	m := alice.send("bob", "one")
	bob.await("one", func() bool { return len(bob.texts()) == 1 })
	bob.Close()
	position := bob.Position()
	for i := range 1001 {
		alice.send("bob", fmt.Sprint(i))
	}
	back := w.open(0, "bob", func(o *client.Options) { o.Resume = &position })
	back.await("that it begins afresh", func() bool { return slices.Contains(back.resets, m.Conversation) })
	if n := len(seen(&back.observed, back.texts)); n != 0 {
		t.Errorf("it begins afresh, but %d messages came: a part", n)
	}
	if got := seen(&back.observed, func() int64 { return back.heads[0].LastSeq }); got != 1002 {
		t.Errorf("last seq %d, want 1002: pages bring the rest", got)
	}
	alice.send("bob", "live")
	back.await("what comes now", func() bool { return slices.Contains(back.texts(), "live") })
	back.ascending()
}

// Whatever a resume says, who resumes ends with what there is.
func TestAResumeThatLies(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	carol := w.open(0, "carol")
	id := alice.send("bob", "one").Conversation
	theirs := alice.send("carol", "private").Conversation
	bob.await("one", func() bool { return len(bob.texts()) == 1 })
	good := bob.Position()
	later := good.At + 1000*3600_000
	feed := func(pos int64, newest ...chat.Place) map[string]chat.FeedPosition {
		return map[string]chat.FeedPosition{chat.OwnFeed: good.Feeds[chat.OwnFeed], id: {Pos: pos, Newest: newest}}
	}
	true1 := good.Feeds[id].Newest
	for name, c := range map[string]struct {
		resume   wire.Resume
		resumed  bool
		diverged []string
	}{
		"as it is":                  {good, true, nil},
		"an opening that never was": {wire.Resume{At: good.At, Opening: "of another database", Feeds: good.Feeds}, false, nil},
		"a time that has not come":  {wire.Resume{At: later, Opening: good.Opening, Feeds: good.Feeds}, false, nil},
		"a pos from the future":     {wire.Resume{At: good.At, Opening: good.Opening, Feeds: feed(999, true1...)}, true, []string{id}},
		"another tag":               {wire.Resume{At: good.At, Opening: good.Opening, Feeds: feed(good.Feeds[id].Pos, chat.Place{Pos: good.Feeds[id].Pos, Tag: 7})}, true, []string{id}},
		"others' feed": {wire.Resume{At: good.At, Opening: good.Opening, Feeds: map[string]chat.FeedPosition{
			theirs: {Pos: 1, Newest: true1}}}, true, []string{theirs}},
	} {
		t.Run(name, func(t *testing.T) {
			back := w.open(0, "bob", func(o *client.Options) { o.Resume = &c.resume })
			welcome := back.Welcome()
			if welcome.Resumed != c.resumed || !slices.Equal(welcome.Diverged, list(c.diverged)) {
				t.Errorf("resumed %v, diverged %v; want %v, %v", welcome.Resumed, welcome.Diverged, c.resumed, c.diverged)
			}
			alice.send("bob", name)
			back.await("what comes now", func() bool { return slices.Contains(back.texts(), name) })
		})
	}
	carol.await("what alice said", func() bool { return len(carol.heads)+len(carol.texts()) > 0 })
}

// Huge resume lists, and a thousand hellos of one user, slow nobody else.
func TestFloodsOfHello(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	huge := wire.Hello{Token: w.token("mallory"), Protocol: wire.Protocol, Tab: "tab-of-mallory", Device: "device-of-mallory",
		Resume: &wire.Resume{At: alice.Position().At, Opening: alice.Position().Opening, Feeds: map[string]chat.FeedPosition{}}}
	for i := range 500 {
		huge.Resume.Feeds[fmt.Sprint("feed-", i)] = chat.FeedPosition{Pos: int64(i)}
	}
	p := w.plain(1)
	p.write(`{"jsonrpc":"2.0","id":1,"method":"hello","params":` + string(raw(huge)) + `}`)
	var refused *wire.Error
	if code := p.frames(func(f wire.Frame) bool { refused = f.Error; return false }); code != wire.CloseBadToken || refused.Data.Code != refusal.TooLarge {
		t.Errorf("500 feeds: closed with %d, %+v; want %d and %s", code, refused, wire.CloseBadToken, refusal.TooLarge)
	}
	limited := 0
	for range 1000 {
		if err := w.helloFrom("198.51.100.7", huge.Token); refusal.Is(err, refusal.RateLimited) {
			limited++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if limited == 0 {
		t.Error("a thousand hellos of one user are all welcome")
	}
	alice.send("bob", "all is well")
	bob.await("the message", func() bool { return slices.Contains(bob.texts(), "all is well") })
	if err := w.helloFrom("203.0.113.9", w.token("carol")); err != nil {
		t.Errorf("another user's hello: %v", err)
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
		if f.Error != nil {
			t.Fatal(f.Error.Message)
		}
		welcome := decoded[wire.Welcome](t, f.Result)
		if !slices.Equal(welcome.Accepted, []string{"client-id-1"}) {
			t.Errorf("accepted %v, want client-id-1 only", welcome.Accepted)
		}
		return true
	})
}

// TestASlowTabMissesNothing stops one of bob's tabs from reading. Nobody else is held up, little
// waits for it, and when it reads again it ends with all there is, without coming back.
func TestASlowTabMissesNothing(t *testing.T) {
	w := newWorld(t, Config{QueueBytes: 64 << 10, QueueSeconds: 3600, FrameSeconds: 3600, Rates: generous})
	alice, quick := w.open(0, "alice"), w.open(0, "bob")
	gate := make(chan struct{})
	slow := w.open(0, "bob", func(o *client.Options) {
		o.Dialer = &websocket.Dialer{NetDial: narrowTo(128<<10, gate)}
	})
	text := strings.Repeat("x", 15<<10)
	sent := 0
	for ; !w.anyCollapsed("bob") && sent < 1500; sent++ { // until its buffers and its queue are full
		alice.send("bob", text)
	}
	quick.await("all of it", func() bool { return len(quick.texts()) == sent })
	quick.ascending()
	close(gate)
	slow.await("all of it", func() bool { return len(slow.texts()) == sent })
	slow.ascending()
	if n := seen(&slow.observed, func() int { return slow.synced }); n != 1 {
		t.Errorf("the slow tab had to come back %d times", n-1)
	}
}

// A tab that takes nothing at all is closed, and comes back to all that it missed.
func TestADeadTabIsCutOff(t *testing.T) {
	w := newWorld(t, Config{QueueBytes: 64 << 10, QueueSeconds: 1, FrameSeconds: 3600, Rates: generous})
	alice := w.open(0, "alice")
	dead := w.plain(0, narrow)
	dead.hello(w.token("bob"))
	text := strings.Repeat("x", 15<<10)
	alice.eventually("the dead tab to be closed", func() bool { alice.send("bob", text); return w.anyClosed("bob", 1) })
	if code := dead.frames(func(wire.Frame) bool { return false }); code != wire.CloseSlow {
		t.Errorf("reading again, the tab finds close code %d, want %d", code, wire.CloseSlow)
	}
}

// narrowTo dials a connection that the kernel buffers little for, and that is not read before open
// is closed once a greeting has come.
func narrowTo(bytes int, open <-chan struct{}) func(network, address string) (net.Conn, error) {
	return func(network, address string) (net.Conn, error) {
		c, err := net.Dial(network, address)
		if err != nil {
			return nil, err
		}
		return &stalled{Conn: c, open: open}, c.(*net.TCPConn).SetReadBuffer(bytes)
	}
}

// stalled reads the handshake and the greeting, and then nothing before open is closed.
type stalled struct {
	net.Conn
	open   <-chan struct{}
	synced bool
}

func (s *stalled) Read(p []byte) (int, error) {
	if s.synced {
		<-s.open
	}
	n, err := s.Conn.Read(p)
	s.synced = s.synced || strings.Contains(string(p[:n]), `"synced"`)
	return n, err
}

// anyCollapsed reports whether changes for one of a user's connections were collapsed.
func (w *world) anyCollapsed(user string) bool {
	for _, c := range w.nodes[0].localUser(user).all() {
		c.out.mu.Lock()
		collapsed := c.out.queue.bare != nil
		c.out.mu.Unlock()
		if collapsed {
			return true
		}
	}
	return false
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

func TestWhatArrivesIsMarkedDelivered(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice")
	w.open(0, "bob")
	id := alice.send("bob", "hello").Conversation
	alice.awaitMarks(id, "bob", chat.Marks{Delivered: 1})
}

// awaitMarks waits until the tab was told that a member's marks are at least these.
func (tb *tab) awaitMarks(conversation, user string, want chat.Marks) {
	tb.t.Helper()
	tb.await("the marks", func() bool {
		for _, m := range noted[chat.ConversationMarks](tb, wire.NoteMarks) {
			for _, one := range m.Members {
				if m.Conversation == conversation && one.User == user && one.Delivered >= want.Delivered && one.Read >= want.Read {
					return true
				}
			}
		}
		return false
	})
}

// TestLostChangesAreRead loses changes on the way from the commit to the node.
func TestLostChangesAreRead(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	alice.send("bob", "heard")
	bob.await("the first", func() bool { return len(bob.texts()) == 1 })
	quiet := func([]chat.Told) {}
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
	bob.ascending()
}

// Nothing comes after the change that is lost, in the user's own feed neither.
func TestASweepFindsTheLastChange(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	alice, bob, other := w.open(0, "alice"), w.open(0, "bob"), w.open(1, "bob")
	alice.send("bob", "heard")
	for _, tb := range []*tab{bob, other} {
		tb.await("the first", func() bool { return len(tb.texts()) == 1 })
	}
	quiet := func([]chat.Told) {}
	w.deliver.Store(&quiet)
	alice.send("bob", "lost")
	alice.send("carol", "lost, and the conversation with it")
	carol := w.open(1, "carol")
	alice.send("carol", "lost, too")
	if err := bob.ask(wire.MethodUserObjectSet, wire.UserObjectSet{Key: "k", Value: []byte("1")}, nil); err != nil {
		t.Fatal(err)
	}
	for _, n := range w.nodes {
		n.sweep()
	}
	for _, tb := range []*tab{bob, other} {
		tb.await("the message", func() bool { return len(tb.texts()) == 2 })
		tb.await("the object", func() bool {
			return slices.ContainsFunc(tb.changes, func(c wire.Change) bool { return c.Type == chat.ItemObject })
		})
		tb.ascending()
	}
	carol.await("the message", func() bool { return slices.Contains(carol.texts(), "lost, too") })
}

// A node dies between a commit and its notifications. The others miss its heartbeat, and look.
func TestWhatADyingNodeDidNotTellIsFoundSoon(t *testing.T) {
	w := newWorld(t, Config{HeartbeatMS: 50, SweepSeconds: 3600})
	b := join(t, w)
	dying := w.addNode(Config{HeartbeatMS: 50}, b)
	alice, bob := w.open(1, "alice"), w.open(0, "bob")
	alice.send("bob", "told")
	bob.await("the first", func() bool { return len(bob.texts()) == 1 })
	until := func(known bool) func() bool {
		return func() bool {
			w.nodes[0].presence.mu.Lock()
			defer w.nodes[0].presence.mu.Unlock()
			return (w.nodes[0].presence.nodes[dying.node] != nil) == known
		}
	}
	bob.eventually("the other node is known", until(true))
	nothing := func([]chat.Told) {}
	w.deliver.Store(&nothing)
	alice.send("bob", "stored, and not told")
	b.Close()
	bob.await("what was not told", func() bool { return len(bob.texts()) == 2 })
}

// A tab that was told all up to a sweep asks at its next hello only for what came after.
func TestAPingTellsFromWhenOnToAsk(t *testing.T) {
	w := newWorld(t, Config{PingSeconds: 1})
	bob := w.open(0, "bob")
	before := bob.Position()
	bob.eventually("a ping after a sweep", func() bool {
		w.nodes[0].sweep()
		return bob.Position().At > before.At
	})
	if got := bob.Position().Opening; got != before.Opening {
		t.Errorf("opening %s, want %s", got, before.Opening)
	}
}

func TestAChangeTooLargeForTheBusIsRead(t *testing.T) {
	w := newWorld(t, Config{})
	bob, alice := w.open(0, "bob"), w.open(0, "alice")
	id := alice.send("bob", "one").Conversation
	bob.await("the first", func() bool { return len(bob.texts()) == 1 })
	quiet := func([]chat.Told) {}
	w.deliver.Store(&quiet)
	m := alice.send("bob", "two")
	_, h, err := w.chat.Readers(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	header := raw(envelope{Feed: id, Pos: h.Pos, Seq: m.Seq, Version: h.Version})
	w.nodes[0].localUser("bob").receive(bus.Message{Data: append([]byte("another node\n"), append(header, '\n')...)}) // without its change
	bob.await("the second", func() bool { return len(bob.texts()) == 2 })
	bob.ascending()
}

// Nothing that strangers or the user's own history hold may shut a tab out: whatever is greeted or
// answered is bounded by bytes, and no answer closes a tab.
func TestNothingStoredShutsATabOut(t *testing.T) {
	for name, fill := range map[string]func(t *testing.T, w *world, bob *tab) (feed string, messages int){
		"messages of 16 KiB of <": func(t *testing.T, w *world, bob *tab) (string, int) {
			for i := range 12 {
				w.open(0, fmt.Sprintf("stranger-%d", i)).send("bob", strings.Repeat("<", 16<<10))
			}
			return "", 0
		},
		"long messages": func(t *testing.T, w *world, bob *tab) (string, int) {
			alice := w.open(0, "alice")
			var last chat.Message
			for range 100 {
				last = alice.send("bob", strings.Repeat("honest ", 2000))
			}
			return last.Conversation, 100
		},
		"large groups": func(t *testing.T, w *world, bob *tab) (string, int) {
			for i := range 12 {
				w.group(fmt.Sprint("owner-", i), append(numbered(2000), "bob")...)
			}
			return "", 0
		},
		"many groups": func(t *testing.T, w *world, bob *tab) (string, int) {
			for i := range 100 {
				w.group(fmt.Sprint("owner-", i), append(numbered(98), "bob")...)
			}
			return "", 0
		},
		"objects": func(t *testing.T, w *world, bob *tab) (string, int) {
			for i := range 100 {
				o := wire.UserObjectSet{Key: fmt.Sprint("key-", i), Value: raw(strings.Repeat("<", 2500))}
				if err := bob.ask(wire.MethodUserObjectSet, o, nil); err != nil {
					t.Fatal(err)
				}
			}
			return "", 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{QueueBytes: 64 << 10, Rates: generous})
			bob := w.open(0, "bob")
			feed, n := fill(t, w, bob)
			for _, resume := range []*wire.Resume{nil, ptr(bob.Position())} {
				back := w.open(0, "bob", func(o *client.Options) { o.Resume = resume })
				var all wire.ConversationPage
				if err := back.ask(wire.MethodConversationList, wire.ConversationList{}, &all); err != nil {
					t.Fatal(err)
				}
				for _, c := range all.Conversations {
					if err := back.ask(wire.MethodMessagePage, wire.MessagePage{Conversation: c.ID}, nil); err != nil {
						t.Fatal(err)
					}
				}
				if feed != "" {
					if got := back.history(feed); len(got) != n {
						t.Errorf("the history has %d messages, want %d", len(got), n)
					}
				}
				if lost := seen(&back.observed, func() []error { return slices.Clone(back.lost) }); len(lost) > 0 {
					t.Errorf("the tab was shut out %d times: %v", len(lost), lost)
				}
				if n := seen(&back.observed, func() int { return back.synced }); n != 1 {
					t.Errorf("the tab was synced %d times, want once", n)
				}
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// A tab that asks for much at once and reads slowly gets all of it.
func TestAnswersWaitForSpace(t *testing.T) {
	w := newWorld(t, Config{QueueBytes: 64 << 10, Rates: generous})
	alice := w.open(0, "alice")
	var id string
	for range 10 {
		id = alice.send("bob", strings.Repeat("x", 15<<10)).Conversation
	}
	p := w.plain(0, narrow)
	p.hello(w.token("bob"))
	var lines []string
	for i := range 60 {
		lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"message.page","params":{"conversation":"%s"}}`, i+10, id))
	}
	p.write(strings.Join(lines, "\n"))
	answers := 0
	if code := p.frames(func(f wire.Frame) bool {
		if f.ID != nil {
			answers++
		}
		return answers == 60
	}); code != 0 {
		t.Errorf("closed with %d after %d answers", code, answers)
	}
}
