package turn

import (
	"bytes"
	"net/netip"
	"testing"
)

// seeds are messages of every kind, and the attacks.
func seeds() [][]byte {
	id := make([]byte, 12)
	peer := netip.MustParseAddrPort("192.0.2.1:1234")
	list := [][]byte{
		{}, {0x40}, {0x40, 0, 0, 0}, {0x40, 0, 0, 1, 9}, {0x7F, 0xFF, 0, 4, 1, 2, 3, 4}, {0x16, 3, 1, 0, 5}, []byte("GET / HTTP/1.1\r\n\r\n"),
		build(methodBinding, classRequest, id).raw,
		build(methodBinding, classRequest, id).fingerprint().raw,
		build(methodAllocate, classRequest, id).addNumber(attrRequestedTransport, 17<<24).addText(attrUsername, "1:a").addText(attrRealm, "r").addText(attrNonce, "n").sign([]byte("key")).fingerprint().raw,
		build(methodSend, classIndication, id).addAddress(attrXORPeerAddress, peer).add(attrData, []byte("hello")).raw,
		build(methodCreatePermission, classRequest, id).addAddress(attrXORPeerAddress, netip.MustParseAddrPort("[2001:db8::1]:99")).raw,
	}
	for _, a := range attacks {
		list = append(list, a)
	}
	return list
}

// FuzzFrameSize: whatever a stream brings, the guard asks for more, names a frame that is not
// empty and not longer than we bear, or refuses; and more bytes do not change its mind.
func FuzzFrameSize(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		decided := false
		for n := range len(b) + 1 {
			size, err := frameSize(b[:n])
			if size < 0 || size > maxFrame || err == nil && size != 0 && size < channelHeader {
				t.Fatalf("%x: a frame of %d bytes", b[:n], size)
			}
			if err == nil && size == 0 && n >= 8 {
				t.Fatalf("%x: undecided after %d bytes", b[:n], n)
			}
			if decided && err == nil && size == 0 {
				t.Fatalf("%x: decided before, undecided now", b[:n])
			}
			decided = decided || err != nil || size != 0
		}
	})
}

// FuzzMessage: parsing never fails badly, and what it returns lies inside the message.
func FuzzMessage(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if number, payload, ok := channelData(b); ok && (!isChannelNumber(number) || len(payload) > len(b)-channelHeader) {
			t.Fatalf("%x: channel %#x with %d bytes", b, number, len(payload))
		}
		var m message
		if m.parse(b) != nil {
			return
		}
		m.signedBy([]byte("key"))
		m.unknown()
		m.errorCode()
		for _, s := range m.spans[:m.count] {
			if a, ok := m.address(b[s.start:s.end]); ok && s.kind == attrXORPeerAddress {
				var again message
				if again.parse(build(m.method(), m.class(), m.transaction()).addAddress(attrXORPeerAddress, a).raw) != nil {
					t.Fatal("what we build we cannot read")
				}
				value, _ := again.find(attrXORPeerAddress)
				if got, _ := again.address(value); got.Port() != a.Port() || got.Addr().Unmap() != a.Addr().Unmap() {
					t.Fatalf("%s became %s", a, got)
				}
			}
		}
		if size, err := frameSize(b); len(b) <= maxFrame && (err != nil || size != len(b)) {
			t.Fatalf("%x: a message for UDP, and over a stream %d, %v", b, size, err)
		}
	})
}

// FuzzNames: no name is taken for another user's.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"", ":", "1", "1:alice", "alice:1", "1:2", "-1:alice", "99999999999999999999:alice", "1:alice:2", " 1:alice"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		user, _, ok := splitName(name)
		if ok && !bytes.Contains([]byte(name), []byte(user)) {
			t.Fatalf("%q names %q", name, user)
		}
	})
}
