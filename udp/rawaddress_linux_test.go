package udp

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRawAddressIsTheKernels(t *testing.T) {
	for _, test := range []struct {
		address string
		six     bool
		want    unix.Sockaddr
		back    string
	}{
		{"192.0.2.1:3478", false, &unix.SockaddrInet4{Port: 3478, Addr: [4]byte{192, 0, 2, 1}}, "192.0.2.1:3478"},
		{"[::ffff:192.0.2.1]:256", false, &unix.SockaddrInet4{Port: 256, Addr: [4]byte{192, 0, 2, 1}}, "192.0.2.1:256"},
		{"192.0.2.1:1", true, &unix.SockaddrInet6{Port: 1, Addr: [16]byte{10: 0xFF, 11: 0xFF, 12: 192, 13: 0, 14: 2, 15: 1}}, "192.0.2.1:1"},
		{"[2001:db8::1]:65535", true, &unix.SockaddrInet6{Port: 65535, Addr: [16]byte{0x20, 1, 0x0D, 0xB8, 15: 1}}, "[2001:db8::1]:65535"},
		{"[fe80::1%7]:5", true, &unix.SockaddrInet6{Port: 5, ZoneId: 7, Addr: [16]byte{0xFE, 0x80, 15: 1}}, "[fe80::1]:5"},
	} {
		var r RawAddress
		r.set(netip.MustParseAddrPort(test.address), test.six)
		if got := r.AddrPort().String(); got != test.back {
			t.Errorf("%s came back as %s, want %s", test.address, got, test.back)
		}
		switch want := test.want.(type) {
		case *unix.SockaddrInet4:
			if !r.is4() || r.size() != unix.SizeofSockaddrInet4 || [4]byte(r.bytes[4:8]) != want.Addr {
				t.Errorf("%s: got %v, want %+v", test.address, r.bytes, want)
			}
		case *unix.SockaddrInet6:
			if r.is4() || r.size() != unix.SizeofSockaddrInet6 || [16]byte(r.bytes[8:24]) != want.Addr || r.scope() != want.ZoneId {
				t.Errorf("%s: got %v, want %+v", test.address, r.bytes, want)
			}
		}
	}
}

func TestIPv4HasOneKeyInBothForms(t *testing.T) {
	a := netip.MustParseAddrPort("192.0.2.1:3478")
	var four, six RawAddress
	four.set(a, false)
	six.set(a, true)
	if four.Key() != six.Key() {
		t.Errorf("got %v and %v", four.Key(), six.Key())
	}
	other := NewRawAddress(netip.MustParseAddrPort("192.0.2.1:3479"))
	if four.Equal(&other) || four.Key() == other.Key() {
		t.Error("another port is the same address")
	}
}

// What an earlier, longer address left behind in reused room must not matter.
func TestReusedRoomDoesNotChangeAnAddress(t *testing.T) {
	clean := NewRawAddress(netip.MustParseAddrPort("192.0.2.1:3478"))
	used := NewRawAddress(netip.MustParseAddrPort("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:1"))
	copy(used.bytes[:unix.SizeofSockaddrInet4], clean.bytes[:]) // as the kernel writes
	if !used.Equal(&clean) || !clean.Equal(&used) || used.Key() != clean.Key() {
		t.Errorf("got %v and %v", used, clean)
	}
}
