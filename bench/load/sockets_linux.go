package load

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// hub owns the UDP sockets of one load. Toward a server on this machine all peers
// share a few sockets: each has a loopback address of its own (127.64.0.1 and up), since
// a server behind one port tells its peers apart by their addresses, and one read
// then brings packets of many peers. Toward any other server each peer has a socket.
type hub struct {
	sample int
	shape  *Netem // nil: the wire as it is

	mu      sync.Mutex
	shared  []*socket
	singles map[*socket]struct{}
	meters  []*meter
	next    uint32
	closed  bool
}

// sharedSockets is how many sockets serve a load on this machine: one per reader.
func newHub(sharedSockets, sample int, shape *Netem) (*hub, error) {
	h := &hub{sample: max(sample, 1), shape: shape, singles: map[*socket]struct{}{}}
	for range max(sharedSockets, 1) {
		s, err := openSocket(netip.AddrPortFrom(netip.IPv4Unspecified(), 0), newMeter(h.sample))
		if err != nil {
			return nil, errors.Join(err, h.close())
		}
		s.table = map[netip.Addr]receiver{}
		h.shared = append(h.shared, s)
		h.meters = append(h.meters, s.meter)
	}
	return h, nil
}

func newMeter(sample int) *meter { return &meter{sample: sample} }

// newMeter makes one for wires that are not ours: streams and relays.
func (h *hub) newMeter() *meter {
	m := newMeter(h.sample)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.meters = append(h.meters, m)
	return m
}

// open makes a wire to the server's address.
func (h *hub) open(remote netip.AddrPort, receive receiver) (wire, error) {
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, net.ErrClosed
	}
	w := &udpWire{hub: h, remote: remote}
	if remote.Addr().IsLoopback() && remote.Addr().Is4() {
		n := h.next
		h.next++
		s := h.shared[int(n)%len(h.shared)]
		w.socket, w.source = s, loopbackAddress(n)
		w.control = sourceControl(w.source)
		w.detach = func() { s.attach(w.source, nil) }
		s.attach(w.source, h.shape.inbound(s.meter, receive))
		w.shape = h.shape.outbound(w.write)
		return w, nil
	}
	s, err := openSocket(unspecified(remote.Addr()), newMeter(h.sample))
	if err != nil {
		return nil, err
	}
	s.receive = h.shape.inbound(s.meter, receive)
	h.singles[s] = struct{}{}
	h.meters = append(h.meters, s.meter)
	w.socket = s
	w.detach = func() { h.dropSingle(s) }
	w.shape = h.shape.outbound(w.write)
	s.start()
	return w, nil
}

// start lets the shared sockets read; call it once, after newHub.
func (h *hub) start() {
	for _, s := range h.shared {
		s.start()
	}
}

func (h *hub) dropSingle(s *socket) {
	h.mu.Lock()
	delete(h.singles, s)
	h.mu.Unlock()
	s.close()
}

func unspecified(like netip.Addr) netip.AddrPort {
	if like.Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
}

// loopbackAddress n, from 127.64.0.1 on; the last byte is never 0 or 255.
func loopbackAddress(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(64 + n/254/256%64), byte(n / 254), byte(1 + n%254)})
}

// take adds up and resets all meters.
func (h *hub) take() (c Counts, latency *Histogram) {
	latency = new(Histogram)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.meters {
		m.take(&c, latency)
	}
	return c, latency
}

func (h *hub) close() error {
	h.mu.Lock()
	h.closed = true
	sockets := append([]*socket(nil), h.shared...)
	for s := range h.singles {
		sockets = append(sockets, s)
	}
	h.mu.Unlock()
	for _, s := range sockets {
		s.close()
	}
	return nil
}

// udpWire is a peer's share of a socket.
type udpWire struct {
	hub     *hub
	socket  *socket
	source  netip.Addr // none: the socket is ours alone
	control []byte     // says source to the kernel
	remote  netip.AddrPort
	detach  func()
	shape   *shaper // nil: none
	once    sync.Once
}

func (w *udpWire) send(b []byte) error {
	if w.shape != nil {
		w.shape.pass(b, 0)
		return nil
	}
	w.write(b, 0)
	return nil
}

func (w *udpWire) write(b []byte, _ int64) {
	_ = w.socket.sendTo(b, w.remote, w.control) // lost: the receiver counts it
}

func (w *udpWire) meter() *meter { return w.socket.meter }

func (w *udpWire) local() netip.AddrPort {
	if w.source.IsValid() {
		return netip.AddrPortFrom(w.source, w.socket.port)
	}
	return w.socket.address
}

func (w *udpWire) close() error {
	w.once.Do(w.detach)
	return nil
}

func (w *udpWire) String() string { return fmt.Sprintf("udp %s to %s", w.local(), w.remote) }
