package turn

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"hash/crc32"
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

type class uint16

const (
	classRequest    class = 0x000
	classIndication class = 0x010
	classSuccess    class = 0x100
	classError      class = 0x110
)

type method uint16

const (
	methodBinding          method = 0x001
	methodAllocate         method = 0x003
	methodRefresh          method = 0x004
	methodSend             method = 0x006
	methodData             method = 0x007
	methodCreatePermission method = 0x008
	methodChannelBind      method = 0x009
)

type attribute uint16

const (
	attrUsername           attribute = 0x0006
	attrMessageIntegrity   attribute = 0x0008
	attrErrorCode          attribute = 0x0009
	attrUnknownAttributes  attribute = 0x000A
	attrChannelNumber      attribute = 0x000C
	attrLifetime           attribute = 0x000D
	attrXORPeerAddress     attribute = 0x0012
	attrData               attribute = 0x0013
	attrRealm              attribute = 0x0014
	attrNonce              attribute = 0x0015
	attrXORRelayedAddress  attribute = 0x0016
	attrRequestedFamily    attribute = 0x0017
	attrEvenPort           attribute = 0x0018
	attrRequestedTransport attribute = 0x0019
	attrXORMappedAddress   attribute = 0x0020
	attrReservationToken   attribute = 0x0022
	attrSoftware           attribute = 0x8022
	attrFingerprint        attribute = 0x8028
)

// understood are the comprehension-required attributes (below 0x8000) that we obey. Any
// other in a request is answered with 420.
// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.1
func understood(a attribute) bool {
	switch a {
	case attrUsername, attrMessageIntegrity, attrChannelNumber, attrLifetime, attrXORPeerAddress, attrData, attrRealm,
		attrNonce, attrRequestedFamily, attrEvenPort, attrRequestedTransport, attrReservationToken:
		return true
	}
	return a >= 0x8000
}

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

// number reads a 32-bit value such as LIFETIME.
func (m *message) number(kind attribute) (uint32, bool) {
	value, ok := m.find(kind)
	if !ok || len(value) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(value), true
}

// builder writes one STUN message.
type builder struct{ raw []byte }

func build(m method, c class, transaction []byte) *builder {
	b := &builder{raw: make([]byte, 8, 160)}
	binary.BigEndian.PutUint16(b.raw, uint16(m)|uint16(c))
	binary.BigEndian.PutUint32(b.raw[4:], magicCookie)
	b.raw = append(b.raw, transaction...)
	return b
}

func (b *builder) add(kind attribute, value []byte) *builder {
	b.raw = binary.BigEndian.AppendUint16(b.raw, uint16(kind))
	b.raw = binary.BigEndian.AppendUint16(b.raw, uint16(len(value)))
	b.raw = append(b.raw, value...)
	for len(b.raw)%4 != 0 {
		b.raw = append(b.raw, 0)
	}
	binary.BigEndian.PutUint16(b.raw[2:], uint16(len(b.raw)-stunHeader))
	return b
}

func (b *builder) addText(kind attribute, value string) *builder { return b.add(kind, []byte(value)) }

func (b *builder) addNumber(kind attribute, value uint32) *builder {
	return b.add(kind, binary.BigEndian.AppendUint32(nil, value))
}

func (b *builder) addAddress(kind attribute, a netip.AddrPort) *builder {
	return b.add(kind, appendXORAddress(nil, a, b.raw))
}

// addError adds ERROR-CODE. The reasons are those of the RFCs.
func (b *builder) addError(code int) *builder {
	return b.add(attrErrorCode, append([]byte{0, 0, byte(code / 100), byte(code % 100)}, reasons[code]...))
}

// sign adds MESSAGE-INTEGRITY.
func (b *builder) sign(key []byte) *builder {
	return b.add(attrMessageIntegrity, integrity(b.raw, len(b.raw), key))
}

// fingerprint adds FINGERPRINT, which tells STUN from other protocols on one port.
func (b *builder) fingerprint() *builder {
	binary.BigEndian.PutUint16(b.raw[2:], uint16(len(b.raw)-stunHeader+8))
	return b.addNumber(attrFingerprint, crc32.ChecksumIEEE(b.raw)^0x5354554E)
}

// appendXORAddress writes the value of a XOR-…-ADDRESS attribute for the message whose
// header is given.
func appendXORAddress(to []byte, a netip.AddrPort, header []byte) []byte {
	port := a.Port() ^ (magicCookie >> 16)
	ip := a.Addr().Unmap()
	if ip.Is4() {
		four := ip.As4()
		return append(to, 0, 1, byte(port>>8), byte(port),
			four[0]^header[4], four[1]^header[5], four[2]^header[6], four[3]^header[7])
	}
	to = append(to, 0, 2, byte(port>>8), byte(port))
	sixteen := ip.As16()
	for i, b := range sixteen {
		to = append(to, b^header[4+i])
	}
	return to
}

var reasons = map[int]string{
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	420: "Unknown Attribute",
	437: "Allocation Mismatch",
	438: "Stale Nonce",
	440: "Address Family not Supported",
	441: "Wrong Credentials",
	442: "Unsupported Transport Protocol",
	443: "Peer Address Family Mismatch",
	486: "Allocation Quota Reached",
	508: "Insufficient Capacity",
}

// errorCode reads ERROR-CODE, zero when there is none.
func (m *message) errorCode() int {
	value, ok := m.find(attrErrorCode)
	if !ok || len(value) < 4 {
		return 0
	}
	return int(value[2])*100 + int(value[3])
}

// isChannelNumber is true for the numbers of RFC 5766. RFC 8656 leaves only those up to
// 0x4FFF, but coturn's clients and older ones still take any.
// https://www.rfc-editor.org/rfc/rfc5766#section-11
func isChannelNumber(n uint16) bool { return n >= 0x4000 && n <= 0x7FFF }

// channelData reads a ChannelData datagram: its number and payload. Over UDP the padding
// may be missing, so what follows the payload is not looked at.
func channelData(raw []byte) (number uint16, payload []byte, ok bool) {
	if len(raw) < channelHeader {
		return 0, nil, false
	}
	number = binary.BigEndian.Uint16(raw)
	length := int(binary.BigEndian.Uint16(raw[2:]))
	if !isChannelNumber(number) || channelHeader+length > len(raw) {
		return 0, nil, false
	}
	return number, raw[channelHeader : channelHeader+length], true
}

func sameBytes(value []byte, text string) bool { return bytes.Equal(value, []byte(text)) }
