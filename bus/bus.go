// Package bus carries what crosses nodes: notifications that a user's log has grown,
// requests to calls, presence. It is NATS: embedded in this process without a listener, or
// a cluster by URL. The code above it is the same for both.
//
// The bus may lose a message (a full queue, a lost connection to the cluster), and a
// publisher never waits. What must not be lost is stored elsewhere, and is read again when
// [Bus.OnGap] says that a message was lost:
//
//	b, err := bus.Open(cfg, log)
//	sub, err := b.Subscribe("user.alice", func(m bus.Message) { … })
//	b.OnGap(func(subject string) { … read the log of the user whom the subject names … })
//
// Limits: a message is at most 1 MiB. The queue of each dispatcher is bounded by
// [Config.Queue]. A handler must not block: its dispatcher waits for it, and so do the
// messages of other subscriptions.
package bus

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"carillon/settings"
)

// ErrNoResponders means that nobody serves the subject of a request: its owner is gone.
// The request reached no one and may be made elsewhere.
var ErrNoResponders = errors.New("nobody serves this subject")

// Bus is one node's connection to the server. Several may share an embedded server, see
// [Bus.Join].
type Bus struct {
	// Fixed at construction.
	cfg     Config
	log     *slog.Logger
	server  *server.Server // embedded; nil with a cluster
	owner   bool           // Close stops the server
	conn    *nats.Conn
	queues  []chan *nats.Msg
	seed    maphash.Seed
	done    chan struct{}
	workers sync.WaitGroup
	once    sync.Once

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

// Open connects to the cluster that cfg names, or starts an embedded server.
func Open(cfg Config, log *slog.Logger) (*Bus, error) {
	cfg = settings.Fill(cfg, Defaults())
	if cfg.URL != "" {
		return connect(cfg, log, nil, false)
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
	b, err := connect(cfg, log, srv, true)
	if err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
	return b, err
}

// Join gives one more node on the same bus: another connection to the cluster, or to
// this process's embedded server. Closing it does not stop the server.
func (b *Bus) Join() (*Bus, error) { return connect(b.cfg, b.log, b.server, false) }

func connect(cfg Config, log *slog.Logger, srv *server.Server, owner bool) (*Bus, error) {
	b := &Bus{
		cfg: cfg, log: log, server: srv, owner: owner,
		seed:     maphash.MakeSeed(),
		done:     make(chan struct{}),
		handlers: map[*nats.Subscription]func(Message){},
		losses:   map[*nats.Subscription]int{},
	}
	opts := []nats.Option{
		nats.Name("carillon"),
		nats.MaxReconnects(-1),
		nats.Timeout(10 * time.Second),
		nats.ErrorHandler(b.asyncError),
		nats.ReconnectHandler(func(*nats.Conn) { b.tellGap("") }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("connection to the bus lost, connecting again", "err", err)
			}
		}),
	}
	if cfg.Credentials != "" {
		opts = append(opts, nats.UserCredentials(cfg.Credentials))
	}
	if srv != nil {
		opts = append(opts, nats.InProcessServer(srv))
	}
	var err error
	if b.conn, err = nats.Connect(cfg.URL, opts...); err != nil {
		return nil, fmt.Errorf("connect to bus %s: %w", cfg.URL, err)
	}
	for range cfg.Dispatchers {
		queue := make(chan *nats.Msg, cfg.Queue)
		b.queues = append(b.queues, queue)
		b.workers.Go(func() { b.dispatch(queue) })
	}
	b.workers.Go(b.watchLosses)
	return b, nil
}

// Publish sends data to all that subscribe to the subject, on every node. It does not
// wait; an error means that the connection is closed or its buffer is full.
func (b *Bus) Publish(subject string, data []byte) error {
	if err := b.conn.Publish(subject, data); err != nil {
		return fmt.Errorf("publish to %s: %w", subject, err)
	}
	return nil
}

// Request sends data to whoever serves the subject and waits for the answer, as long as
// ctx allows and at most [Config.RequestSeconds].
func (b *Bus) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.cfg.RequestSeconds)*time.Second)
	defer cancel()
	m, err := b.conn.RequestWithContext(ctx, subject, data)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, fmt.Errorf("ask %s: %w", subject, ErrNoResponders)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	return m.Data, nil
}

// Flush waits until all that was published and subscribed before has reached the server.
func (b *Bus) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.cfg.RequestSeconds)*time.Second)
	defer cancel()
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("flush bus: %w", err)
	}
	return nil
}

// Close ends all subscriptions and waits for running handlers. Nothing of the bus may be
// used afterwards, except Close. Who opened an embedded server also stops it.
func (b *Bus) Close() {
	b.once.Do(func() {
		b.conn.Close()
		close(b.done)
		b.workers.Wait()
		if b.owner {
			b.server.Shutdown()
			b.server.WaitForShutdown()
		}
	})
}
