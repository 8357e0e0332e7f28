package front

import "encoding/binary"

// kind is what a connection is for.
type kind int

const (
	kindUnknown kind = iota
	kindTLS
	kindICE
	kindRelay
	kindHTTP
)

// "The magic cookie field MUST contain the fixed value 0x2112A442 in network byte order."
// https://www.rfc-editor.org/rfc/rfc8489#section-5
const magicCookie = 0x2112A442

const (
	recordHandshake = 0x16 // RFC 8446 section 5.1
	stunHeader      = 20
	maxSTUN         = 2048 // a connectivity check is a tenth of that
)

// classifyPlain says what a TCP connection is for by its first bytes. With kindUnknown it
// also says how many bytes it needs to know more. No more than it got means never: it is
// nothing that we serve.
func classifyPlain(b []byte) (kind, int) {
	if len(b) == 0 {
		return kindUnknown, 1
	}
	switch {
	case b[0] == recordHandshake:
		return kindTLS, 0
	case 'A' <= b[0] && b[0] <= 'Z':
		return kindHTTP, 0
	case b[0] > maxSTUN>>8:
		return kindUnknown, 0
	case len(b) < 10:
		return kindUnknown, 10
	}
	// RFC 4571: a length, then the packet, which for ICE begins with a Binding request.
	length := int(binary.BigEndian.Uint16(b))
	if length >= stunHeader && length <= maxSTUN && b[2] == 0 && b[3] == 1 &&
		int(binary.BigEndian.Uint16(b[4:]))+stunHeader == length && binary.BigEndian.Uint32(b[6:]) == magicCookie {
		return kindICE, 0
	}
	return kindUnknown, 0
}

// classifyDecrypted does the same for the first bytes inside TLS.
func classifyDecrypted(b []byte) (kind, int) {
	if len(b) == 0 {
		return kindUnknown, 1
	}
	switch {
	case b[0]&0xC0 == 0 && len(b) < 8: // STUN's first two bits are zero, and so are those of control characters
		return kindUnknown, 8
	case b[0]&0xC0 == 0:
		if b[3]&3 == 0 && binary.BigEndian.Uint32(b[4:]) == magicCookie {
			return kindRelay, 0
		}
		return kindUnknown, 0
	case b[0] >= 0x40 && b[0] <= 0x4F && len(b) < 2:
		return kindUnknown, 2
	case b[0] >= 0x40 && b[0] <= 0x4F && !capital(b[1]):
		return kindRelay, 0 // a channel's number: 0x4000 to 0x4FFF
	}
	return kindHTTP, 0
}

// capital tells "GET" from the number of a channel. A client binds channels only after an
// Allocate on the same connection, so a correct one never begins with ChannelData. The relay
// closes a connection that does.
func capital(b byte) bool { return 'A' <= b && b <= 'Z' }
