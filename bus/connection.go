package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// connection is one that is up, to one of the servers. After it is lost there is none until the
// next; what was on its way is lost with it.
type connection struct {
	since time.Time
	again bool            // there was none for a while
	lasts context.Context // ends with the connection
	end   context.CancelFunc
}

func newConnection(again bool) *connection {
	c := &connection{since: time.Now(), again: again}
	c.lasts, c.end = context.WithCancel(context.Background())
	return c
}

const (
	// connectTime is how long one attempt to connect to one server may take. Whoever subscribes
	// meanwhile waits for it.
	connectTime = 2 * time.Second
	// reconnectWait is the pause after all servers have been tried, up to twice as long.
	reconnectWait = 100 * time.Millisecond
	// writeTime is how long a server may take no bytes before the connection is given up.
	writeTime = time.Second
	// pingEvery is how often the server is asked whether it is there. When it has left two of these
	// without an answer, the connection is given up.
	pingEvery = 2 * time.Second
	// settleTime is how long after a connection was made the other nodes may not be back: when all
	// servers start again, each node finds them in its own time. Until then it says nothing that
	// nobody serves a subject.
	settleTime = 2 * time.Second
)

// options let the connection come back by itself, for ever.
func (b *Bus) options() []nats.Option {
	opts := []nats.Option{
		nats.Name("carillon"),
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), // an operator who mends the cluster need not start all nodes again
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1), // what is published without a connection is lost, and the nodes are told so
		nats.ErrorHandler(b.asyncError),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { b.notConnected(err) }),
		nats.ConnectHandler(func(*nats.Conn) { b.connected() }),
		nats.ReconnectHandler(func(*nats.Conn) { b.connected() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { b.disconnected(err) }),
	}
	if b.cfg.Credentials != "" {
		opts = append(opts, nats.UserCredentials(b.cfg.Credentials))
	}
	if b.server != nil {
		return append(opts, nats.InProcessServer(b.server))
	}
	return append(opts, nats.Timeout(connectTime), nats.FlusherTimeout(writeTime), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(2))
}

// Connected reports whether there is a connection to the server now, and the server answers. While
// there is none, what is published is lost and requests fail.
func (b *Bus) Connected() bool { return b.connection.Load() != nil && !b.stuck.Load() }

// settled reports whether all nodes that can be back since a connection was made are back.
func (b *Bus) settled(c *connection) bool {
	return b.server != nil || time.Since(c.since) >= settleTime
}

// connected is called by NATS when a connection is made that was lost, or that Open did not get.
func (b *Bus) connected() {
	<-b.opened
	if !b.connection.CompareAndSwap(nil, newConnection(true)) {
		return // Open got it
	}
	b.stuck.Store(false)
	b.failed = ""
	b.log.Info("connected to the bus", "server", b.conn.ConnectedUrlRedacted())
	b.tendSoon()
}

// notConnected is called by NATS for each attempt to connect that failed.
func (b *Bus) notConnected(err error) {
	if why := err.Error(); why != b.failed {
		b.failed = why
		b.log.Warn("connect to the bus", "err", err)
	}
}

func (b *Bus) disconnected(err error) {
	<-b.opened
	if c := b.connection.Swap(nil); c != nil {
		c.end()
	}
	if err != nil {
		b.log.Warn("connection to the bus lost, connecting again", "err", err)
	}
}

// asyncError is called by NATS for errors that belong to no call of ours.
func (b *Bus) asyncError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if sub == nil || !errors.Is(err, nats.ErrSlowConsumer) {
		b.log.Warn("error of the bus", "err", err)
		return
	}
	b.log.Warn("bus dropped messages: a handler is too slow", "subject", b.short(sub.Subject))
	lost, _ := sub.Dropped()
	b.mu.Lock()
	if b.handlers[sub] != nil {
		b.losses[sub] = lost
	}
	b.mu.Unlock()
	b.tellGap(b.short(sub.Subject))
}
