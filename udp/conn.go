// Package udp is a UDP socket that sends and receives many packets per system call.
//
// The kernel's send path is half the cost of forwarding a packet, so packets leave
// together: WriteToAddrPort copies into a bounded queue, and one goroutine sends the
// queue grouped by destination, at once while there is little to do, and under load
// after at most a millisecond:
//
//	writers ──copy──▶ queue ──plan──▶ runs ──sendmmsg──▶ kernel
//	                                   └ packets of one size to one destination
//	                                     leave as one segmented message (UDP GSO)
//
// Packets to one destination keep their order. On Linux it uses sendmmsg, recvmmsg
// and UDP_SEGMENT on reused arrays; where the kernel refuses segmentation it goes on
// without. Elsewhere it is a plain socket with the same methods. What turn and bench
// share with it below their own batching is in mmsg_linux.go: [Message], [RawAddress].
package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// MaxPacket is the largest packet that is read or written, in bytes. Larger ones are
// counted and dropped: nothing we speak sends them, and fragments are an attack.
const MaxPacket = 2048

var errTooLarge = errors.New("packet larger than a datagram may be here")

// Conn is a [net.PacketConn] with the AddrPort methods that pion's UDP mux looks for.
// Its methods may be called from any goroutine. A write says only that the packet was
// queued, never that it left.
type Conn struct {
	// Fixed at construction.
	cfg   Config
	inner *net.UDPConn
	raw   syscall.RawConn
	wake  chan struct{} // one token: there is something to send
	full  chan struct{} // one token: send now, the queue is half full
	done  chan struct{} // closed by Close
	wg    sync.WaitGroup
	once  sync.Once

	// Filled under mu by writers, exchanged under mu by flush.
	mu      sync.Mutex
	queued  *queue
	closed  bool
	pending bool // the flush loop was woken for what is queued

	// Owned by whoever has locked sendMu: the flush loop, a writer that found the queue full,
	// or a caller of Flush or Close.
	sendMu  sync.Mutex
	sending *queue
	plan    plan
	sender  sender

	// Owned by whoever has locked readMu.
	readMu sync.Mutex
	reader reader

	counters counters
}

// Listen binds a socket. Network is udp, udp4 or udp6; the port may be 0.
func Listen(network, address string, cfg Config) (*Conn, error) {
	cfg = cfg.filled()
	local, err := net.ResolveUDPAddr(network, address)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", address, err)
	}
	inner, err := net.ListenUDP(network, local)
	if err != nil {
		return nil, fmt.Errorf("listen on udp %s: %w", address, err)
	}
	raw, err := inner.SyscallConn()
	if err != nil {
		_ = inner.Close()
		return nil, fmt.Errorf("open raw socket on %s: %w", address, err)
	}
	// A kernel that allows less gives less; carillon doctor tells the operator.
	_ = inner.SetReadBuffer(cfg.BufferBytes)
	_ = inner.SetWriteBuffer(cfg.BufferBytes)
	c := &Conn{
		cfg:     cfg,
		inner:   inner,
		raw:     raw,
		wake:    make(chan struct{}, 1),
		full:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		queued:  &queue{},
		sending: &queue{},
	}
	c.sender.open(c)
	c.reader.open(c)
	c.wg.Go(c.flushLoop)
	return c, nil
}

// LocalAddr is the bound address, a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.inner.LocalAddr() }

// AddrPort is the bound address.
func (c *Conn) AddrPort() netip.AddrPort {
	return c.inner.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Close sends what is queued, closes the socket and waits for its goroutine. Blocked
// reads return net.ErrClosed; later writes are refused. Closing twice is fine.
func (c *Conn) Close() error {
	var err error
	c.once.Do(func() {
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		c.flush()
		close(c.done)
		err = c.inner.Close()
	})
	c.wg.Wait()
	return err
}

// ReadFromAddrPort reads one packet. IPv4 senders are never IPv4-in-IPv6.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	return c.reader.next(b)
}

// ReadFrom is ReadFromAddrPort for callers that need a net.Addr; it allocates one.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// SetDeadline sets the deadline of reads. Writes never wait for the network.
func (c *Conn) SetDeadline(t time.Time) error { return c.inner.SetReadDeadline(t) }

// SetReadDeadline bounds reads that wait.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.inner.SetReadDeadline(t) }

// SetWriteDeadline does nothing: a write only copies into the queue.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
