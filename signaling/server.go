// Package signaling knows who is here: tabs, their devices and sessions, presence. It is
// the one way to the tabs of a user, on whichever nodes they are. It speaks the protocol of
// package wire over WebSockets and over the data channels of calls, and hands what tabs ask
// to chat and to the switchboard.
//
//	client ─ reader ─ frames ─ table of methods ─ lanes ─ chat, switchboard
//	                                                        │ commit
//	client ─ writer ─ queue ─ cursor of each feed ──────────┤ directly
//	                               └─ other nodes ─ bus ────┘ user.<id>
//
// An idle tab costs one goroutine, one timer and about the memory that BenchmarkIdleTabs
// prints. What is told has a place in a feed, which is in the database; what is in memory here
// only says who wants it, and how far this node has told. An envelope that is lost, a node that
// dies, a WebSocket that breaks cost a read of a feed, and no change.
package signaling

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/auth"
	"carillon/bus"
	"carillon/chat"
	"carillon/limit"
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
	Revoked    Revocations
	ICEServers func(user string) []wire.ICEServer // nil: none
	Limits     wire.Limits                        // told at hello; FrameBytes is ours
	Attempts   *limit.Budget                      // of connections whose hello has not succeeded; nil: no limit
	Version    string
	Log        *slog.Logger
	Metrics    prometheus.Registerer // nil: not registered
	Files      Files                 // nil: no files
	Calls      *switchboard.Board    // nil: no calls; closed by whoever made it, after the Server
	Previews   Previews              // nil: none of links
}

// Revocations keep which tokens are void before they expire. Package store implements it.
type Revocations interface {
	Revoked(ctx context.Context, users []string) (map[string]auth.Revoked, error)
	RevokeAll(ctx context.Context, user string, until time.Time) error
	RevokeTokens(ctx context.Context, user string, expire map[auth.TokenID]time.Time) error
}

// Previews are those of links. Package preview implements it.
type Previews interface {
	// Get returns the preview of a link, or nil if there is nothing to show. It takes a few seconds at most.
	Get(payer limit.Payer, link string) (*chat.Preview, error)
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
	revoked    Revocations
	iceServers func(user string) []wire.ICEServer
	wireLimits wire.Limits
	metrics    *metrics
	limits     *limits
	attempts   *limit.Budget
	presence   *presence
	calls      *switchboard.Board // nil: no calls
	previews   Previews           // nil: none
	files      Files              // nil: no files
	feeds      *feeds
	readers    *readersCache
	large      *largeGroups
	watches    *watches
	liveCalls  *liveCalls
	sweeper    sweeper
	seed       maphash.Seed
	fanOut     [fanOuts]chan told
	greetings  chan struct{} // one for each whose turn it is
	subs       []*bus.Subscription
	done       chan struct{} // closed when the server begins to close

	// requests is the parent of the contexts of all requests. It outlives the connections
	// they came from, and ends when Close can wait no longer.
	requests context.Context
	abandon  context.CancelFunc

	work    sync.WaitGroup // every goroutine of the server
	closing sync.Once

	mu          sync.Mutex
	users       map[string]*localUser
	connections map[*connection]struct{}
	closed      bool // no new connection is taken
}

