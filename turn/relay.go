//go:build linux

package turn

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// relay is one allocation: a socket on which peers reach a client. The library decides when
// it ends, by closing it.
type relay struct {
	// Fixed at construction.
	server    *Server
	loop      *loop
	client    netip.AddrPort
	transport string
	shown     netip.AddrPort // what the client is told
	bound     netip.AddrPort // what the socket is bound to
	name      string         // the name that opened it
	key       []byte         // and its key, good for as long as the relay lives
	token     []byte         // of the port reserved beside it
	share     share
	began     time.Time
	requests  pace
	up, down  pace
	limited   bool
	clientRaw rawAddress
	door      *door   // UDP: the socket the client speaks to
	stream    *stream // TCP and TLS: its connection

	// Written by the goroutine that reads the client, read by the loop.
	peers atomic.Pointer[peerTable] // replaced, never edited

	// out is the socket. Its owner is the loop; a stream's reader also sends, under sending.
	out     outlet
	sending sync.Mutex

	ended chan struct{}
	once  sync.Once
	why   atomic.Pointer[string]

	sentPackets, sentBytes         atomic.Int64
	receivedPackets, receivedBytes atomic.Int64
}

// peerTable is what a relay may reach, by the addresses that packets really carry.
type peerTable struct {
	permits  map[netip.Addr]*permit
	channels map[uint16]*channel
	byPeer   map[hostKey]*channel
}

// permit lets one peer address through, for five minutes at a time.
// https://www.rfc-editor.org/rfc/rfc8656#section-9
type permit struct {
	shown     netip.Addr // the address as the client knows it
	somePorts bool
	expires   atomic.Int64 // nanoseconds of the server's clock
}

// channel stands for one peer in four bytes, for ten minutes at a time.
// https://www.rfc-editor.org/rfc/rfc8656#section-12
type channel struct {
	number  uint16
	shown   netip.AddrPort
	to      rawAddress
	permit  *permit
	relay   *relay // the peer is this relay of ours; nil if it is not one
	expires atomic.Int64
}

const (
	permitLifetime  = 5 * time.Minute
	channelLifetime = 10 * time.Minute
)

// portWish is what an Allocate asks of its port.
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
type portWish struct {
	even    bool   // EVEN-PORT
	reserve bool   // and the next port too, for a later Allocate
	token   []byte // RESERVATION-TOKEN: the port that was kept
}

// socket is a bound relay socket, and the token of the one reserved beside it.
type socket struct {
	fd    int
	bound netip.AddrPort
	token []byte
}

var (
	errPortsTaken = errors.New("no free port in turn.relay_ports")
	errNoToken    = errors.New("unknown reservation token")
)

// openSocket binds a socket to a port that nobody can foretell.
func openSocket(ip netip.Addr, low, high uint16, isEven bool) (socket, error) {
	span := uint32(high) - uint32(low) + 1
	for range 128 {
		var b [4]byte
		rand.Read(b[:]) // never fails
		port := low + uint16(binary.BigEndian.Uint32(b[:])%span)
		if isEven && port%2 != 0 {
			continue
		}
		bound := netip.AddrPortFrom(ip, port)
		fd, err := bindUDP(bound, false)
		if err == nil {
			return socket{fd: fd, bound: bound}, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return socket{}, fmt.Errorf("open relay on %s: %w", bound, err)
		}
	}
	return socket{}, errPortsTaken
}

// reservations are sockets kept for 30 seconds for whoever has the token.
type reservations struct {
	mu   sync.Mutex
	kept map[string]socket
}

const reservationLifetime = 30 * time.Second

// openPair binds an even port and the one above it, which it keeps.
func (r *reservations) openPair(ip netip.Addr, low, high uint16) (socket, error) {
	for range 64 {
		first, err := openSocket(ip, low, high, true)
		if err != nil {
			return socket{}, err
		}
		above := netip.AddrPortFrom(ip, first.bound.Port()+1)
		if fd, err := bindUDP(above, false); err == nil {
			token := rand.Text()[:8]
			r.mu.Lock()
			r.kept[token] = socket{fd: fd, bound: above}
			r.mu.Unlock()
			time.AfterFunc(reservationLifetime, func() { r.drop(token) })
			first.token = []byte(token)
			return first, nil
		}
		unix.Close(first.fd)
	}
	return socket{}, errPortsTaken
}

func (r *reservations) take(token string) (socket, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.kept[token]
	delete(r.kept, token)
	return s, ok
}

func (r *reservations) drop(token string) {
	if s, ok := r.take(token); ok {
		unix.Close(s.fd)
	}
}

func (r *reservations) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.kept {
		unix.Close(s.fd)
	}
	clear(r.kept)
}

// relayBuffer holds the burst of a key frame.
const relayBuffer = 1 << 20

