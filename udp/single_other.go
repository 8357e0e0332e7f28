//go:build !linux

package udp

import "net/netip"

// sender writes packet by packet where the kernel knows no batches.
type sender struct{ conn *Conn }

func (s *sender) open(c *Conn) { s.conn = c }

func (s *sender) send(q *queue) {
	for i := range q.packets {
		p := &q.packets[i]
		if _, err := s.conn.inner.WriteToUDPAddrPort(q.bytes(p), p.to); err != nil {
			s.conn.counters.dropKernel.Add(1)
			continue
		}
		s.conn.counters.sent(1, int(p.size))
	}
}

// reader reads packet by packet.
type reader struct {
	conn *Conn
	buf  [MaxPacket + 1]byte
}

func (r *reader) open(c *Conn) { r.conn = c }

func (r *reader) next(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := r.conn.inner.ReadFromUDPAddrPort(r.buf[:])
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		if n > MaxPacket {
			r.conn.counters.dropTooLarge.Add(1)
			continue
		}
		r.conn.counters.readCalls.Add(1)
		r.conn.counters.packetsIn.Add(1)
		r.conn.counters.bytesIn.Add(uint64(n))
		return copy(b, r.buf[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil
	}
}
