package sfu

import "encoding/binary"

// packet is an RTP packet of a layer, as its slots see it.
type packet struct {
	ext     uint64 // extended sequence number
	ts      uint32
	codec   codec
	marker  bool
	key     bool // a decoder can start here
	vp8     vp8Descriptor
	payload []byte
}

// parseRTP returns the payload of an RTP packet, without padding. Not ok: it is malformed.
func parseRTP(b []byte) (payload []byte, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return nil, false
	}
	at := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return nil, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // the last byte counts the padding, with itself
		if b[end-1] == 0 {
			return nil, false
		}
		end -= int(b[end-1])
	}
	if end < at {
		return nil, false
	}
	return b[at:end], true
}

// read fills p from an RTP packet whose payload was found. It returns false when the
// payload is not what its type says.
func (p *packet) read(b, payload []byte, c codec) bool {
	p.ts = binary.BigEndian.Uint32(b[4:])
	p.marker = b[1]&0x80 != 0
	p.codec, p.payload = c, payload
	p.key, p.vp8 = false, vp8Descriptor{}
	switch c {
	case codecOpus, codecRED:
		p.key = true
	case codecVP8:
		if len(payload) == 0 { // padding keeps its number
			return true
		}
		var ok bool
		if p.vp8, ok = parseVP8(payload); !ok {
			return false
		}
		p.key = vp8Key(p.vp8, payload)
	case codecH264:
		p.key = h264Key(payload)
	default:
		return false
	}
	return true
}
