//go:build linux

package turn

import (
	"crypto/tls"
	"net"
	"sync"
)

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
