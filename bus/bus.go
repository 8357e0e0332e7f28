// Package bus carries what crosses nodes: changes of feeds, requests to calls, presence. It is NATS: embedded in this process without a listener, or
// a cluster by URL. The code above it is the same for both.
//
// The bus may lose a message (a full queue, a lost connection to the cluster), and a
// publisher never waits. What must not be lost is stored elsewhere, and is read again when
// [Bus.OnGap] says that a message was lost, here or on its way from another node:
//
//	b, err := bus.Open(cfg, log)
//	sub, err := b.Subscribe("user.alice", func(m bus.Message) { … })
//	b.OnGap(func(subject string) { … read what the subject tells about … })
//
// A cluster that is down holds nobody up. A node starts without it and connects when it comes;
// until then publishing is silent and requests fail at once with [ErrDown]. When the connection is
// back, [Bus.OnGap] is called on all nodes.
//
// Limits: a message is at most 1 MiB. The queue of each dispatcher is bounded by [Config.Queue], and
// what waits to be sent by 64 MiB. A handler must not block: its dispatcher waits for it, and so do the
// messages of other subscriptions.
package bus

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"carillon/settings"
)

// ErrNoResponders means that nobody serves the subject of a request: its owner is gone.
// The request reached no one and may be made elsewhere.
var ErrNoResponders = errors.New("nobody serves this subject")

// ErrDown means that the cluster cannot be reached just now, or was reached so recently that other
// nodes may not be back. The request reached no one.
var ErrDown = errors.New("the bus is down")

// Bus is one node's connection to the server. Several may share an embedded server, see
// [Bus.Join].
type Bus struct {
	// Fixed at construction.
	cfg     Config
	log     *slog.Logger
	node    string         // an id of this connection, new with every start
	began   time.Time      // when it was made
	server  *server.Server // embedded; nil with a cluster
	owner   bool           // Close stops the server
	nodes   *atomic.Int64  // connections to the embedded server, from before they are made until they are closed; nil with a cluster
	conn    *nats.Conn
	queues  []chan *nats.Msg // one for each dispatcher
	out     chan outgoing
	seed    maphash.Seed
	opened  chan struct{} // closed when conn is set
	done    chan struct{} // closed when the bus begins to close
	refused chan error    // holds one: why this node may not be on this bus
	workers sync.WaitGroup
	once    sync.Once

	connection atomic.Pointer[connection] // nil: there is none now
	failed     string                     // why the last attempt to connect failed; owned by NATS's goroutine of callbacks
	stuck      atomic.Bool                // the server has not answered in time, and not since
	lost       atomic.Bool                // other nodes have missed something of this one's, and are to be told so
	waiting    atomic.Int64               // bytes in out
	soon       chan struct{}              // holds one: tend at once

	mu       sync.RWMutex
	handlers map[*nats.Subscription]func(Message)
	losses   map[*nats.Subscription]int // messages that a subscription had lost when it was last looked at; only those that lost any
	onGap    func(subject string)
}

// Message is what a handler gets. The handler may keep Data.
type Message struct {
	Subject string
	Data    []byte
	reply   func([]byte) error
}

// Reply answers a request, from any goroutine, now or later. For a message that was
// published it does nothing.
func (m Message) Reply(data []byte) error {
	if m.reply == nil {
		return nil
	}
	return m.reply(data)
}

