package signaling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"carillon/auth"
	"carillon/bus"
	"carillon/chat"
	"carillon/client"
	"carillon/front"
	"carillon/limit"
	"carillon/store"
	"carillon/store/pgtest"
	"carillon/switchboard"
	"carillon/wire"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(func() int {
		code := m.Run()
		if code == 0 {
			if err := goleak.Find(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		return code
	}))
}

// anyone lets everyone write to whatever id they name.
var anyone = chat.Config{Reach: chat.Reach{Known: []string{"*"}}}

// world is a real database, a real bus and one or more nodes, each behind its own HTTP server.
type world struct {
	t        testing.TB
	store    *store.Store
	chat     *chat.Service
	bus      *bus.Bus
	verifier *auth.Verifier
	verify   func(context.Context, string) (auth.Identity, error) // of the next node
	attempts *limit.Budget                                        // of the next node
	metrics  *prometheus.Registry                                 // of the next node; nil: none
	previews Previews                                             // of the next node
	deliver  atomic.Pointer[func([]chat.Told)]
	nodes    []*Server
	joined   map[*bus.Bus]bool    // whose connection to the bus is that of a node
	boards   []*switchboard.Board // of the nodes; nil: no calls there
	https    []*httptest.Server
}

func newWorld(t testing.TB, cfg Config) *world { return newWorldOf(t, cfg, store.Config{}) }

func newWorldOf(t testing.TB, cfg Config, sc store.Config) *world {
	t.Helper()
	return newWorldWith(t, cfg, sc, anyone)
}

