//go:build linux

// Package turn is a STUN and TURN server (RFC 8489, RFC 8656) over UDP, TCP and TLS, alone or
// inside carillon.
//
// The library pion/turn keeps the books: which allocations, permissions and channels there
// are and when they end (library.go). Around it stand the parts that face the network, so
// that what the library leaves open is closed before it is asked (request.go), and so that
// packets do not pass through it at all (loop.go, carry.go):
//
//	client ── door (UDP) ─┬─ request ── authenticate, judge the peer, quotas ── library
//	       └─ stream (TCP)┘
//	                      └─ ChannelData, Send ── channel, permission, pace ── relay ── peer
package turn

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"carillon/certs"
)

// Server serves until Close.
type Server struct {
	// Fixed at construction.
	cfg         Config
	facts       facts
	log         *slog.Logger
	started     time.Time
	credentials *credentials
	nonces      *nonces
	policy      *policy
	quotas      *quotas
	connections *connections
	strangers   *strangers
	total       pace
	library     *library
	loops       []*loop
	listeners   []*streamListener
	metrics     *metrics
	urls        []string
	streams     traffic // what streams send to peers

	draining     atomic.Bool
	skew         atomic.Int64 // tests let time pass with it
	nextLoop     atomic.Uint32
	warned       atomic.Int64
	reservations reservations
	running      sync.WaitGroup
	closing      sync.Once

	mu   sync.RWMutex
	live map[netip.AddrPort]*relay // by bound address
	none chan struct{}             // closed when draining and live is empty
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
	s := &Server{
		cfg: cfg, facts: f, log: log, started: time.Now(),
		credentials:  &credentials{cfg.Realm, cfg.Secrets, cfg.Users},
		nonces:       newNonces(),
		quotas:       newQuotas(cfg.Quota),
		connections:  &connections{limits: cfg.Limits, addresses: make(map[netip.Addr]int)},
		strangers:    newStrangers(cfg.Limits),
		live:         make(map[netip.AddrPort]*relay),
		none:         make(chan struct{}),
		reservations: reservations{kept: make(map[string]socket)},
	}
	s.total.limit(cfg.Quota.TotalKbps)
	if s.policy, err = newPolicy(cfg, f, interfaceAddresses()); err != nil {
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
	var wires []*wire
	for i, l := range s.facts.listens {
		bound, opened, err := s.openListen(l)
		if err != nil {
			return err
		}
		s.facts.listens[i].address = bound
		wires = append(wires, opened...)
	}
	for _, l := range s.facts.listens {
		if s.facts.loopback || !l.address.Addr().IsLoopback() {
			s.urls = append(s.urls, s.url(l))
		}
	}
	var err error
	s.library, err = newLibrary(wires)
	return err
}

func (s *Server) openListen(l listen) (netip.AddrPort, []*wire, error) {
	if l.transport == "udp" {
		doors, err := openDoors(l, s.loops)
		if err != nil {
			return l.address, nil, err
		}
		var wires []*wire
		for i, d := range doors {
			s.loops[i].doors = append(s.loops[i].doors, d)
			if err := s.loops[i].watch(d.out.fd, source{door: d}); err != nil {
				return l.address, nil, fmt.Errorf("turn.udp: watch %s: %w", l.address, err)
			}
			wires = append(wires, d.wire)
		}
		return doors[0].listen.address, wires, nil
	}
	listener, secure, err := s.openStreams(l)
	if err != nil {
		return l.address, nil, err
	}
	bound := netip.MustParseAddrPort(listener.Addr().String())
	l.address = netip.AddrPortFrom(l.address.Addr(), bound.Port())
	w := newWire(l.address)
	s.listeners = append(s.listeners, &streamListener{
		server: s, transport: l.transport, listener: listener, tls: secure, wire: w, address: l.address, streams: make(map[net.Conn]struct{}),
	})
	return l.address, []*wire{w}, nil
}

// openStreams binds an address, unless connections to it are handed over already decrypted.
func (s *Server) openStreams(l listen) (listener net.Listener, secure *tls.Config, err error) {
	if l.transport == "tls" {
		if d := s.cfg.Decrypted; d != nil {
			port := netip.MustParseAddrPort(d.Addr().String()).Port()
			if l.address.Port() == 0 || l.address.Port() == port {
				return d, nil, nil
			}
		}
		if s.cfg.Cert == "" || s.cfg.Key == "" {
			return nil, nil, errors.New("turn.tls needs a certificate: set turn.cert and turn.key to its files")
		}
		pair, err := certs.Load(s.cfg.Cert, s.cfg.Key, s.log)
		if err != nil {
			return nil, nil, fmt.Errorf("turn.cert, turn.key: %w", err)
		}
		secure = &tls.Config{GetCertificate: pair.Get, MinVersion: tls.VersionTLS12}
	}
	if listener, err = net.Listen("tcp", l.address.String()); err != nil {
		return nil, nil, fmt.Errorf("turn.%s: %w", l.transport, err)
	}
	return listener, secure, nil
}

// URLs are what clients use to reach this server, UDP first.
func (s *Server) URLs() []string { return s.urls }

func (s *Server) url(l listen) string {
	host := s.cfg.Host
	if host == "" {
		a := l.address.Addr()
		if a.IsUnspecified() {
			a = s.facts.relays[0].shown
		}
		host = a.String()
	}
	at := net.JoinHostPort(host, fmt.Sprint(l.address.Port()))
	switch {
	case s.cfg.STUNOnly && l.transport == "tls":
		return "stuns:" + at
	case s.cfg.STUNOnly:
		return "stun:" + at
	case l.transport == "tls":
		return "turns:" + at + "?transport=tcp"
	}
	return "turn:" + at + "?transport=" + l.transport
}

// ICEServer is one entry of a browser's RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// ICEServers gives a user this server's URLs with a credential that is good for new relays
// until credential_seconds after now.
func (s *Server) ICEServers(user string, now time.Time) []ICEServer {
	if len(s.cfg.Secrets) == 0 {
		return []ICEServer{{URLs: s.urls}} // STUN only, or static users, who know their passwords
	}
	name, password := Credential(s.cfg.Secrets[0], user, now.Add(time.Duration(s.cfg.CredentialSeconds)*time.Second))
	return []ICEServer{{URLs: s.urls, Username: name, Credential: password}}
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
	if !s.draining.Swap(true) && len(s.live) == 0 {
		close(s.none)
	}
	s.mu.Unlock()
	for _, l := range s.listeners {
		l.stopAccepting()
	}
	select {
	case <-s.none:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain turn: %d relays still live: %w", s.Relays(), ctx.Err())
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

// release gives back what a failed New has opened.
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

// resolve finds where packets for a peer go: our own SFU and our own relays under the address
// they are bound to. open is true if the peer is one of these.
func (s *Server) resolve(peer netip.AddrPort) (to netip.AddrPort, open bool) {
	if media, ok := s.policy.mediaAt(peer); ok {
		return media, true
	}
	to = s.policy.boundAddress(peer)
	return to, s.liveRelay(to) != nil
}

func (s *Server) liveRelay(bound netip.AddrPort) *relay {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live[bound]
}

// relayAddress picks where a relay lives.
func (s *Server) relayAddress(six bool) (relayAddress, bool) {
	for _, r := range s.facts.relays {
		if r.bound.Is6() == six {
			return r, true
		}
	}
	return relayAddress{}, false
}

// openRelay opens a relay's socket and starts to read it.
func (s *Server) openRelay(o *origin, who caller, share share, address relayAddress, wish portWish) (*relay, error) {
	var sock socket
	var err error
	switch {
	case wish.token != nil:
		var ok bool
		if sock, ok = s.reservations.take(string(wish.token)); !ok {
			return nil, errNoToken
		}
		address = s.addressOf(sock.bound.Addr())
	case wish.reserve:
		sock, err = s.reservations.openPair(address.bound, s.facts.low, s.facts.high)
	default:
		sock, err = openSocket(address.bound, s.facts.low, s.facts.high, wish.even)
	}
	if err != nil {
		return nil, err
	}
	r := &relay{
		server: s, loop: o.loop, client: o.client, transport: o.transport,
		shown: netip.AddrPortFrom(address.shown, sock.bound.Port()), bound: sock.bound,
		name: who.name, key: who.key, token: sock.token, share: share, began: time.Now(),
		clientRaw: o.raw, door: o.door, stream: o.stream,
		out: outlet{fd: sock.fd}, ended: make(chan struct{}),
	}
	q := s.cfg.Quota
	r.limited = q.RelayKbps > 0 || q.UserKbps > 0 || q.TotalKbps > 0
	r.up.limit(q.RelayKbps)
	r.down.limit(q.RelayKbps)
	if n := s.cfg.Limits.RequestsPerRelay; n > 0 {
		r.requests.cost, r.requests.burst = 1_000_000_000_000/int64(n), 1_000_000_000
	}
	r.peers.Store(&peerTable{})
	if r.loop == nil {
		r.loop = s.loops[s.nextLoop.Add(1)%uint32(len(s.loops))]
		r.loop.post(func() { r.loop.adopt(r) })
	} else if err := r.loop.adopt(r); err != nil {
		unix.Close(sock.fd)
		return nil, err
	}
	s.mu.Lock()
	s.live[r.bound] = r
	s.mu.Unlock()
	return r, nil
}

func (s *Server) addressOf(bound netip.Addr) relayAddress {
	for _, r := range s.facts.relays {
		if r.bound == bound {
			return r
		}
	}
	return relayAddress{bound, bound}
}

// ended is called once per relay, from whichever goroutine ended it.
func (s *Server) ended(r *relay) {
	s.quotas.release(r.share)
	s.mu.Lock()
	delete(s.live, r.bound)
	if s.draining.Load() && len(s.live) == 0 {
		select {
		case <-s.none:
		default:
			close(s.none)
		}
	}
	s.mu.Unlock()
	if r.stream != nil {
		r.stream.relayEnded()
	}
	s.recordUsage(r)
}

// recordUsage writes one line per relay, for whoever bills or looks for abuse.
func (s *Server) recordUsage(r *relay) {
	why := "expired"
	if given := r.why.Load(); given != nil {
		why = *given
	}
	if why == whyRefused {
		return // it never was one
	}
	s.metrics.endedRelay(r.transport)
	s.log.Info("turn usage", "user", r.share.user.name, "transport", r.transport,
		"client", r.client.Addr(), "relay", r.shown.Port(), "seconds", int(time.Since(r.began).Seconds()),
		"sent_bytes", r.sentBytes.Load(), "sent_packets", r.sentPackets.Load(),
		"received_bytes", r.receivedBytes.Load(), "received_packets", r.receivedPackets.Load(), "why", why)
}

// noteNoRelay logs that a relay could not be opened, at most once a second.
func (s *Server) noteNoRelay(err error) {
	now := s.clock()
	if last := s.warned.Load(); now-last > int64(time.Second) && s.warned.CompareAndSwap(last, now) {
		s.log.Warn("turn opens no relay", "err", err)
	}
}
