package front

import (
	"net"
	"sync"
)

// service is a net.Listener that yields the connections sorted to it.
type service struct {
	address net.Addr
	queue   chan net.Conn
	done    chan struct{}

	mu     sync.Mutex // held to put and to close, so that nothing is put after
	closed bool
}

func newService(address net.Addr) *service {
	return &service{address: address, queue: make(chan net.Conn, maxWaiting), done: make(chan struct{})}
}

// put does not wait: when the service takes nothing, the caller closes the connection, as
// a full backlog of the kernel would.
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

func (s *service) Accept() (net.Conn, error) {
	select {
	case c := <-s.queue:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s *service) Addr() net.Addr { return s.address }

// Close ends Accept and closes what nobody has taken. Twice is fine.
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
