package sfu

import "encoding/binary"

// h264Key returns whether a key frame begins in this payload: with its parameter sets, or
// with the first slice of an IDR picture that comes without them.
// https://www.rfc-editor.org/rfc/rfc6184#section-5.4
func h264Key(b []byte) bool {
	const idr, sps, stapA, fuA = 5, 7, 24, 28
	if len(b) < 1 {
		return false
	}
	switch t := b[0] & 0x1f; t {
	case idr, sps:
		return true
	case stapA:
		for b = b[1:]; len(b) > 2; {
			n := int(binary.BigEndian.Uint16(b))
			if t := b[2] & 0x1f; n > 0 && (t == idr || t == sps) {
				return true
			}
			if b = b[2:]; n > len(b) {
				return false
			}
			b = b[n:]
		}
	case fuA:
		return len(b) > 1 && b[1]&0x80 != 0 && b[1]&0x1f == idr
	}
	return false
}
