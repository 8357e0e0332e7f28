//go:build linux

package turn

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"

	"carillon/tcp"
)

// streamListener accepts TCP or TLS clients.
type streamListener struct {
	// Fixed at construction.
	server      *Server
	transport   string
	listener    *tcp.Listener
	tls         *tls.Config // nil: TCP
	libraryConn *libraryConn
	address     netip.AddrPort

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// accept hands every connection to a goroutine of its own.
func (l *streamListener) accept() {
	for {
		conn, err := l.listener.AcceptConn()
		if err != nil {
			return
		}
		remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		client := netip.AddrPortFrom(remote.Addr().Unmap().WithZone(""), remote.Port())
		if err != nil || !l.run(func() { l.serve(conn, client) }) {
			conn.Close()
		}
	}
}

// run runs f in a goroutine that close waits for; false if the listener is closed.
func (l *streamListener) run(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wg.Go(f)
	return true
}

// serve takes a connection out of TLS if there is any, and serves it until it ends.
func (l *streamListener) serve(accepted *tcp.Conn, client netip.AddrPort) {
	var conn net.Conn = accepted
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
	s := &stream{server: l.server, conn: conn, accepted: accepted, listener: l, client: client}
	s.serve()
}

// close ends every connection and waits for its goroutines.
func (l *streamListener) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.listener.End()
	l.wg.Wait()
}