// Open connects to the cluster that cfg names, or starts an embedded server. A cluster that does
// not answer is no error: the bus connects when it comes. One that serves nodes of another database
// is.
func Open(cfg Config, log *slog.Logger) (*Bus, error) {
	cfg = settings.Fill(cfg, Defaults())
	cfg.Database = cmp.Or(cfg.Database, "none") // only tests name none
	if cfg.Credentials != "" {
		if _, err := os.Stat(cfg.Credentials); err != nil { // of which NATS says nothing until it connects
			return nil, fmt.Errorf("bus.credentials: %w", err)
		}
	}
	if cfg.URL != "" {
		return connect(cfg, log, nil, nil, false)
	}
	srv, err := server.NewServer(&server.Options{
		ServerName: "embedded",
		DontListen: true,
		NoSigs:     true,
		NoLog:      true,
		MaxSubs:    -1,
		MaxPending: 64 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("make embedded bus: %w", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, errors.New("start embedded bus: not ready after 10 s")
	}
	b, err := connect(cfg, log, srv, new(atomic.Int64), true)
	if err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
	return b, err
}

// Join gives one more node on the same bus: another connection to the cluster, or to
// this process's embedded server. Closing it does not stop the server.
func (b *Bus) Join() (*Bus, error) { return connect(b.cfg, b.log, b.server, b.nodes, false) }

// Alone reports that no other node can hear what is published now: the server is embedded, and
// nobody else has joined it. Whoever joins while Alone is asked has subscribed to nothing yet.
func (b *Bus) Alone() bool { return b.nodes != nil && b.nodes.Load() == 1 }

func connect(cfg Config, log *slog.Logger, srv *server.Server, nodes *atomic.Int64, owner bool) (*Bus, error) {
	b := &Bus{
		cfg: cfg, log: log, node: rand.Text(), began: time.Now(), server: srv, nodes: nodes, owner: owner,
		out:      make(chan outgoing, maxOutgoing),
		seed:     maphash.MakeSeed(),
		opened:   make(chan struct{}),
		done:     make(chan struct{}),
		refused:  make(chan error, 1),
		soon:     make(chan struct{}, 1),
		handlers: map[*nats.Subscription]func(Message){},
		losses:   map[*nats.Subscription]int{},
	}
	b.count(1)
	var err error
	if b.conn, err = nats.Connect(cfg.URL, b.options()...); err != nil {
		b.count(-1)
		return nil, fmt.Errorf("bus.url: %w", err)
	}
	if b.conn.IsConnected() {
		b.connection.Store(newConnection(false))
	} else {
		b.log.Warn("the bus cannot be reached; this node serves its own tabs until it can")
	}
	close(b.opened)
	for range cfg.Dispatchers {
		queue := make(chan *nats.Msg, cfg.Queue)
		b.queues = append(b.queues, queue)
		b.workers.Go(func() { b.dispatch(queue) })
	}
	b.workers.Go(b.send)
	if err = b.meetOthers(); err == nil {
		err = b.hearGaps()
	}
	if err != nil {
		b.owner = false // whoever started the server stops it
		b.Close()
		return nil, err
	}
	b.workers.Go(b.tend)
	return b, nil
}

// Request sends data to whoever serves the subject and waits for the answer, as long as
// ctx allows and at most [Config.RequestSeconds]. After [ErrNoResponders] and [ErrDown] the request
// has reached no one; after any other error it may have been done.
func (b *Bus) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	c := b.connection.Load()
	if c == nil || b.stuck.Load() {
		return nil, fmt.Errorf("ask %s: %w", subject, ErrDown)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.cfg.RequestSeconds)*time.Second)
	defer cancel()
	defer context.AfterFunc(c.lasts, cancel)()
	m, err := b.conn.RequestWithContext(ctx, b.full(subject), data)
	switch {
	case errors.Is(err, nats.ErrNoResponders) && b.settled(c):
		return nil, fmt.Errorf("ask %s: %w", subject, ErrNoResponders)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrReconnectBufExceeded):
		return nil, fmt.Errorf("ask %s: %w", subject, ErrDown)
	case err != nil && c.lasts.Err() != nil:
		return nil, fmt.Errorf("ask %s: the connection to the bus was lost before the answer", subject)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	return m.Data, nil
}

// Flush waits until all that was published and subscribed before has reached the server.
func (b *Bus) Flush(ctx context.Context) error {
	c := b.connection.Load()
	if c == nil || b.stuck.Load() {
		return fmt.Errorf("flush bus: %w", ErrDown)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.cfg.RequestSeconds)*time.Second)
	defer cancel()
	defer context.AfterFunc(c.lasts, cancel)()
	err := b.sent(ctx)
	if err == nil {
		err = b.conn.FlushWithContext(ctx)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) && b.server == nil {
		b.stuck.Store(true) // until tend has an answer of the server
	}
	return fmt.Errorf("flush bus: %w", err)
}

func (b *Bus) count(n int64) {
	if b.nodes != nil {
		b.nodes.Add(n)
	}
}

// full is a subject as the servers know it. Nodes of other databases have others: should they meet
// on one bus, nothing crosses until one of them is told to stop.
func (b *Bus) full(subject string) string { return root + b.cfg.Database + "." + subject }

// short is the opposite of full.
func (b *Bus) short(subject string) string { return subject[len(root)+len(b.cfg.Database)+1:] }

// root is what all subjects begin with, so that a cluster's permissions can name them.
const root = "carillon."

// Close sends what was published, ends all subscriptions and waits for running handlers. Nothing
// of the bus may be used afterwards, except Close. Who opened an embedded server also stops it.
func (b *Bus) Close() {
	b.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		_ = b.sent(ctx) // what the others miss by that they read again sooner or later
		close(b.done)
		b.conn.Close()
		b.workers.Wait()
		b.count(-1)
		if b.owner {
			b.server.Shutdown()
			b.server.WaitForShutdown()
		}
	})
}

// closeTime is how long Close waits for what was published to be sent.
const closeTime = time.Second
