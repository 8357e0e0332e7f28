package tcp

import (
	"container/list"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Listener is a net.Listener whose connections a [Limiter] bounds. Accept fails only when
// the listener is closed.
type Listener struct {
	// Fixed at construction.
	inner   net.Listener
	limiter *Limiter

	done    chan struct{}
	closing sync.Once

	mu     sync.Mutex
	closed bool               // by Close
	conns  map[*Conn]struct{} // accepted and not closed; nil: after End

	// A file that is open for its descriptor only: when the process has no other left, it is
	// given up for the next connection, which decides who keeps one. Nil: given up, or the
	// listener is closed.
	spare *os.File
}

// Listen accepts from inner within the limits.
func (l *Limiter) Listen(inner net.Listener) *Listener {
	listener := &Listener{inner: inner, limiter: l, done: make(chan struct{}), conns: make(map[*Conn]struct{})}
	listener.keepSpare()
	return listener
}

// Accept is AcceptConn, as net.Listener has it.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptConn waits for a connection that the limits allow. The only error is
// net.ErrClosed.
func (l *Listener) AcceptConn() (*Conn, error) {
	for {
		conn, err := l.inner.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, net.ErrClosed
		case err != nil:
			l.limiter.failed(err)
			if !l.giveSpare(err) && !l.wait() {
				return nil, net.ErrClosed
			}
			continue
		case !l.keepSpare():
			l.limiter.connections.Add()
			l.limiter.logScarcity(syscall.EMFILE)
			conn.Close()
			continue
		}
		c := l.limiter.admit(conn, l)
		if c == nil {
			continue
		}
		if !l.add(c) {
			c.Close()
			return nil, net.ErrClosed
		}
		return c, nil
	}
}

// pause is the time until the kernel is asked again after it gave no connection.
const pause = 100 * time.Millisecond

// wait returns false when the listener is closed meanwhile.
func (l *Listener) wait() bool {
	select {
	case <-l.done:
		return false
	case <-time.After(pause):
		l.keepSpare()
		return true
	}
}

// giveSpare is called when the kernel gave no connection. If that was for want of a
// descriptor it gives up the spare one, and returns true: there is one for a connection.
func (l *Listener) giveSpare(err error) bool {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spare == nil {
		return false
	}
	l.spare.Close()
	l.spare = nil
	return true
}

// keepSpare sees to it that there is a spare descriptor, if need be that of a silent
// connection. It returns false if there is none to be had.
func (l *Listener) keepSpare() bool {
	for !l.openSpare() {
		if !l.limiter.makeRoom() {
			return false
		}
	}
	return true
}

// openSpare returns false if the process has no descriptor left.
func (l *Listener) openSpare() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spare != nil || l.closed {
		return true
	}
	var err error
	l.spare, err = os.Open(os.DevNull)
	return err == nil
}

func (l *Listener) add(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

// Addr is that of the inner listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close ends Accept; connections go on. It may be called twice.
func (l *Listener) Close() (err error) {
	l.closing.Do(func() {
		close(l.done)
		err = l.inner.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.closed = true
		if l.spare != nil {
			l.spare.Close()
			l.spare = nil
		}
	})
	return err
}

// End is Close, and closes all connections that Accept has returned. It waits for nobody. It
// may be called twice.
func (l *Listener) End() error {
	err := l.Close()
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		c.Close()
	}
	return err
}

// Conn is a connection that counts until it is closed.
type Conn struct {
	net.Conn

	// Fixed at construction.
	limiter  *Limiter
	listener *Listener
	key      netip.Addr

	// Under limiter.mu.
	address   *address
	silent    *list.Element // where it is listed as silent; nil: it has spoken
	forgotten bool          // it does not count any more
}

// Spoke says that the connection has shown what it is for: it need not make room for others
// any more. It may be called again.
func (c *Conn) Spoke() {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	c.limiter.spokeLocked(c)
}

// Close may be called twice.
func (c *Conn) Close() error {
	c.limiter.mu.Lock()
	c.limiter.forgetLocked(c)
	c.limiter.mu.Unlock()
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
