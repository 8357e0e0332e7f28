package signaling

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/limit"
	"carillon/switchboard"
	"carillon/wire"
)

// connection is one way between the server and one tab: its WebSocket, or its data channel
// in a call. An idle one costs the goroutine that reads it and nothing else; a writer
// exists while there is something to write, a lane while it has requests.
type connection struct {
	// Fixed at construction.
	server  *Server
	channel bool // a data channel
	since   time.Time
	done    chan struct{} // closed when the reader has ended

	// Set once by hello, before the connection is among its user's; read by everyone after.
	tab     call.Tab
	profile chat.User
	payer   limit.Payer   // before hello it has no user
	scope   auth.Scope    // of its token
	chat    *chat.Service // within that scope
	log     *slog.Logger

	// Set once by hello, as soon as the connection is among its user's; read by the reader and
	// by the tab's requests. Nil before.
	user *localUser

	// Owned by the reader.
	frameLimit   *limit.Bucket
	garbageLimit *limit.Bucket // of what is not a frame, or asks for nothing that exists

	// Each with a lock of its own.
	out      outgoing
	liveness liveness
	lanes    [lanes]lane

	mu     sync.Mutex // held while what phase says is queued; taken before the lock of out
	phase  phase
	early  map[string]int64 // of greeting: how far feeds have come meanwhile; nil when none has
	synced bool             // the greeting has been sent

	// Written by the tab's requests and by commands of other nodes.
	away          atomic.Bool                   // nobody is at this tab, as it says
	watchesInVain atomic.Bool                   // somebody, perhaps, whose presence its user may not see
	listed        atomic.Bool                   // it has listed its user's sessions, and is told once when they change
	token         atomic.Pointer[auth.Identity] // of its newest token; nil: a data channel
	replaced      atomic.Bool                   // a newer connection of the same tab took its place
	signedOut     atomic.Bool                   // and nothing more that it asked for is done
}

// phase of a connection: what is sent to it of what others do.
type phase uint8

const (
	greeting phase = iota // hello is being answered: it is only remembered which feeds change; this ends with the welcome
	live                  // all is sent; this ends with the connection
	standby               // a data channel whose tab has a synced WebSocket: nothing is sent; this ends with that WebSocket
)

func newConnection(s *Server, t transport, channel bool) *connection {
	c := &connection{
		server: s, channel: channel, since: time.Now(),
		log:          s.log,
		done:         make(chan struct{}),
		frameLimit:   limit.New(perSecond(s.cfg.Rates.Frames)),
		garbageLimit: limit.New(limit.Per(time.Second, 1, 10*time.Second)),
	}
	c.out.init(t, s)
	if !channel {
		c.liveness.begin(s.cfg, c.since, c.tick)
	}
	return c
}

// push queues a frame. It never waits: a tab that is too slow is closed, and is sent what it
// missed when it is back.
func (c *connection) push(f *frame, class class, key string) {
	c.out.push(item{frame: f, class: class, key: key})
}

// asker is the tab as calls know it.
func (c *connection) asker() switchboard.Asker {
	return switchboard.Asker{Tab: c.tab, Scope: c.scope, Until: c.liveness.tokenEnd()}
}

// close ends the connection after what is queued, with a close code that tells the client
// whether to come back.
func (c *connection) close(code int, reason string) { c.out.close(code, reason) }

// tick runs when there may be something to do about the life of the connection.
func (c *connection) tick() {
	if c.out.isClosed() {
		return
	}
	switch c.liveness.due(time.Now()) {
	case sendPing:
		c.ping()
	case helloLate:
		c.close(wire.CloseNoHello, "say hello")
	case pongLate:
		c.close(wire.CloseNoPong, "answer pings")
	case tokenOver:
		c.close(wire.CloseTokenExpired, "the token has expired")
	}
}

// ping asks the tab whether it lives, and tells one that has everything from when on it need not
// ask any more.
func (c *connection) ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := emptyPing
	if c.synced && !c.channel && !c.scope.Narrowed() {
		f = c.server.sweeper.ping.Load()
	}
	c.push(f, durable, "")
}

// ended is called by the reader as its last act.
func (c *connection) ended() {
	c.liveness.stop()
	c.out.end()
	close(c.done)
}
