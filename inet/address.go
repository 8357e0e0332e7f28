// Package inet says which IP addresses belong to hosts of the Internet, whatever form they are
// written in, and which to the machine that the server runs on. Whatever connects or sends to an
// address that strangers named asks here.
package inet

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

var (
	sixToFour    = netip.MustParsePrefix("2002::/16")
	teredo       = netip.MustParsePrefix("2001::/32")
	nat64        = netip.MustParsePrefix("64:ff9b::/96")
	v4Translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	v4Compatible = netip.MustParsePrefix("::/96")
	isatap       = [4]byte{0x00, 0x00, 0x5E, 0xFE}
)

// disguised returns the IPv4 address that packets for an IPv6 address may end up at. Such
// an address is checked as the one it hides, since a tunnel or translator on the way unwraps it.
func disguised(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() {
		return netip.Addr{}, false
	}
	b := a.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case a.Is4In6(), nat64.Contains(a), v4Translated.Contains(a):
		return at(12), true
	case sixToFour.Contains(a):
		return at(2), true
	case teredo.Contains(a):
		// The client's address is stored with all bits turned.
		// https://www.rfc-editor.org/rfc/rfc4380#section-4
		v := binary.BigEndian.Uint32(b[12:]) ^ 0xFFFFFFFF
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
	case v4Compatible.Contains(a) && !a.IsUnspecified() && a != netip.IPv6Loopback():
		return at(12), true
	case [4]byte(b[8:12]) == isatap || [4]byte{b[8] &^ 2, b[9], b[10], b[11]} == isatap:
		return at(12), true
	}
	return netip.Addr{}, false
}

// Canonical unwraps every disguise, also one inside another, and drops the zone.
func Canonical(a netip.Addr) netip.Addr {
	a = a.WithZone("")
	for {
		hidden, ok := disguised(a)
		if !ok {
			return a
		}
		a = hidden
	}
}

type specialPrefix struct {
	prefix netip.Prefix
	what   string
}

// special is address space that is not for hosts on the Internet, and what it is for instead.
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
var special = []specialPrefix{
	{netip.MustParsePrefix("169.254.169.254/32"), "cloud metadata"},
	{netip.MustParsePrefix("169.254.170.2/32"), "cloud metadata"},
	{netip.MustParsePrefix("100.100.100.200/32"), "cloud metadata"},
	{netip.MustParsePrefix("168.63.129.16/32"), "cloud metadata"},
	{netip.MustParsePrefix("192.0.0.192/32"), "cloud metadata"},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "cloud metadata"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "cloud metadata"},
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.31.196.0/24"), "AS112"},
	{netip.MustParsePrefix("192.52.193.0/24"), "AMT"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relays"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("192.175.48.0/24"), "AS112"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	// Where the address is hidden depends on the network, so none is believed.
	// https://www.rfc-editor.org/rfc/rfc8215
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local NAT64"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("5f00::/16"), "segment routing"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// globalUnicast6 is the only part of IPv6 that has been given to hosts on the Internet.
var globalUnicast6 = netip.MustParsePrefix("2000::/3")

// NotPublic says why a canonical address is not that of a public host; empty if it is.
func NotPublic(a netip.Addr) string {
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.what
		}
	}
	switch {
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.Is6() && !globalUnicast6.Contains(a):
		return "not global unicast"
	}
	return ""
}

// Special reports whether all of a prefix lies in one that is not for hosts on the Internet.
func Special(p netip.Prefix) bool {
	return slices.ContainsFunc(special, func(s specialPrefix) bool { return s.prefix.Bits() <= p.Bits() && s.prefix.Contains(p.Addr()) })
}
