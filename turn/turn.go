//go:build linux

// Package turn is a STUN and TURN server (RFC 8489, RFC 8656) over UDP, TCP and TLS, alone or
// inside carillon.
//
// The library pion/turn knows which allocations, permissions and channels there are and when
// they end (library.go). It never sees the network: requests are authenticated and checked
// before the library gets them (request.go), because it leaves checks out that we need, and
// packets go past it from socket to socket (loop.go, forward.go), because that is faster:
//
//	client ── listenSocket (UDP) ─┬─ request ── authenticate, check peer and quota ── library
//	       └─ stream (TCP, TLS) ──┤
//	                              └─ ChannelData, Send ── channel, permission, rate ── relay ── peer
//
// A relay is one allocation. The word for the time of a request or packet is now: nanoseconds
// of the server's own clock, which does not jump (Server.clock).
package turn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"carillon/inet"
	"carillon/limit"
	"carillon/tcp"
)

// Server serves until Close.
type Server struct {
	// Fixed at construction.
	cfg          Config
	facts        facts
	log          *slog.Logger
	started      time.Time
	credentials  *credentials
	nonces       *nonces
	policy       *policy
	quotas       *quotas
	connections  *tcp.Limiter
	answerLimits *answerLimits
	counts       *limitCounts
	total        limit.Bucket // bandwidth of all relays together
	library      *library
	loops        []*loop
	listeners    []*streamListener
	metrics      *metrics
	urls         []string
	streams      traffic // what streams send to peers

	draining     atomic.Bool   // new relays and connections are refused
	skew         atomic.Int64  // added to the clock, so that tests can let time pass
	nextLoop     atomic.Uint32 // the loop of the next stream's relay
	warned       atomic.Int64  // when the log last said that no relay could be opened
	reservations reservations
	running      sync.WaitGroup
	closing      sync.Once

	mu      sync.RWMutex
	live    map[netip.AddrPort]*relay // by bound address
	drained chan struct{}             // closed when the server drains and live is empty
}

// New binds the addresses and serves. It fails on a table that would be unsafe or cannot be
// bound. reg may be nil.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	cfg = cfg.filled()
	f, err := cfg.check()
	if err != nil {
		return nil, fmt.Errorf("turn.%w", err)
	}
	if cfg.needsSecret(f) {
		return nil, errors.New("turn.secrets: this server can be reached by others, and anyone could send through it; set turn.secrets (or turn.users), or listen on 127.0.0.1")
	}
	if len(cfg.Secrets) == 0 && len(cfg.Users) == 0 && !cfg.STUNOnly {
		cfg.Secrets = []string{rand.Text()}
	}
	counts := newLimitCounts()
	s := &Server{
		cfg: cfg, facts: f, log: log, started: time.Now(),
		counts:       counts,
		credentials:  &credentials{cfg.Realm, cfg.Secrets, cfg.Users},
		nonces:       newNonces(),
		quotas:       newQuotas(cfg.Quota, counts),
		connections:  tcp.NewLimiter(cfg.Limits.connections(), "turn.limits", nil, log),
		answerLimits: newAnswerLimits(cfg.Limits, counts),
		live:         make(map[netip.AddrPort]*relay),
		drained:      make(chan struct{}),
		reservations: reservations{kept: make(map[string]reservation)},
	}
	s.total.Limit(bandwidth(cfg.Quota.TotalKbps))
	if s.policy, err = newPolicy(cfg, f, new(inet.Own).Has); err != nil {
		return nil, fmt.Errorf("turn.%w", err)
	}
	s.metrics = newMetrics(s)
	if err := s.open(); err != nil {
		s.release()
		return nil, err
	}
	if reg != nil {
		if err := reg.Register(s.metrics); err != nil {
			s.release()
			return nil, fmt.Errorf("register turn metrics: %w", err)
		}
		s.metrics.reg = reg
	}
	for _, l := range s.loops {
		s.running.Go(l.run)
	}
	for _, l := range s.listeners {
		s.running.Go(l.accept)
	}
	return s, nil
}

// open binds everything; nothing runs yet.
func (s *Server) open() error {
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(s)
		if err != nil {
			return err
		}
		s.loops = append(s.loops, l)
	}
	for _, r := range s.facts.relays {
		sock, err := openSocket(r.bound, s.facts.low, s.facts.high, false)
		if err != nil && !s.cfg.STUNOnly {
			return fmt.Errorf("turn.relay_addresses: %w", err)
		}
		if err == nil {
			unix.Close(sock.fd)
		}
	}
	var libraryConns []*libraryConn
	for i, l := range s.facts.listens {
		bound, opened, err := s.openListen(l)
		if err != nil {
			return err
		}
		s.facts.listens[i].address = bound
		libraryConns = append(libraryConns, opened...)
	}
	for _, l := range s.facts.listens {
		if s.facts.loopback || !l.address.Addr().IsLoopback() {
			s.urls = append(s.urls, s.url(l))
		}
	}
	var err error
	s.library, err = newLibrary(libraryConns)
	return err
}

// Relays is how many relays are live.
func (s *Server) Relays() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.live)
}

// Drain refuses new relays and connections, and returns when the last relay has ended or ctx
// has. Close follows.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	s.checkDrainedLocked()
	s.mu.Unlock()
	for _, l := range s.listeners {
		l.listener.Close() // its connections go on
	}
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain turn: %d relays still live: %w", s.Relays(), ctx.Err())
	}
}

// checkDrainedLocked closes drained if the server drains and the last relay has ended.
func (s *Server) checkDrainedLocked() {
	if s.draining.Load() && len(s.live) == 0 {
		select {
		case <-s.drained:
		default:
			close(s.drained)
		}
	}
}

// Close ends every relay and connection and waits for all goroutines. It may be called twice.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.draining.Store(true)
		for _, l := range s.listeners {
			l.close()
		}
		for _, l := range s.loops {
			l.stop()
		}
		s.running.Wait()
		s.library.close()
		s.reservations.close()
		if s.metrics.reg != nil {
			s.metrics.reg.Unregister(s.metrics)
		}
	})
	return nil
}

// release closes what a failed New has opened.
func (s *Server) release() {
	for _, l := range s.listeners {
		l.listener.Close()
	}
	for _, l := range s.loops {
		l.stopped = true
		l.run()
	}
	if s.library != nil {
		s.library.close()
	}
}

// clock is nanoseconds since the server started, steady even when the wall clock jumps.
func (s *Server) clock() int64 { return int64(time.Since(s.started)) + s.skew.Load() }

// wall is the time of day, for credentials and nonces.
func (s *Server) wall() time.Time { return time.Now().Add(time.Duration(s.skew.Load())) }
