package sfu

import (
	"testing"
	"time"
)

// A packet of a publisher, whatever it holds, makes at most one packet leave per slot, with the
// header of the slot.
func FuzzReceive(f *testing.F) {
	l, raw, out := forwarding(f, 2)
	f.Add(raw[:40], uint8(96))
	f.Add([]byte{0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, uint8(96))
	f.Add([]byte{0xb0, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 4}, uint8(111))
	f.Add([]byte{0xb0, 111, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 0}, uint8(111)) // padding of nothing
	l.codecs[97], l.codecs[111], l.codecs[63] = codecH264, codecOpus, codecRED
	for _, s := range *l.slots.Load() {
		s.types[codecH264], s.types[codecOpus], s.types[codecRED] = 97, 111, 63
	}
	out.keep = true
	now := time.Second
	f.Fuzz(func(t *testing.T, b []byte, pt uint8) {
		if len(b) > 1500 {
			return // larger ones do not arrive
		}
		if len(b) > 1 {
			b[1] = b[1]&0x80 | pt&0x7f
		}
		now += time.Millisecond
		before := out.packets
		l.receive(b, now)
		if got := out.packets - before; got > 2 {
			t.Errorf("%d packets left for one", got)
		}
		for _, h := range out.headers {
			if _, err := h.Marshal(); err != nil || h.Version != 2 || len(h.CSRC) != 1 {
				t.Errorf("%x: a packet left with the header %+v, %v", b, h, err)
			}
		}
		out.headers = out.headers[:0]
	})
}
