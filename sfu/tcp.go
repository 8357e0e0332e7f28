package sfu

import (
	"net"
	"sync"
)

// tcpListener is the listener of ICE-TCP. Its Close also closes the connections that it
// accepted. Pion's mux waits in its own Close until each connection has ended, and one
// that never says anything would hold up SFU.Close for as long as it may be silent.
type tcpListener struct {
	net.Listener

	mu     sync.Mutex
	conns  map[*tcpConn]struct{}
	closed bool
}

type tcpConn struct {
	net.Conn
	listener *tcpListener
}

func newTCPListener(l net.Listener) *tcpListener {
	return &tcpListener{Listener: l, conns: make(map[*tcpConn]struct{})}
}

func (l *tcpListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &tcpConn{Conn: conn, listener: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	l.conns[c] = struct{}{}
	return c, nil
}

// Close ends the listener and its connections.
func (l *tcpListener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	l.closed = true
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
	return err
}

func (c *tcpConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
