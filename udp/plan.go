package udp

import "net/netip"

// run is what leaves as one message: count packets to one destination, which begin with
// first and follow each other by packet.next. All have the size of the first, except the
// last, which may be shorter.
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
	ends   []ends                   // by destination, in the order of their first packets
	runs   []run
}

// ends are the first and the last packet to a destination.
type ends struct{ first, last int32 }

// make returns the runs of packets, of at most maxRun packets each, and of one to a destination
// that is narrow.
func (p *plan) make(packets []packet, maxRun int32, narrow NarrowPaths) []run {
	if p.groups == nil {
		p.groups = make(map[netip.AddrPort]int32)
	}
	clear(p.groups)
	p.ends = p.ends[:0]
	p.runs = p.runs[:0]
	p.link(packets)
	for _, e := range p.ends {
		if narrow.Has(packets[e.first].to.Addr()) {
			p.cut(packets, e.first, 1)
			continue
		}
		p.cut(packets, e.first, maxRun)
	}
	return p.runs
}

// link chains the packets to each destination.
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

// cut makes runs of the packets to one destination, which begin with first.
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
