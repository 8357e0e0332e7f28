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

// openListen binds one address for all loops. It returns the address with the port that was
// chosen, and what the library takes for its sockets.
func (s *Server) openListen(l listenAddress) (netip.AddrPort, []*libraryConn, error) {
	if l.transport == "udp" {
		listenSockets, err := openListenSockets(l, s.loops)
		if err != nil {
			return l.address, nil, err
		}
		var libraryConns []*libraryConn
		for i, d := range listenSockets {
			s.loops[i].listenSockets = append(s.loops[i].listenSockets, d)
			if err := s.loops[i].watch(d.out.fd, fdOwner{listenSocket: d}); err != nil {
				return l.address, nil, fmt.Errorf("turn.udp: watch %s: %w", l.address, err)
			}
			libraryConns = append(libraryConns, d.libraryConn)
		}
		return listenSockets[0].address.address, libraryConns, nil
	}
	listener, secure, err := s.openStreams(l)
	if err != nil {
		return l.address, nil, err
	}
	bound := netip.MustParseAddrPort(listener.Addr().String())
	l.address = netip.AddrPortFrom(l.address.Addr(), bound.Port())
	w := newLibraryConn(l.address)
	s.listeners = append(s.listeners, &streamListener{
		server: s, transport: l.transport, listener: s.connections.Listen(listener), tls: secure, libraryConn: w, address: l.address,
	})
	return l.address, []*libraryConn{w}, nil
}

// openStreams binds an address, unless connections to it are handed over already decrypted.
func (s *Server) openStreams(l listenAddress) (listener net.Listener, secure *tls.Config, err error) {
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

// openListenSockets binds one socket per loop to a UDP address. The kernel assigns each client
// to one of them.
func openListenSockets(l listenAddress, loops []*loop) ([]*listenSocket, error) {
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
	var listenSockets []*listenSocket
	for range loops {
		fd, err := bindUDP(l.address, true)
		if err != nil {
			closeListenSockets(listenSockets)
			return nil, fmt.Errorf("turn.udp: listen on %s: %w", l.address, err)
		}
		for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, listenBuffer) // the kernel caps it at net.core.rmem_max
		}
		listenSockets = append(listenSockets, &listenSocket{address: l, libraryConn: newLibraryConn(l.address), out: sendSocket{fd: fd}, clients: make(map[udp.Key]*relay)})
	}
	return listenSockets, nil
}

// listenBuffer is larger than relayBuffer, since many clients share the socket.
const listenBuffer = 4 << 20

// portOf is the port of a socket address.
func portOf(a unix.Sockaddr) uint16 {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}

func closeListenSockets(listenSockets []*listenSocket) {
	for _, d := range listenSockets {
		unix.Close(d.out.fd)
	}
}
