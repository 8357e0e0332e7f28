//go:build linux

package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// streamListener accepts TCP or TLS clients.
type streamListener struct {
	// Fixed at construction.
	server      *Server
	transport   string
	listener    net.Listener
	tls         *tls.Config // nil: TCP
	libraryConn *libraryConn
	address     netip.AddrPort

	stopped atomic.Bool // accepting has been stopped on purpose

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
			if l.stopped.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of file descriptors, most likely. Open connections go on; closing some frees one.
			l.server.log.Warn("turn accepts no connection", "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		l.take(conn)
	}
}

// take starts to serve a connection, if its address may have one more.
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
	started := l.startReader(conn, func() {
		defer l.server.connections.release(client.Addr())
		l.serve(conn, client)
	})
	if !started {
		l.server.connections.release(client.Addr())
		conn.Close()
	}
}

// startReader runs serve in a goroutine that close waits for, having closed conn; false if the
// listener is closed.
func (l *streamListener) startReader(conn net.Conn, serve func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.streams[conn] = struct{}{}
	l.wg.Go(func() {
		serve()
		l.mu.Lock()
		delete(l.streams, conn)
		l.mu.Unlock()
	})
	return true
}

// startWriter starts the goroutine that writes to a stream and that close waits for; false if
// the listener is closed.
func (l *streamListener) startWriter(s *stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wg.Go(s.write)
	return true
}

// serve takes a connection out of TLS if there is any, and serves it until it ends.
func (l *streamListener) serve(conn net.Conn, client netip.AddrPort) {
	if l.tls != nil {
		buffered := &bufferedConn{Conn: conn}
		secure := tls.Server(buffered, l.tls)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(l.server.cfg.Limits.HandshakeSeconds)*time.Second)
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			l.server.metrics.closed(l.transport, "handshake")
			conn.Close()
			return
		}
		conn = &secureConn{secure, buffered}
	}
	s := &stream{server: l.server, conn: conn, listener: l, client: client}
	s.serve()
}

// stopAccepting closes the listener; its connections go on.
func (l *streamListener) stopAccepting() {
	l.stopped.Store(true)
	l.listener.Close()
}

// close ends every connection and waits for its goroutines.
func (l *streamListener) close() {
	l.mu.Lock()
	l.closed = true
	for conn := range l.streams {
		conn.Close()
	}
	l.mu.Unlock()
	l.stopAccepting()
	l.wg.Wait()
}
