package files

import (
	"bufio"
	"encoding/binary"
)

// Flags in the first byte of VP8X that say which chunks there are.
const (
	webpEXIF = 0x08
	webpXMP  = 0x04
)

// webpKept are the chunks of which the picture is made. EXIF, XMP and unknown ones are not among them.
var webpKept = map[string]bool{"VP8 ": true, "VP8L": true, "VP8X": true, "ALPH": true, "ANIM": true, "ANMF": true, "ICCP": true}

// stripWebP keeps the chunks of webpKept. In place of the others, whose size is part of the size in
// the header, it puts one chunk of zeros, which readers skip: so it need not know what follows.
func stripWebP(w *bufio.Writer, r *bufio.Reader) (s stripped, err error) {
	header, err := next(r, 12)
	if err != nil || string(header[:4]) != "RIFF" || string(header[8:]) != "WEBP" {
		return s, errBroken
	}
	w.Write(header) // errors of w come with Flush
	left := int64(binary.LittleEndian.Uint32(header[4:])) - 4
	for left > 0 {
		chunk, err := next(r, 8)
		if err != nil {
			return s, err
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		padded := size + size&1
		if left -= 8 + padded; left < 0 {
			return s, errBroken
		}
		switch kind := string(chunk[:4]); {
		case kind == "VP8X" && size > 0:
			w.Write(chunk)
			flags, err := r.ReadByte()
			if err != nil {
				return s, err
			}
			w.WriteByte(flags &^ (webpEXIF | webpXMP))
			if err := pass(w, r, padded-1, true); err != nil {
				return s, err
			}
		case webpKept[kind]:
			w.Write(chunk)
			if err := pass(w, r, padded, true); err != nil {
				return s, err
			}
		default:
			w.WriteString("JUNK")
			w.Write(chunk[4:])
			if err := pass(w, r, padded, false); err != nil {
				return s, err
			}
			if err := zeros(w, padded); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func zeros(w *bufio.Writer, n int64) error {
	var none [4096]byte
	for n > 0 {
		m := min(n, int64(len(none)))
		if _, err := w.Write(none[:m]); err != nil {
			return err
		}
		n -= m
	}
	return nil
}
