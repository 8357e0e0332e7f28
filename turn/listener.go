//go:build linux

package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// streamListener accepts TCP or TLS clients.
type streamListener struct {
	// Fixed at construction.
	server    *Server
	transport string
	listener  net.Listener
	tls       *tls.Config // nil: TCP
	wire      *wire
	address   netip.AddrPort

	mu      sync.Mutex
	closed  bool
	streams map[net.Conn]struct{}
	wg      sync.WaitGroup
}

// accept hands every connection to a goroutine of its own, or closes it at once if there are
// too many.
func (l *streamListener) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of file descriptors, most likely. Those we have go on; do not spin.
			l.server.log.Warn("turn accepts no connection", "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		l.take(conn)
	}
}

// take starts to serve a connection.
func (l *streamListener) take(conn net.Conn) {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		conn.Close()
		return
	}
	client := netip.AddrPortFrom(remote.Addr().Unmap().WithZone(""), remote.Port())
	if !l.server.connections.take(client.Addr()) {
		l.server.metrics.closed(l.transport, "limit")
		conn.Close()
		return
	}
	started := l.do(conn, func() {
		defer l.server.connections.release(client.Addr())
		l.serve(conn, client)
	})
	if !started {
		l.server.connections.release(client.Addr())
		conn.Close()
	}
}

// do runs f while conn is known to close; false if the listener is closed.
func (l *streamListener) do(conn net.Conn, f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.streams[conn] = struct{}{}
	l.wg.Go(func() {
		f()
		l.mu.Lock()
		delete(l.streams, conn)
		l.mu.Unlock()
	})
	return true
}

// write starts the goroutine that writes to a stream; false if the listener is closed.
func (l *streamListener) write(s *stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wg.Go(s.write)
	return true
}

func (l *streamListener) serve(conn net.Conn, client netip.AddrPort) {
	if l.tls != nil {
		gathered := &gatheredConn{Conn: conn}
		secure := tls.Server(gathered, l.tls)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(l.server.cfg.Limits.HandshakeSeconds)*time.Second)
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			l.server.metrics.closed(l.transport, "handshake")
			conn.Close()
			return
		}
		conn = &secureConn{secure, gathered}
	}
	s := &stream{server: l.server, conn: conn, listen: l, client: client}
	s.serve()
}

// writeFrames writes whole frames. Over TLS each becomes a record of its own, as coturn does,
// since some clients (turnutils_uclient for one) take a record for a frame; if the TLS is
// ours, the records still leave with one system call.
func (l *streamListener) writeFrames(conn net.Conn, frames []byte) error {
	if l.transport != "tls" {
		_, err := conn.Write(frames)
		return err
	}
	secure, ours := conn.(*secureConn)
	if ours {
		secure.under.hold()
	}
	for len(frames) > 0 {
		size, err := frameSize(frames)
		if err != nil || size == 0 || size > len(frames) {
			size = len(frames) // never: what we queue is whole
		}
		if _, err := conn.Write(frames[:size]); err != nil {
			return err
		}
		frames = frames[size:]
	}
	if ours {
		return secure.under.release()
	}
	return nil
}

// secureConn is a TLS connection and what is under it.
type secureConn struct {
	*tls.Conn
	under *gatheredConn
}

// gatheredConn can hold back what is written, to write it at once.
type gatheredConn struct {
	net.Conn

	mu      sync.Mutex
	holding bool
	held    []byte
}

func (c *gatheredConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holding {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *gatheredConn) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = true
}

func (c *gatheredConn) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = false
	_, err := c.Conn.Write(c.held)
	if c.held = c.held[:0]; cap(c.held) > readBuffer {
		c.held = nil
	}
	return err
}

// stopAccepting closes the listener; its connections go on.
func (l *streamListener) stopAccepting() { l.listener.Close() }

// close ends every connection and waits for its goroutines.
func (l *streamListener) close() {
	l.mu.Lock()
	l.closed = true
	for conn := range l.streams {
		conn.Close()
	}
	l.mu.Unlock()
	l.listener.Close()
	l.wg.Wait()
}

// connections counts streams per address and in all.
type connections struct {
	limits Limits

	mu        sync.Mutex
	total     int
	addresses map[netip.Addr]int
}

func (c *connections) take(a netip.Addr) bool {
	a = neighbourhood(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if over(c.total, c.limits.Connections) || over(c.addresses[a], c.limits.ConnectionsPerAddress) {
		return false
	}
	c.total++
	c.addresses[a]++
	return true
}

func (c *connections) release(a netip.Addr) {
	a = neighbourhood(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.addresses[a]--; c.addresses[a] == 0 {
		delete(c.addresses, a)
	}
}

// openDoors binds one socket per loop to a UDP address; the kernel spreads clients over them.
func openDoors(l listen, loops []*loop) ([]*door, error) {
	var doors []*door
	if l.address.Port() != 0 {
		// Sockets that share a port would share it with another server too. One that does not
		// share finds out whether the port is free.
		fd, err := bindUDP(l.address, false)
		if err != nil {
			return nil, fmt.Errorf("turn.udp: listen on %s: %w", l.address, err)
		}
		unix.Close(fd)
	}
	for range loops {
		fd, err := bindUDP(l.address, true)
		if err != nil {
			closeDoors(doors)
			return nil, fmt.Errorf("turn.udp: listen on %s: %w", l.address, err)
		}
		for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, doorBuffer) // the kernel caps it at net.core.rmem_max
		}
		if l.address.Port() == 0 {
			bound, err := unix.Getsockname(fd)
			if err != nil {
				unix.Close(fd)
				closeDoors(doors)
				return nil, fmt.Errorf("turn.udp: find the port of %s: %w", l.address, err)
			}
			l.address = netip.AddrPortFrom(l.address.Addr(), portOf(bound))
		}
		doors = append(doors, &door{listen: l, out: outlet{fd: fd}, clients: make(map[hostKey]*relay)})
	}
	for _, d := range doors {
		d.listen, d.wire = l, newWire(l.address)
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