// bindUDP opens a socket outside of Go's poller, which would wake for every packet.
func bindUDP(a netip.AddrPort, shared bool) (int, error) {
	family := unix.AF_INET6
	if a.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if shared {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	var to unix.Sockaddr = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if family == unix.AF_INET {
		to = &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	if err := unix.Bind(fd, to); err != nil {
		unix.Close(fd)
		return -1, err
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)            // an old kernel goes on without
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, relayBuffer) // the kernel caps it at net.core.rmem_max
	return fd, nil
}

// live is false once the library has closed the relay, and for no relay at all.
func (r *relay) live() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// whyRefused ends a relay that the library did not want.
const whyRefused = "refused"

// end is Close with a reason for the usage log. It is called by the goroutine that reads the
// client: the library does not bear it that an allocation ends while it handles its request.
func (r *relay) end(why string) {
	r.why.CompareAndSwap(nil, &why)
	r.Close()
}

// Close is called by the library when the allocation expires or is given up, and by end. The
// loop closes the socket.
func (r *relay) Close() error {
	r.once.Do(func() {
		close(r.ended)
		r.server.ended(r)
		r.loop.post(func() { r.loop.retire(r) })
	})
	return nil
}

// ReadFrom holds the library's reader until the relay ends: packets do not pass through it.
func (r *relay) ReadFrom([]byte) (int, net.Addr, error) {
	<-r.ended
	return 0, nil, net.ErrClosed
}

func (r *relay) WriteTo(p []byte, _ net.Addr) (int, error) { return len(p), nil }
func (r *relay) LocalAddr() net.Addr                       { return net.UDPAddrFromAddrPort(r.bound) }
func (r *relay) SetDeadline(time.Time) error               { return nil }
func (r *relay) SetReadDeadline(time.Time) error           { return nil }
func (r *relay) SetWriteDeadline(time.Time) error          { return nil }

// copyTable starts the next table with what has not expired.
func (t *peerTable) copyTable(now int64) *peerTable {
	next := &peerTable{
		permits:  make(map[netip.Addr]*permit, len(t.permits)+1),
		channels: make(map[uint16]*channel, len(t.channels)+1),
		byPeer:   make(map[hostKey]*channel, len(t.byPeer)+1),
	}
	for a, p := range t.permits {
		if p.expires.Load() > now {
			next.permits[a] = p
		}
	}
	for n, c := range t.channels {
		if c.expires.Load() > now {
			next.channels[n] = c
			next.byPeer[c.to.key()] = c
			// The channel's permission may have lapsed and come back as another entry.
			if p := next.permits[c.to.addrPort().Addr()]; p == nil {
				next.permits[c.to.addrPort().Addr()] = c.permit
			}
		}
	}
	return next
}

// target is a peer as the client named it and as packets reach it.
type target struct {
	shown, actual netip.AddrPort
	somePorts     bool
	relay         *relay
}

// permitsAfter and channelsAfter count what there would be.
func (r *relay) permitsAfter(targets []target, now int64) int {
	next := r.peers.Load().copyTable(now)
	for _, t := range targets {
		next.permit(t, now)
	}
	return len(next.permits)
}

func (r *relay) channelsAfter(number uint16, now int64) int {
	next := r.peers.Load().copyTable(now)
	next.channels[number] = nil
	return len(next.channels)
}

// permit adds or renews permissions.
func (r *relay) permit(targets []target, now int64) {
	next := r.peers.Load().copyTable(now)
	for _, t := range targets {
		next.permit(t, now)
	}
	r.peers.Store(next)
}

func (t *peerTable) permit(to target, now int64) *permit {
	a := to.actual.Addr()
	p := t.permits[a]
	if p == nil {
		p = &permit{shown: to.shown.Addr(), somePorts: to.somePorts}
		t.permits[a] = p
	}
	p.expires.Store(now + int64(permitLifetime))
	return p
}

// bind adds or renews a channel and its permission.
func (r *relay) bind(number uint16, to target, now int64) {
	next := r.peers.Load().copyTable(now)
	p := next.permit(to, now)
	fresh := &channel{number: number, shown: to.shown, to: newRawAddress(to.actual), permit: p, relay: to.relay}
	fresh.expires.Store(now + int64(channelLifetime))
	next.channels[number] = fresh
	next.byPeer[fresh.to.key()] = fresh
	r.peers.Store(next)
}

// admitUp and admitDown hold the bandwidth quotas.
func (r *relay) admitUp(n int, now int64) bool { return !r.limited || r.admit(&r.up, n, now) }

func (r *relay) admitDown(n int, now int64) bool { return !r.limited || r.admit(&r.down, n, now) }

func (r *relay) admit(own *pace, n int, now int64) bool {
	return own.admit(n, now) && r.share.user.pace.admit(n, now) && r.server.total.admit(n, now)
}
