// Package client speaks Carillon's protocol from Go: for bots, load and model tests, the
// bench and programs of others.
//
//	c, err := client.Dial(ctx, client.Options{
//		URL:   "ws://127.0.0.1:8080/ws",
//		Token: func(context.Context) (string, error) { return token, nil },
//		Event: func(e chat.Event) { … },
//	})
//	defer c.Close()
//	m, err := c.Send(ctx, wire.MessageSend{To: "bob", Text: "hello"})
//
// A Client is one tab. It stays connected until Close: after a lost connection it comes back
// with full jitter, resumes where it was, and hands out every durable event once and in
// order. It asks again when the reply to a request for a leg was lost with the connection.
// Media is left to the caller: [Client.Offer] takes and returns SDP, for any WebRTC stack.
package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"carillon/chat"
	"carillon/wire"
)

// Options say who connects where, and who is told. The functions are called one at a
// time from the goroutine that reads: one that blocks holds up what follows it. Only Token
// may also be called beside them, to renew, and outlive Close by its ten seconds.
type Options struct {
	URL   string                                // ws:// or wss://, with the path /ws
	Token func(context.Context) (string, error) // asked at every hello and renewal

	Tab        string // 8–64 characters; empty: a new one
	Device     string // 8–64 characters; empty: a new one
	DeviceName string
	Origin     string            // as a browser would send it; empty: none
	Header     http.Header       // sent with the handshake, as a proxy adds to it; nil: none
	Dialer     *websocket.Dialer // nil: a plain one

	// Welcome is told of every greeting. When it is not recovered, events were missed:
	// compare conversations and page.
	Welcome func(wire.Welcome)
	Synced  func()                                          // everything missed has been handed out
	Event   func(chat.Event)                                // durable, in order, each once
	Note    func(method string, params json.RawMessage)     // everything else
	Lost    func(err error)                                 // the connection is gone; *websocket.CloseError has the code
	Resume  *wire.Resume                                    // from an earlier Client; nil: from now on
	Backoff func(attempt int) (wait time.Duration, ok bool) // nil: Jitter; not ok: give up
}

// ErrDisconnected ends a request whose connection was lost: it may have been done or not.
var ErrDisconnected = errors.New("connection lost before the answer")

// ErrClosed is what requests get after Close, and after the server said stop.
var ErrClosed = errors.New("client is closed")

// Client is one tab. It is safe for concurrent use.
type Client struct {
	// Fixed at construction.
	opts   Options
	cancel context.CancelFunc
	done   chan struct{} // closed when the client has ended

	mu       sync.Mutex
	conn     *connection   // nil while there is none
	changed  chan struct{} // closed and replaced when conn or ended changes
	welcome  wire.Welcome
	position wire.Resume
	pending  map[string]bool // client ids of messages without an answer
	ended    error
}

// Dial connects and says hello. It fails when the first attempt does; later ones are
// repeated until Close.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Tab == "" {
		o.Tab = rand.Text()
	}
	if o.Device == "" {
		o.Device = rand.Text()
	}
	if o.Dialer == nil {
		o.Dialer = &websocket.Dialer{HandshakeTimeout: 10 * time.Second}
	}
	if o.Backoff == nil {
		o.Backoff = Jitter
	}
	c := &Client{opts: o, done: make(chan struct{}), changed: make(chan struct{}), pending: map[string]bool{}}
	if o.Resume != nil {
		c.position = *o.Resume
	}
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go c.run(run, conn)
	return c, nil
}

// Close ends the client and waits until no function of Options runs any more. Twice is
// fine. It may not be called from one of them.
func (c *Client) Close() {
	c.cancel()
	c.Cut()
	<-c.done
}

// Done is closed when the client has ended: by Close, or because the server said stop.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the client has ended.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// Cut breaks the connection as a lost network would, for tests. The client comes back.
func (c *Client) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.ws.NetConn().Close()
	}
}

// Tab is the tab id of this client.
func (c *Client) Tab() string { return c.opts.Tab }

// Welcome is the latest greeting.
func (c *Client) Welcome() wire.Welcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome
}

// Position is how far this tab has read its user's events: what to keep, and to give to
// Options.Resume later.
func (c *Client) Position() wire.Resume {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position
}
