package load

import (
	"encoding/binary"
	"math/rand/v2"
)

// Each payload ends with a stamp: a mark, then the time it was sent, unix nanoseconds.
// It sits at the end because servers rewrite the beginning (picture ids).
const (
	stampSize = 12
	stampMark = 0xca411104
)

func writeStamp(payload []byte, now int64) {
	tail := payload[len(payload)-stampSize:]
	binary.BigEndian.PutUint32(tail, stampMark)
	binary.BigEndian.PutUint64(tail[4:], uint64(now))
}

func readStamp(payload []byte) (sent int64, ok bool) {
	if len(payload) < stampSize {
		return 0, false
	}
	tail := payload[len(payload)-stampSize:]
	return int64(binary.BigEndian.Uint64(tail[4:])), binary.BigEndian.Uint32(tail) == stampMark
}

// noise fills video and sound: bytes that cannot be compressed and contain no start code.
var noise = func() []byte {
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = byte(1 + rand.N(255))
	}
	return b
}()

func fillWithNoise(b []byte) { copy(b, noise[rand.N(len(noise)-len(b)):]) }

// frame says how to write one video frame of a layer.
type frame struct {
	key           bool
	id            uint16 // VP8 picture id, 15 bits
	width, height uint16
}

// vp8 writes one packet's payload.
// https://www.rfc-editor.org/rfc/rfc7741#section-4.2
func (f frame) vp8(b []byte, first bool) {
	fillWithNoise(b)
	b[0] = 0x80 // extended
	if first {
		b[0] |= 0x10 // begins partition 0
	}
	b[1] = 0x80 // a picture id follows
	binary.BigEndian.PutUint16(b[2:], f.id|0x8000)
	if !first {
		return
	}
	// https://www.rfc-editor.org/rfc/rfc6386#section-9.1
	tag := uint32(1<<4) | uint32(len(b)-4)<<5 // shown, size of the first partition
	if !f.key {
		tag |= 1
	}
	b[4], b[5], b[6] = byte(tag), byte(tag>>8), byte(tag>>16)
	if f.key {
		copy(b[7:], []byte{0x9d, 0x01, 0x2a})
		binary.LittleEndian.PutUint16(b[10:], f.width)
		binary.LittleEndian.PutUint16(b[12:], f.height)
	}
}

// Parameter sets of a constrained baseline stream, 640 by 360.
var (
	h264SPS = []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x70, 0x16, 0xc8, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0xe0, 0x78, 0xc1, 0x95}
	h264PPS = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

// h264 writes one packet's payload. A key frame's first packet is an aggregate of its
// parameter sets; every picture is one NAL unit in fragments.
// https://www.rfc-editor.org/rfc/rfc6184#section-5.7.1
func (f frame) h264(b []byte, index, last int) {
	fillWithNoise(b)
	if f.key && index == 0 {
		b[0] = 24 | 0x60 // STAP-A
		at := 1
		for _, unit := range [][]byte{h264SPS, h264PPS} {
			binary.BigEndian.PutUint16(b[at:], uint16(len(unit)))
			at += 2 + copy(b[at+2:], unit)
		}
		// The rest of the packet, stamp included, is a unit that decoders skip.
		if rest := len(b) - at - 2; rest > 0 {
			binary.BigEndian.PutUint16(b[at:], uint16(rest))
			b[at+2] = 12 // filler data
		}
		return
	}
	unit := byte(1)
	if f.key {
		unit, index, last = 5, index-1, last-1
	}
	b[0] = 28 | 0x60 // FU-A
	b[1] = unit
	if index == 0 {
		b[1] |= 0x80
	}
	if index == last {
		b[1] |= 0x40
	}
}

// opus writes one frame of 20 ms: a SILK wide-band TOC byte, then noise.
// https://www.rfc-editor.org/rfc/rfc6716#section-3.1
func opus(b []byte) {
	fillWithNoise(b)
	b[0] = 9 << 3
}
