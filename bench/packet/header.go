package packet

import (
	"encoding/binary"
	"errors"
)

// Header is the fixed part of an RTP header and where its extension lies.
type Header struct {
	Size        int
	Marker      bool
	PayloadType uint8
	Seq         uint16
	Timestamp   uint32
	SSRC        uint32
	extension   []byte // of the one-byte form; nil when there is none
	padding     bool
}

var errShort = errors.New("packet is cut off")

// ParseHeader reads a header without copying the packet, to which extension points.
// https://www.rfc-editor.org/rfc/rfc3550#section-5.1
func ParseHeader(b []byte) (Header, error) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return Header{}, errShort
	}
	h := Header{
		Size: 12 + 4*int(b[0]&15), Marker: b[1]&0x80 != 0, PayloadType: b[1] & 0x7f,
		padding: b[0]&0x20 != 0,
		Seq:     binary.BigEndian.Uint16(b[2:]), Timestamp: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]),
	}
	if b[0]&0x10 != 0 {
		if len(b) < h.Size+4 {
			return Header{}, errShort
		}
		profile, words := binary.BigEndian.Uint16(b[h.Size:]), int(binary.BigEndian.Uint16(b[h.Size+2:]))
		start := h.Size + 4
		h.Size = start + 4*words
		if len(b) >= h.Size && profile == 0xbede {
			h.extension = b[start:h.Size]
		}
	}
	if len(b) < h.Size {
		return Header{}, errShort
	}
	return h, nil
}

// Find returns the value of one header extension, nil when it is not there.
// https://www.rfc-editor.org/rfc/rfc8285#section-4.2
func (h Header) Find(id uint8) []byte {
	for e := h.extension; len(e) > 0; {
		if e[0] == 0 {
			e = e[1:]
			continue
		}
		size := int(e[0]&15) + 1
		if e[0]>>4 == 15 || len(e) < 1+size {
			return nil
		}
		if e[0]>>4 == id {
			return e[1 : 1+size]
		}
		e = e[1+size:]
	}
	return nil
}
