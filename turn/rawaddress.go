//go:build linux

package turn

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// rawAddress is a socket address as the kernel wants it.
type rawAddress struct {
	bytes [unix.SizeofSockaddrInet6]byte
	size  uint32
}

// newRawAddress makes the address for a socket of IPv4 or of IPv6.
func newRawAddress(a netip.AddrPort) rawAddress {
	var r rawAddress
	ip := a.Addr().Unmap()
	binary.BigEndian.PutUint16(r.bytes[2:], a.Port())
	if ip.Is4() {
		binary.NativeEndian.PutUint16(r.bytes[:], unix.AF_INET)
		four := ip.As4()
		copy(r.bytes[4:], four[:])
		r.size = unix.SizeofSockaddrInet4
		return r
	}
	binary.NativeEndian.PutUint16(r.bytes[:], unix.AF_INET6)
	sixteen := ip.As16()
	copy(r.bytes[8:], sixteen[:])
	r.size = unix.SizeofSockaddrInet6
	return r
}

// addrPort reads it back; IPv4 in IPv6 comes out as IPv4.
func (r *rawAddress) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(r.bytes[2:])
	if binary.NativeEndian.Uint16(r.bytes[:]) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(r.bytes[4:8])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(r.bytes[8:24])).Unmap(), port)
}

// hostKey identifies an address and port in the maps of the packet path.
type hostKey struct {
	ip   [16]byte
	port uint32
}

func (r *rawAddress) key() hostKey {
	k := hostKey{port: uint32(binary.BigEndian.Uint16(r.bytes[2:]))}
	if binary.NativeEndian.Uint16(r.bytes[:]) == unix.AF_INET {
		k.ip[10], k.ip[11] = 0xFF, 0xFF
		copy(k.ip[12:], r.bytes[4:8])
		return k
	}
	copy(k.ip[:], r.bytes[8:24])
	return k
}
