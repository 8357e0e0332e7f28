package udp

import "net/netip"

// NarrowPaths are addresses on the way to which packets do not fit: the kernel sends each in
// fragments, and refuses to segment a message. That is a matter of one path, and anyone can
// bring it about for an address by a forged ICMP message, so it changes nothing for others.
type NarrowPaths map[netip.Addr]struct{}

// maxNarrow bounds the addresses. When there are as many, all are forgotten: the next message
// to each is refused once more.
const maxNarrow = 1024

// Has is true if the kernel has refused to segment for an address.
func (n NarrowPaths) Has(a netip.Addr) bool {
	if len(n) == 0 {
		return false
	}
	_, ok := n[a]
	return ok
}

// Add remembers that the kernel has refused to segment for an address.
func (n *NarrowPaths) Add(a netip.Addr) {
	if *n == nil {
		*n = NarrowPaths{}
	}
	if len(*n) >= maxNarrow {
		clear(*n)
	}
	(*n)[a] = struct{}{}
}
