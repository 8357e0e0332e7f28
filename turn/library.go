//go:build linux

package turn

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v3"
)

// library is pion/turn as the keeper of allocations, permissions and channels: which there
// are, and when they end. It sees no network. Requests reach it one at a time, after we have
// authenticated and judged them, under a name and nonce of its own; the relay sockets it
// "opens" are those we hand it, and it never reads or writes a packet through them.
type library struct {
	server *pion.Server
	key    []byte

	mu    sync.Mutex
	nonce []byte
}

const libraryName = "carillon"

// wire is what the library takes for one of its sockets. One goroutine of the library reads
// it; when that comes back for the next request, it has said all it will say to the last.
type wire struct {
	local    net.Addr
	question chan question
	answered chan struct{}
	done     chan struct{}
	closed   sync.Once

	// Owned by the library's goroutine between a question and answered.
	asked  bool
	answer []byte
	relay  *relay

	mu sync.Mutex // one question at a time
}

type question struct {
	raw  []byte
	from net.Addr
}

func newWire(local netip.AddrPort) *wire {
	return &wire{
		local:    net.UDPAddrFromAddrPort(local),
		question: make(chan question),
		answered: make(chan struct{}),
		done:     make(chan struct{}),
	}
}

func newLibrary(wires []*wire) (*library, error) {
	l := &library{key: []byte(rand.Text())}
	cfg := pion.ServerConfig{
		Realm:         libraryName,
		AuthHandler:   func(string, string, net.Addr) ([]byte, bool) { return l.key, true },
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
		InboundMTU:    maxFrame + 1,
	}
	for _, w := range wires {
		cfg.PacketConnConfigs = append(cfg.PacketConnConfigs, pion.PacketConnConfig{PacketConn: w, RelayAddressGenerator: w})
	}
	var err error
	l.server, err = pion.NewServer(cfg)
	return l, err
}

// close ends every allocation.
func (l *library) close() { l.server.Close() } //nolint:errcheck // our wires do not fail

// verdict is the library's answer. The zero value is none at all.
type verdict struct {
	answered bool
	code     int // zero: success
	lifetime uint32
}

// ask lets the library act on an authenticated request. Only attributes of the given kinds
// are passed on, peers as the caller resolved them. If the request opens an allocation, relay
// is its socket.
func (l *library) ask(w *wire, m *message, from netip.AddrPort, peers []netip.AddrPort, relay *relay) verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.relay = relay
	defer func() { w.relay = nil }()
	for range 2 {
		v, answer := l.askLocked(w, m, from, peers)
		if v.code != 438 {
			return v
		}
		nonce, _ := answer.find(attrNonce)
		l.mu.Lock()
		l.nonce = append([]byte(nil), nonce...)
		l.mu.Unlock()
	}
	return verdict{}
}

func (l *library) askLocked(w *wire, m *message, from netip.AddrPort, peers []netip.AddrPort) (verdict, *message) {
	l.mu.Lock()
	nonce := l.nonce
	l.mu.Unlock()
	b := build(m.method(), classRequest, m.transaction())
	for _, kind := range []attribute{attrRequestedTransport, attrLifetime, attrChannelNumber} {
		if value, ok := m.find(kind); ok {
			b.add(kind, value)
		}
	}
	for _, p := range peers {
		b.addAddress(attrXORPeerAddress, p)
	}
	b.addText(attrUsername, libraryName).addText(attrRealm, libraryName).add(attrNonce, nonce).sign(l.key)
	raw, ok := w.exchange(b.raw, from)
	var answer message
	if !ok || answer.parse(raw) != nil {
		return verdict{}, nil
	}
	v := verdict{answered: true}
	if answer.class() == classError {
		v.code = max(answer.errorCode(), 400)
	}
	v.lifetime, _ = answer.number(attrLifetime)
	return v, &answer
}

func (w *wire) exchange(raw []byte, from netip.AddrPort) ([]byte, bool) {
	select {
	case w.question <- question{raw, net.UDPAddrFromAddrPort(from)}:
	case <-w.done:
		return nil, false
	}
	select {
	case <-w.answered:
		return w.answer, len(w.answer) > 0
	case <-w.done:
		return nil, false
	}
}

// ReadFrom is called by the library's one goroutine for this wire.
func (w *wire) ReadFrom(p []byte) (int, net.Addr, error) {
	if w.asked {
		w.asked = false
		select {
		case w.answered <- struct{}{}:
		case <-w.done:
			return 0, nil, net.ErrClosed
		}
	}
	select {
	case q := <-w.question:
		w.asked, w.answer = true, w.answer[:0]
		return copy(p, q.raw), q.from, nil
	case <-w.done:
		return 0, nil, net.ErrClosed
	}
}

func (w *wire) WriteTo(p []byte, _ net.Addr) (int, error) {
	w.answer = append(w.answer[:0], p...)
	return len(p), nil
}

func (w *wire) Close() error {
	w.closed.Do(func() { close(w.done) })
	return nil
}

func (w *wire) LocalAddr() net.Addr { return w.local }

// Validate, AllocatePacketConn and AllocateConn are how the library opens a relay.
func (w *wire) Validate() error { return nil }

var errNoRelay = errors.New("no relay was prepared")

func (w *wire) AllocatePacketConn(string, int) (net.PacketConn, net.Addr, error) {
	if w.relay == nil {
		return nil, nil, errNoRelay
	}
	return w.relay, net.UDPAddrFromAddrPort(w.relay.shown), nil
}

func (w *wire) AllocateConn(string, int) (net.Conn, net.Addr, error) { return nil, nil, errNoRelay }

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
