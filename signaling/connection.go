package signaling

import (
	"log/slog"
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

	// Each with a lock of its own. That of position may be held while the one of out is taken.
	out      outgoing
	liveness liveness
	position position
	lanes    [lanes]lane

	// Under the lock of position: the members of the conversations to which the token narrows the
	// user, by the conversation.
	fellows map[string][]string

	// Written by the tab's requests and by commands of other nodes.
	away          atomic.Bool  // nobody is at this tab, as it says
	watchesInVain atomic.Bool  // somebody, perhaps, whose presence its user may not see
	listed        atomic.Bool  // it has listed its user's sessions, and is told once when they change
	issuedAt      atomic.Int64 // when its token was, unix ns
	replaced      atomic.Bool  // a newer connection of the same tab took its place
	signedOut     atomic.Bool  // and nothing more that it asked for is done
}

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

// push queues a frame. It never waits: a tab that is too slow is closed, and reads what
// it missed from the log when it is back.
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

var pingFrame = notification(wire.NotePing, wire.Empty{})

// tick runs when there may be something to do about the life of the connection.
func (c *connection) tick() {
	if c.out.isClosed() {
		return
	}
	switch c.liveness.due(time.Now()) {
	case sendPing:
		c.push(pingFrame, durable, "")
	case helloLate:
		c.close(wire.CloseNoHello, "say hello")
	case pongLate:
		c.close(wire.CloseNoPong, "answer pings")
	case tokenOver:
		c.close(wire.CloseTokenExpired, "the token has expired")
	}
}

// ended is called by the reader as its last act.
func (c *connection) ended() {
	c.liveness.stop()
	c.out.end()
	close(c.done)
}
