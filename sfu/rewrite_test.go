package sfu

import (
	"fmt"
	"testing"
	"time"
)

func TestNumbersGoOnOverEverySwitch(t *testing.T) {
	for _, start := range []uint16{0, 32767, 32768, 65535} {
		t.Run(fmt.Sprint(start), func(t *testing.T) {
			var r rewriter
			var e extender
			var last numbers
			now := time.Second
			for layer := range 5 {
				e = extender{}
				seq, ts, pic := start+uint16(layer)*1000, uint32(layer)*1_000_000_007, start+uint16(layer)*77
				for i := range 40 {
					p := &packet{ext: e.extend(seq + uint16(i)), ts: ts + uint32(i)*3000, codec: codecVP8, vp8: vp8Descriptor{picture: (pic + uint16(i)) & 0x7fff, wide: true, pidAt: 2, tl0: uint8(i)}}
					if i == 0 {
						r.begin(p, now, start)
					}
					n, ok := r.next(p, now)
					if !ok {
						t.Fatal("a packet after the switch was refused")
					}
					if last.seq > 0 && (n.seq != last.seq+1 || int32(n.ts-last.ts) <= 0 || n.picture != (last.picture+1)&0x7fff) {
						t.Fatalf("layer %d, packet %d: %+v follows %+v", layer, i, n, last)
					}
					last = n
					now += 33 * ms
				}
				if _, ok := r.next(&packet{ext: e.highest - 100}, now); ok {
					t.Error("a packet from before the switch was let through")
				}
			}
		})
	}
}
