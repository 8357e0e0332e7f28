package sfu

import (
	"encoding/binary"
	"strings"
)

type codec uint8

const (
	codecNone codec = iota
	codecOpus
	codecRED
	codecVP8
	codecH264
	codecs // their number
)

func codecOf(mime string) codec {
	switch strings.ToLower(mime) {
	case "audio/opus":
		return codecOpus
	case "audio/red":
		return codecRED
	case "video/vp8":
		return codecVP8
	case "video/h264":
		return codecH264
	}
	return codecNone
}

func (c codec) clock() uint32 {
	if c == codecOpus || c == codecRED {
		return 48_000
	}
	return 90_000
}

// vp8Descriptor is where the numbers of a VP8 payload descriptor lie, so that a slot
// can continue them. Zero offsets mean that the number is not there.
// https://www.rfc-editor.org/rfc/rfc7741#section-4.2
type vp8Descriptor struct {
	start   bool // first packet of a frame
	picture uint16
	wide    bool // picture id of 15 bits
	tl0     uint8
	pidAt   uint8
	tl0At   uint8
	size    uint8
}

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

// vp8Key: "P: Inverse key frame flag. [...] 0 for key frames".
// https://www.rfc-editor.org/rfc/rfc7741#section-4.3
func vp8Key(d vp8Descriptor, b []byte) bool {
	return d.start && len(b) > int(d.size) && b[d.size]&0x01 == 0
}

// h264Key says whether a key frame starts in this packet: at its parameter sets, or at
// the first slice of an IDR picture that comes without them.
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

// redPrimary returns the newest block of a RED payload, for who cannot read RED.
// https://www.rfc-editor.org/rfc/rfc2198#section-3
func redPrimary(b []byte) ([]byte, bool) {
	skip := 0
	for len(b) > 0 {
		if b[0]&0x80 == 0 {
			if b = b[1:]; skip > len(b) {
				return nil, false
			}
			return b[skip:], true
		}
		if len(b) < 4 {
			return nil, false
		}
		skip += int(b[2]&0x03)<<8 | int(b[3])
		b = b[4:]
	}
	return nil, false
}

// extension finds an RTP header extension in a packet, without allocating.
// https://www.rfc-editor.org/rfc/rfc8285#section-4
func extension(b []byte, id uint8) []byte {
	if len(b) < 12 || b[0]&0x10 == 0 || id == 0 {
		return nil
	}
	at := 12 + 4*int(b[0]&0x0f)
	if len(b) < at+4 {
		return nil
	}
	profile, words := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
	if b = b[at+4:]; len(b) < 4*words {
		return nil
	}
	b = b[:4*words]
	wide := profile&0xfff0 == 0x1000
	if !wide && profile != 0xbede {
		return nil
	}
	for len(b) > 0 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		var this uint8
		var n int
		if wide {
			if len(b) < 2 {
				return nil
			}
			this, n = b[0], int(b[1])
			b = b[2:]
		} else {
			this, n = b[0]>>4, int(b[0]&0x0f)+1
			b = b[1:]
			if this == 15 {
				return nil
			}
		}
		if n > len(b) {
			return nil
		}
		if this == id {
			return b[:n]
		}
		b = b[n:]
	}
	return nil
}
