package files

import (
	"bufio"
	"encoding/binary"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKept are the chunks of which the picture is made, and how its colours and frames are meant. Text,
// times and EXIF are not among them.
var pngKept = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true,
	"cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true, "sRGB": true, "cICP": true, "mDCV": true, "cLLI": true,
	"bKGD": true, "hIST": true, "pHYs": true, "sPLT": true,
	"acTL": true, "fcTL": true, "fdAT": true,
}

// stripPNG keeps the chunks of pngKept, up to the end of the image.
func stripPNG(w *bufio.Writer, r *bufio.Reader) (s stripped, err error) {
	signature, err := next(r, len(pngSignature))
	if err != nil || string(signature) != pngSignature {
		return s, errBroken
	}
	w.Write(signature) // errors of w come with Flush
	for {
		header, err := next(r, 8)
		if err != nil {
			return s, err
		}
		size, kind := binary.BigEndian.Uint32(header), string(header[4:])
		if size > 1<<31-1 {
			return s, errBroken
		}
		keep := pngKept[kind]
		if keep {
			w.Write(header)
		}
		if err := pass(w, r, int64(size)+4, keep); err != nil {
			return s, err
		}
		if kind == "IEND" {
			return s, nil
		}
	}
}
