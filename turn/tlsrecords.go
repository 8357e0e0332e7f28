//go:build linux

package turn

import (
	"crypto/tls"
	"net"
	"sync"
)

// writeFrames writes whole frames. Over TLS each becomes a record of its own, as coturn does,
// since some clients (turnutils_uclient for one) take a record for a frame. If the TLS is
// ours, the records still leave with one system call.
func (l *streamListener) writeFrames(conn net.Conn, frames []byte) error {
	if l.transport != "tls" {
		_, err := conn.Write(frames)
		return err
	}
	secure, ours := conn.(*secureConn)
	if ours {
		secure.under.begin()
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
		return secure.under.end()
	}
	return nil
}

// secureConn is a TLS connection and the TCP connection under it.
type secureConn struct {
	*tls.Conn
	under *bufferedConn
}

// bufferedConn writes at once, or, between begin and end, when it is told to.
type bufferedConn struct {
	net.Conn

	mu        sync.Mutex
	buffering bool
	pending   []byte
}

func (c *bufferedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buffering {
		c.pending = append(c.pending, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// begin collects what is written from now on.
func (c *bufferedConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffering = true
}

// end writes what was collected, with one system call.
func (c *bufferedConn) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffering = false
	_, err := c.Conn.Write(c.pending)
	if c.pending = c.pending[:0]; cap(c.pending) > readBuffer {
		c.pending = nil
	}
	return err
}
