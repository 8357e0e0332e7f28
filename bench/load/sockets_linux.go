package load

import (
	"net"
	"net/netip"
	"sync"
)

// sockets owns the UDP sockets of a generator. Toward a server on this machine all peers
// share a few sockets, so that one read brings packets of many peers. Each peer then has a
// loopback address of its own (127.64.0.1 and up), because a server with one port tells its
// peers apart by their addresses. Toward any other server each peer has a socket.
type sockets struct {
	sample int
	netem  *Netem // nil: the network as it is

	mu     sync.Mutex
	shared []*socket            // one per reader
	single map[*socket]struct{} // of one peer each
	meters []*meter             // of all transports, also of those that are closed
	next   uint32               // number of the next loopback address
	closed bool
}

// openSockets opens the shared sockets.
func openSockets(readers, sample int, n *Netem) (*sockets, error) {
	all := &sockets{sample: max(sample, 1), netem: n, single: map[*socket]struct{}{}}
	for range max(readers, 1) {
		s, err := openSocket(netip.AddrPortFrom(netip.IPv4Unspecified(), 0), newMeter(all.sample))
		if err != nil {
			all.close()
			return nil, err
		}
		s.table = map[netip.Addr]receiver{}
		all.shared = append(all.shared, s)
		all.meters = append(all.meters, s.meter)
	}
	return all, nil
}

func newMeter(sample int) *meter { return &meter{sample: sample} }

// newMeter makes one for a transport with a connection of its own: TCP and relays.
func (s *sockets) newMeter() *meter {
	m := newMeter(s.sample)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meters = append(s.meters, m)
	return m
}

// open makes a transport to the server's address.
func (s *sockets) open(remote netip.AddrPort, receive receiver) (transport, error) {
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	if remote.Addr().IsLoopback() && remote.Addr().Is4() {
		return s.shareLocked(remote, receive), nil
	}
	return s.openSingleLocked(remote, receive)
}

// shareLocked gives a peer the next loopback address on one of the shared sockets.
func (s *sockets) shareLocked(remote netip.AddrPort, receive receiver) transport {
	n := s.next
	s.next++
	one, from := s.shared[int(n)%len(s.shared)], loopbackAddress(n)
	t := &udpTransport{socket: one, remote: remote, from: from, fromControl: sourceControl(from)}
	t.forget = func() { one.attach(from, nil) }
	t.shaped = s.netem.outbound(t.write)
	one.attach(from, s.netem.inbound(one.meter, receive))
	return t
}

func (s *sockets) openSingleLocked(remote netip.AddrPort, receive receiver) (transport, error) {
	one, err := openSocket(unspecified(remote.Addr()), newMeter(s.sample))
	if err != nil {
		return nil, err
	}
	one.receive = s.netem.inbound(one.meter, receive)
	s.single[one] = struct{}{}
	s.meters = append(s.meters, one.meter)
	t := &udpTransport{socket: one, remote: remote}
	t.forget = func() { s.closeSingle(one) }
	t.shaped = s.netem.outbound(t.write)
	one.start()
	return t, nil
}

// start lets the shared sockets read. Call it once.
func (s *sockets) start() {
	for _, one := range s.shared {
		one.start()
	}
}

func (s *sockets) closeSingle(one *socket) {
	s.mu.Lock()
	delete(s.single, one)
	s.mu.Unlock()
	one.close()
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
func (s *sockets) take() (c Counts, latency *Histogram) {
	latency = new(Histogram)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.meters {
		m.take(&c, latency)
	}
	return c, latency
}

func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	all := append([]*socket(nil), s.shared...)
	for one := range s.single {
		all = append(all, one)
	}
	s.mu.Unlock()
	for _, one := range all {
		one.close()
	}
}

// udpTransport is a peer's part of a shared socket, or a socket of its own.
type udpTransport struct {
	socket      *socket
	remote      netip.AddrPort
	from        netip.Addr   // the peer's loopback address; none: the socket is this peer's alone
	fromControl []byte       // tells the kernel to send from there
	shaped      func([]byte) // write, or the way through Netem to it
	forget      func()       // makes the socket drop what still arrives
	once        sync.Once
}

func (t *udpTransport) send(b []byte) { t.shaped(b) }

func (t *udpTransport) write(b []byte) {
	_ = t.socket.sendTo(b, t.remote, t.fromControl) // what is lost here the receiver counts as loss
}

func (t *udpTransport) meter() *meter { return t.socket.meter }

func (t *udpTransport) local() netip.AddrPort {
	if t.from.IsValid() {
		return netip.AddrPortFrom(t.from, t.socket.port)
	}
	return t.socket.address
}

func (t *udpTransport) close() error {
	t.once.Do(t.forget)
	return nil
}
