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
	next  int32 // the next packet to the same destination, -1: none; set by plan
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

// run is what leaves as one message: count packets to one destination, from first on
// along next. All have the size of the first, except the last, which may be shorter.
type run struct {
	first int32
	count int32
	size  int32 // of the first packet
}

// The kernel refuses a message over 64 KiB with headers, and segments that do not fit
// the route's MTU; 1,400 bytes fit every route we care about.
const (
	maxRunBytes = 63 << 10
	maxSegment  = 1400
)

// plan groups a queue by destination and cuts each group into runs. Its arrays are
// reused; runs is valid until the next make.
type plan struct {
	groups map[netip.AddrPort]int32 // index in ends
	ends   []ends
	runs   []run
}

type ends struct{ first, last int32 }

func (p *plan) make(packets []packet, maxRun int32) []run {
	if p.groups == nil {
		p.groups = make(map[netip.AddrPort]int32)
	}
	clear(p.groups)
	p.ends = p.ends[:0]
	p.runs = p.runs[:0]
	p.link(packets)
	for _, e := range p.ends {
		p.cut(packets, e.first, maxRun)
	}
	return p.runs
}

func (p *plan) link(packets []packet) {
	var (
		previous netip.AddrPort
		group    int32 = -1
	)
	for i := range packets {
		k := &packets[i]
		if group < 0 || k.to != previous {
			var known bool
			if group, known = p.groups[k.to]; !known {
				group = int32(len(p.ends))
				p.groups[k.to] = group
				p.ends = append(p.ends, ends{int32(i), int32(i)})
				previous = k.to
				continue
			}
			previous = k.to
		}
		e := &p.ends[group]
		packets[e.last].next = int32(i)
		e.last = int32(i)
	}
}

func (p *plan) cut(packets []packet, first, maxRun int32) {
	for i := first; i >= 0; {
		r := run{first: i, count: 1, size: packets[i].size}
		total, last := r.size, r.size
		for i = packets[i].next; i >= 0; i = packets[i].next {
			k := &packets[i]
			if r.count >= maxRun || last != r.size || k.size > r.size || r.size > maxSegment || total+k.size > maxRunBytes {
				break
			}
			r.count++
			last = k.size
			total += k.size
		}
		p.runs = append(p.runs, r)
	}
}
