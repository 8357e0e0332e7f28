package sfu

import (
	"testing"
)

func TestExtenderFollowsWrapsAndReordering(t *testing.T) {
	for _, first := range []uint16{0, 32767, 32768, 65535} {
		var e extender
		base := e.extend(first)
		for i, d := range []int{1, 3, 2, 30_000, 29_999, 60_000, 90_000, 100_000, 99_990} {
			if got := e.extend(first + uint16(d)); got != base+uint64(d) {
				t.Errorf("from %d, step %d: got %d, want %d", first, i, got-base, d)
			}
		}
	}
}
