package sfu

import "encoding/binary"

// vp8Descriptor is where the numbers of a VP8 payload descriptor lie, so that a slot
// can continue them. Zero offsets mean that the number is not there.
// https://www.rfc-editor.org/rfc/rfc7741#section-4.2
type vp8Descriptor struct {
	start   bool   // the first packet of a frame
	picture uint16 // picture id
	wide    bool   // the picture id has 15 bits, not 7
	tl0     uint8  // TL0PICIDX
	pidAt   uint8  // offset of the picture id
	tl0At   uint8  // offset of TL0PICIDX
	size    uint8  // of the descriptor
}

// parseVP8 reads the descriptor at the start of b. Not ok: b is too short.
func parseVP8(b []byte) (d vp8Descriptor, ok bool) {
	if len(b) < 1 {
		return d, false
	}
	d.start = b[0]&0x10 != 0 && b[0]&0x07 == 0
	at := 1
	if b[0]&0x80 != 0 {
		if len(b) < 2 {
			return d, false
		}
		x := b[1]
		at = 2
		if x&0x80 != 0 {
			if len(b) < at+1 {
				return d, false
			}
			d.pidAt = uint8(at)
			d.picture = uint16(b[at] & 0x7f)
			if d.wide = b[at]&0x80 != 0; d.wide {
				if len(b) < at+2 {
					return d, false
				}
				d.picture = d.picture<<8 | uint16(b[at+1])
				at++
			}
			at++
		}
		if x&0x40 != 0 {
			if len(b) < at+1 {
				return d, false
			}
			d.tl0At, d.tl0 = uint8(at), b[at]
			at++
		}
		if x&0x30 != 0 {
			at++
		}
	}
	if len(b) < at {
		return d, false
	}
	d.size = uint8(at)
	return d, true
}

// put writes picture and tl0 into the descriptor at the start of b.
func (d vp8Descriptor) put(b []byte, picture uint16, tl0 uint8) {
	switch {
	case d.pidAt > 0 && d.wide:
		binary.BigEndian.PutUint16(b[d.pidAt:], picture|0x8000)
	case d.pidAt > 0:
		b[d.pidAt] = uint8(picture) & 0x7f
	}
	if d.tl0At > 0 {
		b[d.tl0At] = tl0
	}
}

// vp8Key returns whether a payload begins a key frame: "P: Inverse key frame flag. [...]
// 0 for key frames".
// https://www.rfc-editor.org/rfc/rfc7741#section-4.3
func vp8Key(d vp8Descriptor, b []byte) bool {
	return d.start && len(b) > int(d.size) && b[d.size]&0x01 == 0
}
