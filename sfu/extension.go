package sfu

import "encoding/binary"

// extension returns the header extension with this id in an RTP packet; nil: the packet
// has none, or is malformed. It allocates nothing.
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
