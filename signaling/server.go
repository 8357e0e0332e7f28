// Package signaling is who is here: tabs, their devices and sessions, presence, and the
// way of everything that must reach a user. It speaks the protocol of package wire over
// WebSockets and over the data channels of calls, and joins chat, call and sfu together.
//
//	socket ─ reader ─ frames ─ table of methods ─ lanes ─ chat, calls
//	                                                         │ commit
//	socket ─ writer ─ queue ─ follow ─ hub ─ bus (user.<id>) ┘ bell
//
// A tab that is here costs one goroutine, one timer and about the memory that
// BenchmarkIdleTabs prints. Nothing of a user is true because it is in memory here: a
// bell that is lost, a node that dies, a socket that breaks cost a read of the log.
package signaling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/auth"
	"carillon/bus"
	"carillon/chat"
	"carillon/refusal"
	"carillon/settings"
	"carillon/switchboard"
	"carillon/wire"
)

// Deps are the parts that a Server joins together.
type Deps struct {
	Chat       *chat.Service
	Bus        *bus.Bus
	Verify     func(ctx context.Context, token string) (auth.Identity, error)
	Revoke     func(ctx context.Context, user string, t time.Time) error // tokens issued until t are no longer good
	ICEServers func(user string) []wire.ICEServer                        // nil: none
	Limits     wire.Limits                                               // told at hello; FrameBytes is ours
	Version    string
	Log        *slog.Logger
	Metrics    prometheus.Registerer // nil: not registered
	Calls      *switchboard.Board    // nil: no calls; closed by whoever made it, after the Server
}

// Server is one node. It is safe for concurrent use.
type Server struct {
	// Fixed at construction.
	cfg        Config
	node       string
	version    string
	log        *slog.Logger
	chat       *chat.Service
	bus        *bus.Bus
	verify     func(context.Context, string) (auth.Identity, error)
	revoke     func(context.Context, string, time.Time) error
	iceServers func(user string) []wire.ICEServer
	wireLimits wire.Limits
	metrics    *metrics
	limits     *limits
	presence   *presence
	calls      *switchboard.Board // nil: no calls
	catchUps   chan struct{}      // one per log that is being read
	subs       []*bus.Subscription
	done       chan struct{}

	work sync.WaitGroup // every goroutine of the server

	mu      sync.Mutex
	users   map[string]*hub
	links   map[*link]struct{}
	closing bool
}

// New starts a node on the bus. Close it.
func New(deps Deps, cfg Config) (*Server, error) {
	cfg = settings.Fill(cfg, Defaults())
	s := &Server{
		cfg: cfg, node: rand.Text(), version: deps.Version, log: deps.Log,
		chat: deps.Chat, bus: deps.Bus, verify: deps.Verify, revoke: deps.Revoke,
		iceServers: deps.ICEServers, wireLimits: deps.Limits,
		metrics:  newMetrics(deps.Metrics),
		limits:   newLimits(cfg.Rates),
		catchUps: make(chan struct{}, cfg.CatchUps),
		done:     make(chan struct{}),
		users:    map[string]*hub{},
		links:    map[*link]struct{}{},
		calls:    deps.Calls,
	}
	s.wireLimits.FrameBytes = cfg.FrameBytes
	if s.iceServers == nil {
		s.iceServers = func(string) []wire.ICEServer { return nil }
	}
	s.presence = newPresence(s)
	s.bus.OnGap(s.bellsLost)
	for subject, handle := range map[string]func(bus.Message){
		presenceSubject:                s.presence.heard,
		"node." + s.node + ".presence": s.presence.answer,
		"node." + s.node + ".sessions": s.answerSessions,
	} {
		sub, err := s.bus.Subscribe(subject, handle)
		if err != nil {
			s.unsubscribe()
			return nil, fmt.Errorf("start node: %w", err)
		}
		s.subs = append(s.subs, sub)
	}
	if s.calls != nil {
		if err := s.calls.Open(tabs{s}); err != nil {
			s.unsubscribe()
			return nil, fmt.Errorf("start node: %w", err)
		}
	}
	s.work.Go(s.heartbeats)
	return s, nil
}

func (s *Server) heartbeats() {
	t := time.NewTicker(milliseconds(s.cfg.HeartbeatMS))
	defer t.Stop()
	s.presence.beat(time.Now())
	for {
		select {
		case <-s.done:
			return
		case now := <-t.C:
			s.presence.beat(now)
		}
	}
}

// ServeHTTP is the endpoint /ws.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if closing {
		refusal.Answer(w, r, refusal.After(5*time.Second, refusal.Busy, "The server is shutting down."), s.log)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	sock := &socket{conn: conn, timeout: seconds(s.cfg.FrameSeconds), limit: int64(s.cfg.FrameBytes)}
	l := newLink(s, sock, remote(r), false)
	allowed := originAllowed(r.Header.Get("Origin"), r.Host, s.cfg.Origins)
	spoken := conn.Subprotocol() == wire.Subprotocol
	// The reader has a goroutine of its own, so that what net/http holds for the request
	// is free again: that is half of what an idle tab would cost.
	if !s.start(l, func() { l.readSocket(sock, allowed, spoken) }) {
		sock.abort()
	}
}

// start runs a link's reader, unless the server is closing.
func (s *Server) start(l *link, reader func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.links[l] = struct{}{}
	s.work.Go(func() {
		reader()
		l.ended()
		s.gone(l)
		s.mu.Lock()
		delete(s.links, l)
		s.mu.Unlock()
	})
	return true
}

func (l *link) readSocket(sock *socket, allowed, spoken bool) {
	switch {
	case !allowed:
		l.close(wire.CloseForbidden, "this origin is not allowed")
	case !spoken:
		l.close(wire.CloseTooOld, "ask for subprotocol "+wire.Subprotocol)
	default:
		if err := sock.read(l.receive); errors.Is(err, errTooLarge) {
			l.close(wire.CloseRate, "messages have at most "+strconv.FormatInt(sock.limit, 10)+" bytes")
		} else if late(err) {
			l.close(wire.CloseRate, "a message that has begun must be complete within "+sock.timeout.String())
			sock.drainRaw()
			return
		} else if err != nil {
			return
		}
	}
	sock.drain()
}

// Close tells all tabs to come back, each after its own part of the spread, and waits
// until they have gone and everything they asked for is answered, as long as ctx allows.
// The store must still be open, and the bus. Twice is fine.
func (s *Server) Close(ctx context.Context) {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	links := make([]*link, 0, len(s.links))
	for l := range s.links {
		links = append(links, l)
	}
	s.mu.Unlock()
	if first {
		close(s.done)
		s.presence.stop()
	}
	for _, l := range links {
		l.close(wire.CloseShutdown, strconv.Itoa(mathrand.IntN(s.cfg.SpreadMS+1)))
	}
	gone := make(chan struct{})
	go func() { s.work.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
		for _, l := range links {
			l.transport.abort()
		}
		<-gone
	}
	if first {
		s.presence.bye()
		s.bus.OnGap(nil)
		s.unsubscribe()
	}
}

func (s *Server) unsubscribe() {
	for _, sub := range s.subs {
		sub.Close()
	}
}
