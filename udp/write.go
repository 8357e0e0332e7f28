package udp

import (
	"net"
	"net/netip"
	"syscall"
)

// WriteToAddrPort queues a copy of b. When the queue is full the writer sends it
// itself, which slows the writer to the speed of the kernel; if the queue is full
// again by then, the packet is dropped and counted. It allocates nothing.
func (c *Conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if len(b) > MaxPacket {
		c.counters.dropTooLarge.Add(1)
		return 0, &net.OpError{Op: "write", Net: "udp", Err: errTooLarge}
	}
	for try := 0; ; try++ {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return 0, net.ErrClosed
		}
		if len(c.queued.packets) < c.cfg.QueuePackets && len(c.queued.slab)+len(b) <= c.cfg.QueueBytes {
			break
		}
		c.mu.Unlock()
		if try > 0 {
			c.counters.dropQueueFull.Add(1)
			return len(b), nil
		}
		c.flush()
	}
	c.queued.add(b, to)
	wake := !c.pending
	c.pending = true
	half := len(c.queued.packets) == c.cfg.QueuePackets/2
	c.mu.Unlock()
	if wake {
		signal(c.wake)
	}
	if half {
		signal(c.full)
	}
	return len(b), nil
}

// WriteTo is WriteToAddrPort for callers that have a *net.UDPAddr.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: to, Err: syscall.EINVAL}
	}
	return c.WriteToAddrPort(b, addr.AddrPort())
}

// signal leaves a token in a channel of one. If one is there already, that one will do.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
