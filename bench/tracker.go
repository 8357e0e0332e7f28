package bench

// tracker follows the sequence numbers of one stream and tells new packets from
// repeated ones. Owned by whoever reads the stream.
type tracker struct {
	started bool
	highest int64               // extended by the roll-overs
	seen    [trackWindow]uint64 // bit per number, of the newest trackWindow*64
}

const (
	trackWindow = 16
	trackSpan   = trackWindow * 64
	// A larger step is a stream that began anew, not a loss.
	trackJump = 3000
)

// verdict on one packet: its extended number, how many numbers the stream advanced
// (0 for a late or repeated one), and whether it was not seen before.
type verdict struct {
	number  int64
	advance int64
	fresh   bool
	anew    bool
}

func (t *tracker) add(seq uint16) verdict {
	if !t.started {
		return t.begin(int64(seq))
	}
	number := t.highest + int64(int16(seq-uint16(t.highest)))
	step := number - t.highest
	switch {
	case step > trackJump || step < -trackJump:
		return t.begin(t.highest&^0xffff + 0x10000 + int64(seq))
	case step > 0:
		for n := t.highest + 1; n < number; n++ {
			t.mark(n, false)
		}
		t.mark(number, true)
		t.highest = number
		return verdict{number: number, advance: step, fresh: true}
	case step <= -trackSpan || t.marked(number):
		return verdict{number: number}
	}
	t.mark(number, true)
	return verdict{number: number, fresh: true}
}

func (t *tracker) begin(number int64) verdict {
	anew := t.started
	*t = tracker{started: true, highest: number}
	// Numbers from before the first packet are not ours to miss.
	for i := range t.seen {
		t.seen[i] = ^uint64(0)
	}
	return verdict{number: number, advance: 1, fresh: true, anew: anew}
}

func (t *tracker) mark(number int64, seen bool) {
	i := uint64(number) % trackSpan
	if seen {
		t.seen[i/64] |= 1 << (i % 64)
	} else {
		t.seen[i/64] &^= 1 << (i % 64)
	}
}

func (t *tracker) marked(number int64) bool {
	i := uint64(number) % trackSpan
	return t.seen[i/64]&(1<<(i%64)) != 0
}
