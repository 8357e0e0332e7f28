package doctor

import (
	"net"
	"net/netip"
	"slices"
)

// machine is the addresses of this machine's interfaces.
type machine struct{ addresses []netip.Addr }

func machineFacts() machine {
	var m machine
	found, _ := net.InterfaceAddrs() // without them only literal addresses are judged
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			m.addresses = append(m.addresses, p.Addr().Unmap())
		}
	}
	return m
}

// owns reports whether packets for an address stay on this machine.
func (m machine) owns(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(m.addresses, a.Unmap())
}

// reach is from how far an address can be reached.
type reach int

const (
	reachSelf   reach = iota // this machine only
	reachLocal               // the same private network
	reachPublic              // anyone
)

func (r reach) String() string {
	return [...]string{"this machine only", "its own network only", "the Internet"}[r]
}

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

func reachOf(a netip.Addr) reach {
	a = a.Unmap()
	switch {
	case a.IsLoopback():
		return reachSelf
	case a.IsPrivate(), a.IsLinkLocalUnicast(), carrierNAT.Contains(a):
		return reachLocal
	}
	return reachPublic
}

// furthest is from how far a listener on an address can be reached.
func (m machine) furthest(bound netip.Addr) reach {
	if !bound.IsUnspecified() {
		return reachOf(bound)
	}
	r := reachSelf
	for _, a := range m.addresses {
		if !a.IsLinkLocalUnicast() {
			r = max(r, reachOf(a))
		}
	}
	return r
}

// reachable is an address at which this machine reaches a port that is bound to bound.
func reachable(bound netip.AddrPort) netip.AddrPort {
	switch {
	case !bound.Addr().IsUnspecified():
		return bound
	case bound.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), bound.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), bound.Port())
}

// shown are the addresses that callers are told for a wildcard. Go binds both families for
// 0.0.0.0 too.
func (m machine) shown() (list []string) {
	for _, a := range m.addresses {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			list = append(list, a.String())
		}
	}
	return list
}