// New starts a node on the bus. Close it.
func New(deps Deps, cfg Config) (*Server, error) {
	cfg = settings.Fill(cfg, Defaults())
	s := &Server{
		cfg: cfg, node: rand.Text(), version: deps.Version, log: deps.Log,
		chat: deps.Chat, bus: deps.Bus, verify: deps.Verify, revoked: deps.Revoked,
		iceServers: deps.ICEServers, wireLimits: deps.Limits,
		metrics:   newMetrics(deps.Metrics),
		limits:    newLimits(cfg),
		attempts:  deps.Attempts,
		feeds:     newFeeds(),
		sweeper:   sweeper{soon: make(chan struct{}, 1)},
		seed:      maphash.MakeSeed(),
		greetings: make(chan struct{}, cfg.Greetings),
		done:      make(chan struct{}),
		calls:     deps.Calls,
		previews:  deps.Previews,
		files:     deps.Files,

		users:       map[string]*localUser{},
		connections: map[*connection]struct{}{},
	}
	limit.Register(deps.Metrics, s.limits.counts()...)
	s.requests, s.abandon = context.WithCancel(context.Background())
	s.wireLimits.FrameBytes = cfg.FrameBytes
	if s.iceServers == nil {
		s.iceServers = func(string) []wire.ICEServer { return nil }
	}
	s.sweeper.ping.Store(emptyPing)
	s.readers = newReaders(s)
	s.large = newLargeGroups(s)
	s.presence = newPresence(s)
	s.watches = newWatches(s)
	s.liveCalls = newLiveCalls(s)
	s.bus.OnGap(s.envelopesLost)
	for subject, handle := range map[string]func(bus.Message){
		presenceSubject:                s.presence.handleReport,
		largeSubject:                   s.large.receiveGrew,
		"node." + s.node + ".presence": s.presence.answerPage,
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
	for i := range s.fanOut {
		s.fanOut[i] = make(chan told, fanOutQueue)
		s.work.Go(func() { s.tellChanges(s.fanOut[i]) })
	}
	s.work.Go(s.sweeps)
	s.work.Go(s.heartbeats)
	return s, nil
}

func (s *Server) heartbeats() {
	t := time.NewTicker(milliseconds(s.cfg.HeartbeatMS))
	defer t.Stop()
	s.presence.heartbeat(time.Now())
	for {
		select {
		case <-s.done:
			return
		case now := <-t.C:
			s.presence.heartbeat(now)
			s.run(func() {
				ctx, cancel := s.timeout(requestTime)
				defer cancel()
				s.presence.save(ctx)
			})
		}
	}
}

// pause lets others come first for a while, unless the server is closing.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}

// ServeHTTP is the endpoint /ws.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		refusal.Answer(w, r, refusal.After(5*time.Second, refusal.Busy, "The server is shutting down."), s.log)
		return
	}
	payer := limit.Payer{Address: limit.Client(r.RemoteAddr)}
	if err := s.attempts.Take(payer, 1, time.Now()); err != nil { // until hello succeeds
		refusal.Answer(w, r, err, s.log)
		return
	}
	framing := &framing{}
	conn, err := upgrader.Upgrade(hijacked{w, framing}, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	socket := &webSocket{conn: conn, framing: framing, timeout: seconds(s.cfg.FrameSeconds), limit: int64(s.cfg.FrameBytes)}
	c := newConnection(s, socket, false)
	c.payer = payer
	socket.countControls(func() bool { return c.countFrame(time.Now()) })
	c.log = s.log.With("client", r.RemoteAddr)
	allowed := originAllowed(r.Header.Get("Origin"), r.Host, s.cfg.Origins)
	spoken := conn.Subprotocol() == wire.Subprotocol
	// The reader has a goroutine of its own, so that what net/http holds for the request
	// is free again: that is half of what an idle tab would cost.
	if !s.start(c, func() { c.readWebSocket(socket, allowed, spoken) }) {
		c.ended()
	}
}

// start runs a connection's reader, unless the server is closing.
func (s *Server) start(c *connection, reader func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.connections[c] = struct{}{}
	s.work.Go(func() {
		reader()
		c.ended()
		s.endSession(c)
		s.mu.Lock()
		delete(s.connections, c)
		s.mu.Unlock()
	})
	return true
}

// run starts what ends by itself, unless the server is closing.
func (s *Server) run(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(f)
	return true
}

// timeout makes the context of what is to be done within d, whatever becomes of the
// connection that asked for it.
func (s *Server) timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.requests, d)
}

// Close tells all tabs to come back, each after its own part of the spread, and waits
// until they have gone and everything they asked for is answered, as long as ctx allows;
// then it ends what is left. The store must still be open, the bus, and the switchboard.
// It may be called twice. The Server takes no connection afterwards.
func (s *Server) Close(ctx context.Context) {
	s.closing.Do(func() {
		open := s.refuseNew()
		close(s.done) // heartbeats and timers end
		s.presence.stop()
		for _, c := range open {
			c.close(wire.CloseShutdown, strconv.Itoa(mathrand.IntN(s.spread(c)+1)))
		}
		s.wait(ctx, open)
		s.presence.leave()
		s.bus.OnGap(nil)
		s.unsubscribe()
	})
}

// spread is the time in milliseconds within which a tab comes back. One in a call is among the
// first, for the media of the call is silent until then.
func (s *Server) spread(c *connection) int {
	if c.liveness.hostsLeg() {
		return s.cfg.SpreadMS / 10
	}
	return s.cfg.SpreadMS
}

// refuseNew takes no new connection from now on, and returns those that are open.
func (s *Server) refuseNew() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return slices.Collect(maps.Keys(s.connections))
}

// wait waits for all goroutines. When ctx ends first it breaks the connections and ends
// the requests; what then still runs looks at its context, and ends at once.
func (s *Server) wait(ctx context.Context, open []*connection) {
	defer s.abandon()
	ended := make(chan struct{})
	go func() { s.work.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		for _, c := range open {
			c.out.transport.abort()
		}
		s.abandon()
		<-ended
	}
}

func (s *Server) unsubscribe() {
	for _, sub := range s.subs {
		sub.Close()
	}
}
