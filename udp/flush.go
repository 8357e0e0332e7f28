package udp

import (
	"net"
	"net/netip"
	"time"
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
	ring := !c.pending
	c.pending = true
	half := len(c.queued.packets) == c.cfg.QueuePackets/2
	c.mu.Unlock()
	if ring {
		signal(c.wake)
	}
	if half {
		signal(c.full)
	}
	return len(b), nil
}

// Flush sends what is queued now, from the caller's goroutine. A loop that drains its
// reader and then writes many packets ends with it, and waits for nobody.
func (c *Conn) Flush() { c.flush() }

// signal leaves a token; when one lies there already, that one will do.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (c *Conn) flushLoop() {
	p := pace{hold: c.cfg.hold()}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		if wait := p.wait(); wait > 0 {
			timer.Reset(wait)
			select {
			case <-c.done:
				return
			case <-c.full:
			case <-timer.C:
			}
		}
		p.sent(c.flush())
	}
}

// flush swaps the queue and sends it. It returns the number of packets.
func (c *Conn) flush() int {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.mu.Lock()
	c.queued, c.sending = c.sending, c.queued
	c.pending = false
	c.mu.Unlock()
	n := len(c.sending.packets)
	if n > 0 {
		c.sender.send(c.sending)
		c.sending.reset()
	}
	return n
}
