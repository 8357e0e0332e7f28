package sfu

import (
	"net"
	"sync/atomic"
	"time"

	"carillon/tcp"
)

// tcpSilence is how long a connection may take until its first check has come.
const tcpSilence = 10 * time.Second

// tcpUnknown is how long a connection is kept whose first check is for no peer that there is.
const tcpUnknown = time.Second

// tcpQueue is how many bytes wait for a client of ICE-TCP. One that reads too slowly loses
// what comes on top, and holds up nobody else.
const tcpQueue = 1 << 20

// tcpListener is the listener of ICE-TCP. Its Close also closes the connections that it
// accepted. Pion's mux waits in its own Close until each connection has ended, and one
// that never says anything would hold up SFU.Close for as long as it may be silent.
type tcpListener struct{ *tcp.Listener }

func (l tcpListener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn()
	if err != nil {
		return nil, err
	}
	return &tcpConn{Conn: c}, nil
}

// Close ends the listener and its connections.
func (l tcpListener) Close() error { return l.End() }

// tcpConn counts as silent until something is sent to it. That happens when a check has come
// for a peer that there is, with the password of its answer.
type tcpConn struct {
	*tcp.Conn
	spoke atomic.Bool
}

func (c *tcpConn) Write(b []byte) (int, error) {
	if !c.spoke.Swap(true) {
		c.Spoke()
	}
	return c.Conn.Write(b)
}
