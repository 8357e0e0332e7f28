package turn

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

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
