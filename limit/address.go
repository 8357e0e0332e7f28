package limit

import "net/netip"

// Client is the address that a client is counted under, of an ADDRESS:PORT. Clients on this
// machine, or behind a proxy on it that is not trusted to tell their addresses, are not told
// apart, so they have none.
func Client(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil || ap.Addr().Unmap().IsLoopback() {
		return netip.Addr{}
	}
	return Address(ap.Addr())
}

// Address is what counts as one client: an IPv4 address, and of an IPv6 address the /64,
// because whoever has one address there has them all. IPv4 in IPv6 counts as IPv4.
func Address(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() {
		return a
	}
	p, _ := a.WithZone("").Prefix(64) // cannot fail: 64 bits fit
	return p.Addr()
}