func newWorldWith(t testing.TB, cfg Config, sc store.Config, rules chat.Config) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	w := &world{t: t, joined: map[*bus.Bus]bool{}, previews: looking(func(string) {})}
	sc.Folder, sc.URL = t.TempDir(), pgtest.URL(t)
	var err error
	w.store, err = store.Open(t.Context(), sc, log, func(all []chat.Told) {
		if f := w.deliver.Load(); f != nil {
			(*f)(all)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.chat = chat.New(w.store, rules)
	if w.bus, err = bus.Open(bus.Config{}, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.bus.Close)
	w.verifier, err = auth.NewVerifier(context.Background(), auth.Config{}, bytes.Repeat([]byte("k"), 32), w.store.Revoked, log)
	if err != nil {
		t.Fatal(err)
	}
	w.verify = w.verifier.Verify
	w.addNode(cfg, w.bus)
	f := w.nodes[0].Deliver
	w.deliver.Store(&f)
	return w
}

func (w *world) addNode(cfg Config, b *bus.Bus) *Server { return w.addNodeWith(cfg, b, nil) }

// own returns a connection to the bus that is no other node's: what a node tells by its own it does
// not hear.
func (w *world) own(b *bus.Bus) *bus.Bus {
	w.t.Helper()
	if w.joined[b] {
		return join(w.t, w)
	}
	return b
}

func (w *world) addNodeWith(cfg Config, b *bus.Bus, board *switchboard.Board) *Server {
	w.t.Helper()
	b = w.own(b)
	w.joined[b] = true
	s, err := New(Deps{
		Chat: w.chat, Bus: b, Verify: w.verify, Revoked: w.store, Version: "test",
		Log: w.logger(), Calls: board, Attempts: w.attempts, Metrics: w.registerer(), Previews: w.previews,
	}, cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	proxies, err := front.TrustProxies([]string{"127.0.0.1"}, front.XForwardedFor) // a test may have any address
	if err != nil {
		w.t.Fatal(err)
	}
	hs := httptest.NewUnstartedServer(proxies.Reveal(s))
	hs.Listener = narrowListener{hs.Listener}
	hs.Start()
	w.nodes, w.https, w.boards = append(w.nodes, s), append(w.https, hs), append(w.boards, board)
	node := len(w.nodes) - 1
	w.t.Cleanup(func() {
		w.stop(node)
		hs.Close()
	})
	return s
}

// stop shuts a node down, as the program does.
func (w *world) stop(node int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	w.nodes[node].Close(ctx)
	if b := w.boards[node]; b != nil {
		b.Close()
	}
}

func (w *world) registerer() prometheus.Registerer {
	if w.metrics == nil {
		return nil
	}
	return w.metrics
}

func (w *world) logger() *slog.Logger {
	if testing.Verbose() {
		return slog.New(slog.NewTextHandler(w.t.Output(), nil))
	}
	return slog.New(slog.DiscardHandler)
}

func (w *world) url(node int) string { return "ws" + strings.TrimPrefix(w.https[node].URL, "http") }

func (w *world) token(user string) string {
	w.t.Helper()
	token, err := w.verifier.Mint(user, user, time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// tab is a client that notes what it gets.
type tab struct {
	*client.Client
	observed

	changes []wire.Change
	heads   []chat.Conversation // of greetings
	calls   []wire.CallChange
	notes   []wire.Frame
	resets  []string
	synced  int
	lost    []error
}

// open connects a tab of user to a node and waits until it is synced.
func (w *world) open(node int, user string, edit ...func(*client.Options)) *tab {
	w.t.Helper()
	tb, err := w.dial(node, user, edit...)
	if err != nil {
		w.t.Fatal(err)
	}
	tb.await("synced", func() bool { return tb.synced > 0 })
	return tb
}

func (w *world) dial(node int, user string, edit ...func(*client.Options)) (*tab, error) {
	tb := &tab{observed: observe(w.t)}
	o := client.Options{
		URL:        w.url(node),
		Token:      func(context.Context) (string, error) { return w.verifier.Mint(user, user, time.Hour) },
		DeviceName: "test",
		Change:     func(c wire.Change) { tb.note(func() { tb.changes = append(tb.changes, c) }) },
		Call:       func(c wire.CallChange) { tb.note(func() { tb.calls = append(tb.calls, c) }) },
		Reset:      func(feed string) { tb.note(func() { tb.resets = append(tb.resets, feed) }) },
		Conversations: func(list []chat.Conversation) {
			tb.note(func() { tb.heads = append(tb.heads, list...) })
		},
		Note: func(method string, params json.RawMessage) {
			tb.note(func() { tb.notes = append(tb.notes, wire.Frame{Method: method, Params: params}) })
		},
		Synced:  func() { tb.note(func() { tb.synced++ }) },
		Lost:    func(err error) { tb.note(func() { tb.lost = append(tb.lost, err) }) },
		Backoff: func(int) (time.Duration, bool) { return time.Millisecond, true },
	}
	for _, f := range edit {
		f(&o)
	}
	var err error
	if tb.Client, err = client.Dial(w.t.Context(), o); err != nil {
		return nil, err
	}
	w.t.Cleanup(tb.Close)
	return tb, nil
}

// texts are the messages of the changes so far.
func (tb *tab) texts() (texts []string) {
	for _, m := range tb.messages() {
		texts = append(texts, m.Text)
	}
	return texts
}

func (tb *tab) messages() (messages []chat.Message) {
	for _, c := range tb.changes {
		if c.Type == chat.ItemMessage {
			messages = append(messages, decoded[chat.Message](tb.t, c.Data))
		}
	}
	return messages
}

func decoded[T any](t testing.TB, data []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Error(err)
	}
	return value
}

func (tb *tab) send(to, text string) chat.Message {
	tb.t.Helper()
	m, err := tb.Send(tb.t.Context(), wire.MessageSend{To: to, Text: text})
	if err != nil {
		tb.t.Fatal(err)
	}
	return m
}

func (tb *tab) ask(method string, params, result any) error {
	return tb.Request(tb.t.Context(), method, params, result)
}

// group makes a group as the site's backend does: nobody is asked.
func (w *world) group(owner string, members ...string) chat.Conversation {
	w.t.Helper()
	p := chat.CreateParams{Kind: chat.Group, Members: members, Name: strings.Repeat("a long name ", 8), Vouched: true}
	g, err := w.chat.Create(w.t.Context(), chat.User{ID: owner, Name: owner}, p)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

// numbered are ids of users who have not been here.
func numbered(n int) (users []string) {
	for i := range n {
		users = append(users, fmt.Sprint("member-", i))
	}
	return users
}

// noted are the params of the notifications of one method so far.
func noted[P any](tb *tab, method string) (all []P) {
	for _, f := range tb.notes {
		if f.Method == method {
			var p P
			if err := json.Unmarshal(f.Params, &p); err != nil {
				tb.t.Error(err)
			}
			all = append(all, p)
		}
	}
	return all
}

// plain is a WebSocket without manners, for bad input.
type plain struct {
	t testing.TB
	*websocket.Conn
	rest []byte // lines of the last message that nobody has looked at
}

func (w *world) plain(node int, edit ...func(*websocket.Dialer)) *plain {
	w.t.Helper()
	p, err := w.plainFrom("", node, edit...)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// plainFrom connects from an address; from this machine if it is empty.
func (w *world) plainFrom(address string, node int, edit ...func(*websocket.Dialer)) (*plain, error) {
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	for _, f := range edit {
		f(&d)
	}
	header := http.Header{}
	if address != "" {
		header.Set(front.XForwardedFor, address)
	}
	c, answer, err := d.Dial(w.url(node), header)
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("%w: %s", err, answer.Status)
		}
		return nil, err
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return &plain{t: w.t, Conn: c}, nil
}

func (p *plain) write(text string) {
	p.t.Helper()
	if err := p.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// control sends so many control frames, until the server has had enough of them.
func (p *plain) control(kind, n int) {
	for range n {
		if p.WriteControl(kind, []byte("are you there?"), time.Now().Add(time.Second)) != nil {
			return
		}
	}
}

// frames reads frames until the connection ends or until says so.
func (p *plain) frames(until func(wire.Frame) bool) (code int) {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		for len(p.rest) > 0 {
			line, rest, _ := bytes.Cut(p.rest, []byte{'\n'})
			p.rest = rest
			var f wire.Frame
			if err := json.Unmarshal(line, &f); err != nil {
				p.t.Fatalf("server sent %q: %v", line, err)
			}
			if until(f) {
				return 0
			}
		}
		_, data, err := p.ReadMessage()
		if closed, ok := err.(*websocket.CloseError); ok {
			return closed.Code
		}
		if err != nil {
			p.t.Fatal(err)
		}
		p.rest = data
	}
}

func (p *plain) hello(token string) (f wire.Frame) {
	p.t.Helper()
	h, _ := json.Marshal(wire.Hello{Token: token, Protocol: wire.Protocol, Tab: "plain-tab", Device: "plain-device"})
	p.write(`{"jsonrpc":"2.0","id":1,"method":"hello","params":` + string(h) + `}`)
	p.frames(func(g wire.Frame) bool { f = g; return true })
	return f
}

// join is one more node's connection to the bus.
func join(t testing.TB, w *world) *bus.Bus {
	t.Helper()
	b, err := w.bus.Join()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// gated lets one connection through per value given.
func gated(give chan bool) func(network, address string) (net.Conn, error) {
	return func(network, address string) (net.Conn, error) {
		select {
		case <-give:
			return net.Dial(network, address)
		default:
			return nil, errors.New("no network")
		}
	}
}

// narrowListener lets the kernel buffer little, so that a slow tab is soon seen as one.
type narrowListener struct{ net.Listener }

func (l narrowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return c, c.(*net.TCPConn).SetWriteBuffer(128 << 10)
}
