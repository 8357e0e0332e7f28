//go:build linux

package turn

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// portWish is what an Allocate asks for its port.
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
type portWish struct {
	even    bool   // EVEN-PORT
	reserve bool   // EVEN-PORT with R: reserve the next port too, for a later Allocate
	token   []byte // RESERVATION-TOKEN: the port that was reserved
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

// openSocket binds a socket to a random port, so that nobody outside can guess it.
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

// reservations are sockets that wait for an Allocate with their token, for 30 seconds.
type reservations struct {
	mu   sync.Mutex
	kept map[string]socket
}

const reservationLifetime = 30 * time.Second

// openPair binds an even port, and the one above it, which it reserves.
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

// relayBuffer is large enough for the burst of a key frame.
const relayBuffer = 1 << 20

// bindUDP opens a socket outside of Go's poller, which would wake up for every packet. A shared
// one may be bound several times, and the kernel spreads the clients over them.
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
