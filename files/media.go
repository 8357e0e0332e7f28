package files

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"
)

// timed is what the container of sound or video says of it. Zero: nothing.
type timed struct {
	durationMS    int64
	width, height int
}

// timing reads how long sound or video lasts, from the few places where that is said without decoding
// anything. What browsers record says nothing of it; then the owner's word stands.
func timing(found string, from *os.File, bytes int64) timed {
	switch found {
	case "video/mp4", "audio/mp4", "video/quicktime":
		return movieTime(from, bytes)
	case "audio/ogg", "video/ogg":
		return timed{durationMS: oggTime(from, bytes)}
	case "audio/wav":
		return timed{durationMS: wavTime(from)}
	}
	return timed{}
}

const (
	// mostBoxes is how many boxes of a movie are looked at.
	mostBoxes = 1000
	// mostHeader is how large the movie's own box may be, with the tables of all its samples.
	mostHeader = 1 << 20
)

// movieTime reads ISO/IEC 14496-12: the box moov has mvhd with the duration, and in each trak a tkhd
// with a size.
func movieTime(from io.ReaderAt, bytes int64) (t timed) {
	var header [16]byte
	for at, n := int64(0), 0; at+8 <= bytes && n < mostBoxes; n++ {
		if _, err := from.ReadAt(header[:8], at); err != nil {
			return t
		}
		size, head := int64(binary.BigEndian.Uint32(header[:])), int64(8)
		if size == 1 {
			if _, err := from.ReadAt(header[8:], at+8); err != nil {
				return t
			}
			size, head = int64(min(binary.BigEndian.Uint64(header[8:]), math.MaxInt64/2)), 16
		}
		if size == 0 {
			size = bytes - at
		}
		if size < head {
			return t
		}
		if string(header[4:8]) == "moov" {
			moov := make([]byte, min(size-head, mostHeader, bytes-at-head))
			if _, err := from.ReadAt(moov, at+head); err != nil {
				return t
			}
			t.readMovie(moov)
			return t
		}
		at += size
	}
	return t
}

func (t *timed) readMovie(moov []byte) {
	eachBox(moov, func(kind string, body []byte) {
		switch kind {
		case "mvhd":
			t.readMovieHeader(body)
		case "trak":
			eachBox(body, func(kind string, body []byte) {
				if kind != "tkhd" || len(body) < 84 {
					return
				}
				size := body[len(body)-8:] // width and height stand last, as 16.16
				if w, h := int(binary.BigEndian.Uint16(size)), int(binary.BigEndian.Uint16(size[4:])); w*h > t.width*t.height {
					t.width, t.height = w, h
				}
			})
		}
	})
}

func (t *timed) readMovieHeader(body []byte) {
	var scale uint32
	var length uint64
	switch {
	case len(body) >= 20 && body[0] == 0:
		scale, length = binary.BigEndian.Uint32(body[12:]), uint64(binary.BigEndian.Uint32(body[16:]))
		if length == math.MaxUint32 {
			length = 0 // unknown
		}
	case len(body) >= 32 && body[0] == 1:
		scale, length = binary.BigEndian.Uint32(body[20:]), binary.BigEndian.Uint64(body[24:])
	}
	if scale > 0 {
		t.durationMS = milliseconds(length, uint64(scale))
	}
}

// eachBox calls f with each box that is whole.
func eachBox(b []byte, f func(kind string, body []byte)) {
	for len(b) >= 8 {
		size := int64(binary.BigEndian.Uint32(b))
		if size < 8 || size > int64(len(b)) {
			return
		}
		f(string(b[4:8]), b[8:size])
		b = b[size:]
	}
}

// milliseconds is n units of which there are so many in a second; 0: more than anything lasts.
func milliseconds(n, perSecond uint64) int64 {
	seconds := n / perSecond
	if seconds > mostClaimedMS/1000 {
		return 0
	}
	return int64(seconds*1000 + n%perSecond*1000/perSecond)
}

// oggTime reads the rate of the first stream, and the place of its last page (RFC 3533, RFC 7845).
func oggTime(from io.ReaderAt, size int64) int64 {
	head := make([]byte, 4096)
	n, _ := from.ReadAt(head, 0)
	head = head[:n]
	var rate, skip uint64
	var serial []byte
	if i := bytes.Index(head, []byte("OpusHead")); i >= 0 && i+12 <= n {
		rate, skip = 48_000, uint64(binary.LittleEndian.Uint16(head[i+10:]))
	} else if i := bytes.Index(head, []byte("\x01vorbis")); i >= 0 && i+16 <= n {
		rate = uint64(binary.LittleEndian.Uint32(head[i+12:]))
	}
	if rate == 0 || n < 18 {
		return 0
	}
	serial = head[14:18]
	tail := make([]byte, min(size, 72<<10)) // the largest page has a little less than 64 KiB
	n, _ = from.ReadAt(tail, size-int64(len(tail)))
	tail = tail[:n]
	for {
		i := bytes.LastIndex(tail, []byte("OggS"))
		if i < 0 {
			return 0
		}
		page := tail[i:]
		tail = tail[:i]
		if len(page) < 18 || !bytes.Equal(page[14:18], serial) {
			continue
		}
		if at := binary.LittleEndian.Uint64(page[6:]); at != math.MaxUint64 && at > skip {
			return milliseconds(at-skip, rate)
		}
	}
}

// wavTime reads how many bytes there are, and how many a second has.
func wavTime(from io.ReaderAt) int64 {
	header := make([]byte, 4096)
	n, _ := from.ReadAt(header, 0)
	if header = header[:n]; n < 12 {
		return 0
	}
	var perSecond uint64
	for chunk := header[12:]; len(chunk) >= 8; {
		size := binary.LittleEndian.Uint32(chunk[4:])
		switch string(chunk[:4]) {
		case "fmt ":
			if len(chunk) >= 20 {
				perSecond = uint64(binary.LittleEndian.Uint32(chunk[16:]))
			}
		case "data":
			if perSecond == 0 || size == math.MaxUint32 {
				return 0
			}
			return milliseconds(uint64(size), perSecond)
		}
		next := 8 + int64(size) + int64(size&1)
		if next > int64(len(chunk)) {
			return 0
		}
		chunk = chunk[next:]
	}
	return 0
}
