//go:build linux

package turn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"carillon/certs"
	"carillon/udp"
)

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

// openDoors binds one socket per loop to a UDP address; the kernel spreads clients over them.
func openDoors(l listen, loops []*loop) ([]*door, error) {
	// Sockets that share a port would share it with another server too, even one that the
	// kernel has chosen. A socket that does not share finds out whether it is free.
	fd, err := bindUDP(l.address, false)
	if err != nil {
		return nil, fmt.Errorf("turn.udp: listen on %s: %w", l.address, err)
	}
	name, err := unix.Getsockname(fd)
	unix.Close(fd)
	if err != nil {
		return nil, fmt.Errorf("turn.udp: find the port of %s: %w", l.address, err)
	}
	l.address = netip.AddrPortFrom(l.address.Addr(), portOf(name))
	var doors []*door
	for range loops {
		fd, err := bindUDP(l.address, true)
		if err != nil {
			closeDoors(doors)
			return nil, fmt.Errorf("turn.udp: listen on %s: %w", l.address, err)
		}
		for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, doorBuffer) // the kernel caps it at net.core.rmem_max
		}
		doors = append(doors, &door{listen: l, wire: newWire(l.address), out: outlet{fd: fd}, clients: make(map[udp.Key]*relay)})
	}
	return doors, nil
}

const doorBuffer = 4 << 20

func portOf(a unix.Sockaddr) uint16 {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}

func closeDoors(doors []*door) {
	for _, d := range doors {
		unix.Close(d.out.fd)
	}
}
