package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Markers of JPEG, ITU-T T.81 table B.1.
const (
	jpegSOI  = 0xD8
	jpegEOI  = 0xD9
	jpegSOS  = 0xDA
	jpegRST0 = 0xD0
	jpegRST7 = 0xD7
	jpegAPP0 = 0xE0
	jpegAPP1 = 0xE1
	jpegAPP2 = 0xE2
	jpegAPPe = 0xEE // Adobe's: how colours are meant
	jpegAPPf = 0xEF
	jpegJPG0 = 0xF0
	jpegCOM  = 0xFE
)

var (
	exifHeader = []byte("Exif\x00\x00")
	jfifHeader = []byte("JFIF\x00")
	iccHeader  = []byte("ICC_PROFILE\x00")
)

// stripJPEG keeps what belongs to the picture, its colour profile, and of EXIF which way up it is.
// What follows the end of the image, such as a second one or a video, is left out.
func stripJPEG(w *bufio.Writer, r *bufio.Reader) (s stripped, err error) {
	if start, err := next(r, 2); err != nil || start[0] != 0xFF || start[1] != jpegSOI {
		return s, errors.Join(errBroken, err)
	}
	w.Write([]byte{0xFF, jpegSOI}) // errors of w come with Flush
	for begun := false; ; {
		marker, err := nextMarker(r, begun)
		if err != nil {
			return s, err
		}
		if marker == jpegEOI {
			_, err := w.Write([]byte{0xFF, jpegEOI})
			return s, err
		}
		if marker < 0xC0 || marker >= jpegRST0 && marker <= jpegSOI {
			return s, errBroken // has no place between segments
		}
		segment, err := nextSegment(r)
		if err != nil {
			return s, err
		}
		if segment = keptSegment(marker, segment, &s); segment != nil {
			w.Write([]byte{0xFF, marker})
			w.Write(binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2)))
			w.Write(segment)
		}
		if begun = marker == jpegSOS; !begun {
			continue
		}
		s.scans++
		if ended, err := copyScan(w, r); err != nil || ended {
			return s, err
		}
	}
}

// nextMarker skips fill bytes, T.81 section B.1.1.2. Begun says that the first byte of the marker was
// read already.
func nextMarker(r *bufio.Reader, begun bool) (byte, error) {
	b := byte(0xFF)
	var err error
	if !begun {
		b, err = r.ReadByte()
	}
	if err != nil || b != 0xFF {
		return 0, errors.Join(errBroken, err)
	}
	for b == 0xFF {
		if b, err = r.ReadByte(); err != nil {
			return 0, err
		}
	}
	return b, nil
}

func nextSegment(r *bufio.Reader) ([]byte, error) {
	size, err := next(r, 2)
	if err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(size))
	if n < 2 {
		return nil, errBroken
	}
	return next(r, n-2)
}

// keptSegment is what stays of a segment; nil: nothing.
func keptSegment(marker byte, segment []byte, s *stripped) []byte {
	switch {
	case marker == jpegAPP0 && bytes.HasPrefix(segment, jfifHeader) && len(segment) >= 14:
		segment = segment[:14] // it may have a thumbnail, of what the image was before it was cut
		segment[12], segment[13] = 0, 0
		return segment
	case marker == jpegAPP1 && bytes.HasPrefix(segment, exifHeader) && s.orientation == 0:
		if s.orientation = orientationOf(segment[len(exifHeader):]); s.orientation > 1 {
			return exifWith(s.orientation)
		}
		return nil
	case marker == jpegAPP2 && bytes.HasPrefix(segment, iccHeader), marker == jpegAPPe && bytes.HasPrefix(segment, []byte("Adobe")):
		return segment
	case marker >= jpegAPP0 && marker <= jpegAPPf, marker >= jpegJPG0 && marker <= jpegCOM:
		return nil
	}
	return segment
}

// copyScan copies the coded data after a start of scan, up to the next marker, of which it has read
// the first byte then. It reports whether the image ends there: some have no end, and all show them.
func copyScan(w *bufio.Writer, r *bufio.Reader) (ended bool, err error) {
	for {
		data, err := r.ReadSlice(0xFF)
		if err == bufio.ErrBufferFull {
			w.Write(data)
			continue
		}
		if err == io.EOF {
			w.Write(data)
			_, err = w.Write([]byte{0xFF, jpegEOI})
			return true, err
		}
		if err != nil {
			return false, err
		}
		w.Write(data[:len(data)-1])
		after, err := r.Peek(1)
		if err == io.EOF {
			_, err = w.Write([]byte{0xFF, jpegEOI})
			return true, err
		}
		if err != nil {
			return false, err
		}
		if after[0] == 0 || after[0] >= jpegRST0 && after[0] <= jpegRST7 {
			w.Write([]byte{0xFF, after[0]})
			_, _ = r.Discard(1)
			continue
		}
		return false, nil
	}
}

// exifWith is an EXIF segment that tells nothing but an orientation.
func exifWith(orientation int) []byte {
	b := append(bytes.Clone(exifHeader), "MM\x00\x2A\x00\x00\x00\x08\x00\x01"...)
	b = append(b, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0)
	return append(b, 0, 0, 0, 0) // there is no other directory
}

// orientationOf reads which way up an image is from the TIFF that EXIF is; 0: it does not say.
func orientationOf(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == 3 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}
