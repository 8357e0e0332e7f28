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

// library is pion/turn, which knows the allocations, permissions and channels and ends them
// when they expire. It never sees the network. It gets requests after we have authenticated
// and checked them, signed anew with a name and a key of its own. The relay sockets that it
// opens are those we give it, and it never reads or writes a packet through them.
type library struct {
	server *pion.Server
	key    []byte // signs the requests that the library gets

	mu    sync.Mutex
	nonce []byte // the last that the library gave us
}

const libraryName = "carillon"

// libraryConn is what the library takes for one of its sockets. One goroutine of the library
// reads from it. When that goroutine reads the next request, it has written all that it will
// write about the last one.
type libraryConn struct {
	local    net.Addr
	question chan question
	answered chan struct{}
	done     chan struct{}
	closed   sync.Once

	// Owned by the library's goroutine, from its receipt of a question until it sends answered.
	asked  bool
	answer []byte
	relay  *relay

	mu sync.Mutex // locked while there is a question: one at a time
}

// question is a request on its way to the library.
type question struct {
	raw  []byte
	from net.Addr
}

func newLibraryConn(local netip.AddrPort) *libraryConn {
	return &libraryConn{
		local:    net.UDPAddrFromAddrPort(local),
		question: make(chan question),
		answered: make(chan struct{}),
		done:     make(chan struct{}),
	}
}

func newLibrary(libraryConns []*libraryConn) (*library, error) {
	l := &library{key: []byte(rand.Text())}
	cfg := pion.ServerConfig{
		Realm:         libraryName,
		AuthHandler:   func(string, string, net.Addr) ([]byte, bool) { return l.key, true },
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
		InboundMTU:    maxFrame + 1,
	}
	for _, w := range libraryConns {
		cfg.PacketConnConfigs = append(cfg.PacketConnConfigs, pion.PacketConnConfig{PacketConn: w, RelayAddressGenerator: w})
	}
	var err error
	l.server, err = pion.NewServer(cfg)
	return l, err
}

// close ends every allocation.
func (l *library) close() { l.server.Close() } //nolint:errcheck // closing our conns cannot fail

// outcome is what the library answered to a request. The zero value: it did not answer.
type outcome struct {
	answered bool
	code     int // zero: success
	lifetime uint32
}

// ask lets the library act on an authenticated request. It passes on the transport, lifetime
// and channel number, and peers instead of those in the request. If the request opens an
// allocation, relay is its socket.
func (l *library) ask(w *libraryConn, m *message, from netip.AddrPort, peers []netip.AddrPort, relay *relay) outcome {
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
	return outcome{}
}

// askLocked asks once. It is called with the mu of the conn locked.
func (l *library) askLocked(w *libraryConn, m *message, from netip.AddrPort, peers []netip.AddrPort) (outcome, *message) {
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
		return outcome{}, nil
	}
	v := outcome{answered: true}
	if answer.class() == classError {
		v.code = max(answer.errorCode(), 400)
	}
	v.lifetime, _ = answer.number(attrLifetime)
	return v, &answer
}

// exchange gives the library a request and returns what it wrote; false if it wrote nothing.
func (w *libraryConn) exchange(raw []byte, from netip.AddrPort) ([]byte, bool) {
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

// ReadFrom is called by the library's one goroutine for this conn.
func (w *libraryConn) ReadFrom(p []byte) (int, net.Addr, error) {
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

func (w *libraryConn) WriteTo(p []byte, _ net.Addr) (int, error) {
	w.answer = append(w.answer[:0], p...)
	return len(p), nil
}

func (w *libraryConn) Close() error {
	w.closed.Do(func() { close(w.done) })
	return nil
}

func (w *libraryConn) LocalAddr() net.Addr { return w.local }

// Validate, AllocatePacketConn and AllocateConn are how the library opens a relay.
func (w *libraryConn) Validate() error { return nil }

var errNoRelay = errors.New("no relay was prepared")

func (w *libraryConn) AllocatePacketConn(string, int) (net.PacketConn, net.Addr, error) {
	if w.relay == nil {
		return nil, nil, errNoRelay
	}
	return w.relay, net.UDPAddrFromAddrPort(w.relay.advertised), nil
}

func (w *libraryConn) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errNoRelay
}

func (w *libraryConn) SetDeadline(time.Time) error      { return nil }
func (w *libraryConn) SetReadDeadline(time.Time) error  { return nil }
func (w *libraryConn) SetWriteDeadline(time.Time) error { return nil }
