package udp

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// RawAddress is a socket address in the kernel's form, struct sockaddr_in or sockaddr_in6:
//
//	bytes   sockaddr_in       sockaddr_in6
//	0–1     AF_INET           AF_INET6
//	2–3     port, big endian  port, big endian
//	4–7     address           flow
//	8–23    zeros             address
//	24–27                     scope
type RawAddress struct {
	bytes [unix.SizeofSockaddrInet6]byte
}

// NewRawAddress returns the address for a socket of its own family: IPv4 in IPv6 is IPv4.
func NewRawAddress(a netip.AddrPort) RawAddress {
	var r RawAddress
	r.set(a, !a.Addr().Unmap().Is4())
	return r
}

// set makes r the address of a for a socket of IPv6, to which IPv4 goes as IPv4 in IPv6, or
// of IPv4.
func (r *RawAddress) set(a netip.AddrPort, six bool) {
	*r = RawAddress{}
	binary.BigEndian.PutUint16(r.bytes[2:], a.Port())
	if six {
		binary.NativeEndian.PutUint16(r.bytes[:], unix.AF_INET6)
		ip := a.Addr().As16()
		copy(r.bytes[8:], ip[:])
		if zone := a.Addr().Zone(); zone != "" {
			binary.NativeEndian.PutUint32(r.bytes[24:], zoneID(zone))
		}
		return
	}
	binary.NativeEndian.PutUint16(r.bytes[:], unix.AF_INET)
	if ip := a.Addr().Unmap(); ip.Is4() {
		four := ip.As4()
		copy(r.bytes[4:], four[:])
	}
}

func (r *RawAddress) is4() bool { return binary.NativeEndian.Uint16(r.bytes[:]) == unix.AF_INET }

func (r *RawAddress) size() uint32 {
	if r.is4() {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}

// AddrPort is the address without its zone. IPv4 in IPv6 comes out as IPv4.
func (r *RawAddress) AddrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(r.bytes[2:])
	if r.is4() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(r.bytes[4:8])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(r.bytes[8:24])).Unmap(), port)
}

// scope is the number of the interface that an address of this link belongs to.
func (r *RawAddress) scope() uint32 {
	if r.is4() {
		return 0
	}
	return binary.NativeEndian.Uint32(r.bytes[24:])
}

// Equal reports whether both are the same address and port.
func (r *RawAddress) Equal(other *RawAddress) bool {
	n := r.size()
	return r == other || bytes.Equal(r.bytes[:n], other.bytes[:n])
}

// Key is an address and a port in the maps of a packet path: IPv4 is kept as IPv4 in IPv6.
type Key struct {
	ip   [16]byte
	port uint32
}

// Key returns the key of r.
func (r *RawAddress) Key() Key {
	k := Key{port: uint32(binary.BigEndian.Uint16(r.bytes[2:]))}
	if r.is4() {
		k.ip[10], k.ip[11] = 0xFF, 0xFF
		copy(k.ip[12:], r.bytes[4:8])
		return k
	}
	copy(k.ip[:], r.bytes[8:24])
	return k
}
