package sfu

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"carillon/refusal"
	"carillon/settings"
	"carillon/sfu/consent"
	"carillon/tcp"
	"carillon/udp"
)

// SFU owns the media ports, the rooms and the one ticker that serves them all.
type SFU struct {
	// Fixed at construction.
	cfg      Config
	log      *slog.Logger
	dtlsTime time.Duration // a handshake that is not done by then has failed
	// now is the time since the SFU was made, which never runs backwards. All times of this
	// package that are a time.Duration count so.
	now      func() time.Duration
	conn     *udp.Conn
	tcp      *tcp.Listener // nil: no ICE-TCP
	streams  *tcp.Limiter  // of the connections of tcp
	gate     *consent.Gate // conn as pion sees it
	udpMux   ice.UDPMux
	tcpMux   ice.TCPMux
	settings func() webrtc.SettingEngine // makes one for each peer
	metrics  *metrics
	quotas   *quotas
	done     chan struct{}  // closed by Close
	wg       sync.WaitGroup // the tick loop, and peers that are closing
	once     sync.Once      // of Close

	mu     sync.Mutex
	rooms  map[string]*Room // by id
	closed bool
}

// New opens the media ports. Reg may be nil.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*SFU, error) {
	start := time.Now()
	return open(cfg, log, reg, func() time.Duration { return time.Since(start) })
}

// open is New with a clock.
func open(cfg Config, log *slog.Logger, reg prometheus.Registerer, now func() time.Duration) (*SFU, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = settings.Fill(cfg, Defaults())
	s := &SFU{cfg: cfg, log: log, dtlsTime: dtlsTime, now: now, done: make(chan struct{}), rooms: make(map[string]*Room), quotas: newQuotas(cfg.Quota)}
	if err := s.bind(); err != nil {
		return nil, err
	}
	s.settings = s.engine()
	var err error
	if s.metrics, err = newMetrics(s, reg); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics: %w", err), s.Close())
	}
	s.wg.Go(s.tick)
	return s, nil
}

// bind opens the UDP and the TCP port.
func (s *SFU) bind() (err error) {
	if s.conn, err = udp.Listen("udp", s.cfg.Listen, s.cfg.UDP); err != nil {
		return fmt.Errorf("open media port: %w", err)
	}
	if s.cfg.NoTCP {
		return nil
	}
	l := s.cfg.SharedTCP
	if l == nil {
		if l, err = listenTCP(s.cfg.Listen, s.conn.AddrPort().Port()); err != nil {
			return errors.Join(fmt.Errorf("open media port: %w", err), s.conn.Close())
		}
	}
	s.streams = tcp.NewLimiter(s.cfg.ICETCP, "media.tcp", nil, s.log)
	s.tcp = s.streams.Listen(l)
	return nil
}

// listenTCP binds an address. If any port will do, it first tries the one that UDP has, for
// the sake of firewalls.
func listenTCP(address string, udpPort uint16) (net.Listener, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && port == "0" {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(udpPort))); err == nil {
			return l, nil
		}
	}
	return net.Listen("tcp", address)
}

// Addresses are the bound UDP and TCP address; the latter is invalid without ICE-TCP.
func (s *SFU) Addresses() (media, stream netip.AddrPort) {
	if s.tcp != nil {
		stream = s.tcp.Addr().(*net.TCPAddr).AddrPort()
	}
	return s.conn.AddrPort(), stream
}

// Room returns the room with this id. It exists as long as it has peers.
func (s *SFU) Room(id string) *Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.rooms[id]; ok {
		return r
	}
	r := newRoom(s, id)
	if s.closed {
		r.shut = true
		return r
	}
	s.rooms[id] = r
	return r
}

// forget drops a room if it is empty. The caller holds no lock.
func (s *SFU) forget(r *Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.peers) == 0 && s.rooms[r.id] == r {
		r.gone = true
		delete(s.rooms, r.id)
	}
}

// Close ends all rooms, closes the ports and waits for every goroutine. Closing twice
// is fine; afterwards Join is refused.
func (s *SFU) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		rooms := make([]*Room, 0, len(s.rooms))
		for _, r := range s.rooms {
			rooms = append(rooms, r)
		}
		s.mu.Unlock()
		for _, r := range rooms {
			r.close()
		}
		close(s.done)
		s.wg.Wait()
		if s.udpMux != nil {
			err = errors.Join(err, s.udpMux.Close())
		}
		if s.tcpMux != nil {
			err = errors.Join(err, s.tcpMux.Close())
		} else if s.tcp != nil {
			err = errors.Join(err, s.tcp.End())
		}
		err = errors.Join(err, s.conn.Close())
	})
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// tickEvery is how often a room does what is due by time: requests for key frames and
// repairs that were held back, feedback to senders, the choice of layers.
const tickEvery = 50 * time.Millisecond

// tick is the one ticker of the SFU: no peer, slot or source has a timer of its own.
func (s *SFU) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	var rooms []*Room
	for n := 0; ; n++ {
		select {
		case <-s.done:
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		rooms = rooms[:0]
		for _, r := range s.rooms {
			rooms = append(rooms, r)
		}
		s.mu.Unlock()
		s.gate.Tick()
		for _, r := range rooms {
			r.tick(s.now(), n)
		}
		clear(rooms) // else those that ended would be kept
	}
}

var errShutdown = refusal.New(refusal.Busy, "The server is shutting down. Try again in a moment.")
