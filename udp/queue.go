package udp

import "net/netip"

// queue is a batch of packets that wait to be sent, in the order they were written.
type queue struct {
	slab    []byte // the packets' bytes, end to end
	packets []packet
}

type packet struct {
	to    netip.AddrPort
	start int32 // in slab
	size  int32
	next  int32 // the next packet to the same destination, -1: none; set by plan.link
}

func (q *queue) add(b []byte, to netip.AddrPort) {
	q.packets = append(q.packets, packet{to: to, start: int32(len(q.slab)), size: int32(len(b)), next: -1})
	q.slab = append(q.slab, b...)
}

func (q *queue) bytes(p *packet) []byte { return q.slab[p.start : p.start+p.size] }

func (q *queue) reset() {
	q.slab = q.slab[:0]
	q.packets = q.packets[:0]
}
