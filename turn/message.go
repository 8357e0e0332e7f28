package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"net/netip"
)

// Sizes of the two kinds of messages a TURN client sends.
const (
	stunHeader    = 20
	channelHeader = 4
	magicCookie   = 0x2112A442
	integritySize = 4 + sha1.Size
	// maxFrame bounds what a client or a peer may send in one piece. Media packets are at
	// most 1,500 bytes; the rest is room for the attributes around them.
	maxFrame = 2048
	// maxAttributes bounds the attributes of one message. An Allocate of a browser has ten;
	// a CreatePermission may name many peers.
	maxAttributes = 64
)

var errMessage = errors.New("not a STUN message")

// span is one attribute's value inside the raw message.
type span struct {
	kind       attribute
	start, end int
}

// message is a parsed STUN message. It refers to the bytes it was parsed from and is
// reused from message to message, so that parsing allocates nothing.
type message struct {
	raw   []byte
	kind  uint16
	spans [maxAttributes]span
	count int
}

// parse accepts exactly one STUN message: the cookie, a length that is the length of raw
// and a multiple of four, attributes that end where the message ends.
func (m *message) parse(raw []byte) error {
	m.raw, m.count = raw, 0
	if len(raw) < stunHeader || raw[0]&0xC0 != 0 {
		return errMessage
	}
	m.kind = binary.BigEndian.Uint16(raw)
	length := int(binary.BigEndian.Uint16(raw[2:]))
	if length%4 != 0 || length != len(raw)-stunHeader || binary.BigEndian.Uint32(raw[4:]) != magicCookie {
		return errMessage
	}
	signed := false
	for at := stunHeader; at < len(raw); {
		if at+4 > len(raw) {
			return errMessage
		}
		kind := attribute(binary.BigEndian.Uint16(raw[at:]))
		start := at + 4
		end := start + int(binary.BigEndian.Uint16(raw[at+2:]))
		if end > len(raw) {
			return errMessage
		}
		at = padded(end)
		// "[...] agents MUST ignore all other attributes that follow MESSAGE-INTEGRITY",
		// except FINGERPRINT, which we do not need.
		// https://www.rfc-editor.org/rfc/rfc8489#section-14.5
		if signed {
			continue
		}
		signed = kind == attrMessageIntegrity
		if m.count == maxAttributes {
			return errMessage
		}
		m.spans[m.count] = span{kind, start, end}
		m.count++
	}
	return nil
}

func padded(n int) int { return (n + 3) &^ 3 }

func (m *message) class() class { return class(m.kind & 0x110) }

func (m *message) method() method { return method(m.kind &^ 0x110) }

func (m *message) transaction() []byte { return m.raw[8:stunHeader] }

// find returns the value of the first attribute of that kind.
func (m *message) find(kind attribute) ([]byte, bool) {
	for _, s := range m.spans[:m.count] {
		if s.kind == kind {
			return m.raw[s.start:s.end], true
		}
	}
	return nil, false
}

// unknown lists the attributes that we would have to understand and do not.
func (m *message) unknown() []attribute {
	var list []attribute
	for _, s := range m.spans[:m.count] {
		if !understood(s.kind) {
			list = append(list, s.kind)
		}
	}
	return list
}

// signedBy says whether MESSAGE-INTEGRITY was made with key.
func (m *message) signedBy(key []byte) bool {
	for _, s := range m.spans[:m.count] {
		if s.kind != attrMessageIntegrity {
			continue
		}
		return s.end-s.start == sha1.Size && hmac.Equal(integrity(m.raw, s.start-4, key), m.raw[s.start:s.end])
	}
	return false
}

// integrity computes MESSAGE-INTEGRITY for the message whose attribute would start at end.
// The length in the header counts as if the message ended right after the attribute.
// https://www.rfc-editor.org/rfc/rfc8489#section-14.5
func integrity(raw []byte, end int, key []byte) []byte {
	mac := hmac.New(sha1.New, key)
	var length [2]byte
	binary.BigEndian.PutUint16(length[:], uint16(end-stunHeader+integritySize))
	mac.Write(raw[:2])
	mac.Write(length[:])
	mac.Write(raw[4:end])
	return mac.Sum(nil)
}

// address reads a XOR-…-ADDRESS value.
func (m *message) address(value []byte) (netip.AddrPort, bool) {
	if len(value) < 4 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(value[2:]) ^ (magicCookie >> 16)
	switch {
	case value[1] == 1 && len(value) == 8:
		var ip [4]byte
		for i := range ip {
			ip[i] = value[4+i] ^ m.raw[4+i]
		}
		return netip.AddrPortFrom(netip.AddrFrom4(ip), port), true
	case value[1] == 2 && len(value) == 20:
		var ip [16]byte
		for i := range ip {
			ip[i] = value[4+i] ^ m.raw[4+i]
		}
		return netip.AddrPortFrom(netip.AddrFrom16(ip), port), true
	}
	return netip.AddrPort{}, false
}

// peers is how many peers the message names.
func (m *message) peers() (n int) {
	for _, s := range m.spans[:m.count] {
		if s.kind == attrXORPeerAddress {
			n++
		}
	}
	return n
}

// number reads a 32-bit value such as LIFETIME.
func (m *message) number(kind attribute) (uint32, bool) {
	value, ok := m.find(kind)
	if !ok || len(value) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(value), true
}

// errorCode reads ERROR-CODE, zero when there is none.
func (m *message) errorCode() int {
	value, ok := m.find(attrErrorCode)
	if !ok || len(value) < 4 {
		return 0
	}
	return int(value[2])*100 + int(value[3])
}
