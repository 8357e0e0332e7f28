package front

import (
	"net"
	"sync"
)

// service is a net.Listener that yields the connections handed over to it.
type service struct {
	address net.Addr
	queue   chan net.Conn
	done    chan struct{}

	mu     sync.Mutex // locked by put and Close, so that nothing is put after Close
	closed bool
}

func newService(address net.Addr) *service {
	return &service{address: address, queue: make(chan net.Conn, maxWaiting), done: make(chan struct{})}
}

// put does not wait. It returns false when the queue is full or closed: then the caller closes
// the connection, as the kernel does when its backlog is full.
func (s *service) put(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	select {
	case s.queue <- c:
		return true
	default:
		return false
	}
}

// Accept waits for a connection until Close.
func (s *service) Accept() (net.Conn, error) {
	select {
	case c := <-s.queue:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s *service) Addr() net.Addr { return s.address }

// Close ends Accept and closes what was not accepted. It may be called twice.
func (s *service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	for {
		select {
		case c := <-s.queue:
			c.Close()
		default:
			return nil
		}
	}
}
