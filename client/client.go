// Package client speaks Carillon's protocol from Go: for bots, load and model tests, the
// bench and programs of others.
//
//	c, err := client.Dial(ctx, client.Options{
//		URL:    "ws://127.0.0.1:8080/ws",
//		Token:  func(context.Context) (string, error) { return token, nil },
//		Change: func(c wire.Change) { … },
//	})
//	defer c.Close()
//	m, err := c.Send(ctx, wire.MessageSend{To: "bob", Text: "hello"})
//
// A Client is one tab. It stays connected until Close: after a lost connection it comes back
// with full jitter, resumes where it was, and hands out what changes in its user's feeds once, in
// the order of each feed; what was missing it asks for. An item that changed several times
// meanwhile comes once, as it is now. Messages of others count as delivered when they were handed
// out. It asks again when the reply to a request for a leg was lost with the connection. Media is
// left to the caller: [Client.Offer] takes and returns SDP, for any WebRTC stack.
package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
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

	// Welcome is told of the beginning of every greeting. When it has not resumed, what was handed
	// out before is void; so is what was handed out of the feeds that it says have diverged.
	Welcome func(wire.Welcome)
	// Conversations is told of heads: in a greeting, of those that have changed, or of the first page.
	Conversations func([]chat.Conversation)
	// Change is told of items, each with its type, data and place: one once, or merged into the
	// newest, by pos within a feed. Of a conversation that is in no greeting the first is the one
	// that is told first; what was before is there to be paged.
	Change func(wire.Change)
	// Reset says that too much of a feed was missed to hand it out: page from its end.
	Reset func(feed string)
	// Call is told of a call of this user as it is now, with all participants, the newest only.
	Call    func(wire.CallChange)
	Synced  func()                                          // all that was missed before the greeting was handed out, or is being asked for
	Note    func(method string, params json.RawMessage)     // everything else
	Lost    func(err error)                                 // the connection is gone; *websocket.CloseError has the code
	Resume  *wire.Resume                                    // Position of an earlier Client; nil: from now on
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

	mu      sync.Mutex
	conn    *connection   // nil while there is none
	greeted *connection   // which was welcomed last
	changed chan struct{} // closed and replaced when conn or ended changes
	welcome wire.Welcome
	at      int64                      // of the latest synced, or of a ping that had one
	opening string                     // the same
	feeds   map[string]*feed           // the user's own, and conversations
	touched int64                      // counts what happens to feeds, to tell which are the latest
	calls   map[string]wire.CallChange // as they are now, those that have ended lately too
	marks   map[string]chat.Marks      // to be stored
	pending map[string]bool            // client ids of messages without an answer
	ended   error
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
	c := newClient(o)
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go c.run(run, conn)
	return c, nil
}

func newClient(o Options) *Client {
	c := &Client{
		opts: o, done: make(chan struct{}), changed: make(chan struct{}), pending: map[string]bool{},
		feeds: map[string]*feed{}, calls: map[string]wire.CallChange{}, marks: map[string]chat.Marks{},
	}
	if o.Resume != nil {
		c.at, c.opening = o.Resume.At, o.Resume.Opening
		for id, position := range o.Resume.Feeds {
			c.feeds[id] = &feed{pos: position.Pos, heard: position.Pos, newest: slices.Clone(position.Newest)}
		}
	}
	return c
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

// Position is what this tab has: what to keep, and to give to Options.Resume later.
func (c *Client) Position() wire.Resume {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.positionLocked()
}
