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

var errPortsTaken = errors.New("no free port in turn.relay_ports")

// claim takes a share of the quotas and opens the socket of a relay. The code is the error with
// which the Allocate is refused; zero: both are the relay's.
func (s *Server) claim(user string, client, bound netip.Addr, wish portWish) (socket, share, int) {
	if wish.token != nil {
		return s.claimReserved(user, client, string(wish.token))
	}
	own, code := s.quotas.take(user, client, s.wall())
	if code != 0 {
		return socket{}, share{}, code
	}
	var sock socket
	var err error
	if wish.reserve {
		next, code := s.quotas.take(user, client, s.wall())
		if code != 0 {
			s.quotas.release(own)
			return socket{}, share{}, code
		}
		if sock, err = s.openPair(bound, next); err != nil {
			s.quotas.release(next)
		}
	} else {
		sock, err = openSocket(bound, s.facts.low, s.facts.high, wish.even)
	}
	if err != nil {
		s.quotas.release(own)
		s.noteNoRelay(err)
		return socket{}, share{}, 508
	}
	return sock, own, 0
}

// claimReserved is claim for a port that was reserved.
func (s *Server) claimReserved(user string, client netip.Addr, token string) (socket, share, int) {
	r, ok := s.takeReserved(token, user)
	if !ok {
		return socket{}, share{}, 508
	}
	own, code := s.quotas.take(user, client, s.wall())
	if code != 0 {
		unix.Close(r.fd)
	}
	return r.socket, own, code
}

// portTries bounds the system calls of one Allocate when nearly all ports are taken.
const portTries = 128

// openSocket binds a socket to a random port, so that nobody outside can guess it.
func openSocket(ip netip.Addr, low, high uint16, isEven bool) (socket, error) {
	for range portTries {
		s, err := tryPort(ip, low, high, isEven)
		if !errors.Is(err, unix.EADDRINUSE) {
			return s, err
		}
	}
	return socket{}, errPortsTaken
}

// tryPort binds one random port, which may be taken (EADDRINUSE).
func tryPort(ip netip.Addr, low, high uint16, isEven bool) (socket, error) {
	var b [4]byte
	rand.Read(b[:]) // never fails
	port := low + uint16(binary.BigEndian.Uint32(b[:])%(uint32(high)-uint32(low)+1))
	if isEven && port%2 != 0 {
		if port == low {
			return socket{}, unix.EADDRINUSE // the even one below is out of range
		}
		port--
	}
	bound := netip.AddrPortFrom(ip, port)
	fd, err := bindUDP(bound, false)
	if err != nil {
		return socket{}, fmt.Errorf("open relay on %s: %w", bound, err)
	}
	return socket{fd: fd, bound: bound}, nil
}

// reservations are sockets that wait for an Allocate with their token, for 30 seconds. Each has
// a share of the quotas as a relay has: it costs as much.
type reservations struct {
	mu   sync.Mutex
	kept map[string]reservation
}

type reservation struct {
	socket
	share share
}

const reservationLifetime = 30 * time.Second

// openPair binds an even port, and the one above it, which it reserves for the user of the share.
func (s *Server) openPair(ip netip.Addr, reserved share) (socket, error) {
	for range portTries {
		first, err := tryPort(ip, s.facts.low, s.facts.high, true)
		if errors.Is(err, unix.EADDRINUSE) {
			continue
		}
		if err != nil {
			return socket{}, err
		}
		above := netip.AddrPortFrom(ip, first.bound.Port()+1)
		if above.Port() <= s.facts.high {
			if fd, err := bindUDP(above, false); err == nil {
				first.token = s.keepReserved(reservation{socket{fd: fd, bound: above}, reserved})
				return first, nil
			}
		}
		unix.Close(first.fd)
	}
	return socket{}, errPortsTaken
}

// keepReserved returns the token with which the reservation's user gets it.
func (s *Server) keepReserved(r reservation) []byte {
	token := rand.Text()[:8]
	s.reservations.mu.Lock()
	defer s.reservations.mu.Unlock()
	s.reservations.kept[token] = r
	time.AfterFunc(reservationLifetime, func() {
		if r, ok := s.takeReserved(token, r.share.user.name); ok {
			unix.Close(r.fd)
		}
	})
	return []byte(token)
}

// takeReserved gives a user what was reserved for them, and its share of the quotas back.
func (s *Server) takeReserved(token, user string) (reservation, bool) {
	s.reservations.mu.Lock()
	r, ok := s.reservations.kept[token]
	if ok = ok && r.share.user.name == user; ok {
		delete(s.reservations.kept, token)
	}
	s.reservations.mu.Unlock()
	if ok {
		s.quotas.release(r.share)
	}
	return r, ok
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
