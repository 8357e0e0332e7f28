package packet

// tracker follows the sequence numbers of one stream and tells new packets from
// repeated ones. Owned by whoever reads the stream.
type Tracker struct {
	Started bool
	Highest int64               // extended by the roll-overs
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
type Verdict struct {
	Number    int64
	Advance   int64
	Fresh     bool
	Restarted bool
}

func (t *Tracker) Add(seq uint16) Verdict {
	if !t.Started {
		return t.begin(int64(seq))
	}
	number := t.Highest + int64(int16(seq-uint16(t.Highest)))
	step := number - t.Highest
	switch {
	case step > trackJump || step < -trackJump:
		return t.begin(t.Highest&^0xffff + 0x10000 + int64(seq))
	case step > 0:
		for n := t.Highest + 1; n < number; n++ {
			t.mark(n, false)
		}
		t.mark(number, true)
		t.Highest = number
		return Verdict{Number: number, Advance: step, Fresh: true}
	case step <= -trackSpan || t.marked(number):
		return Verdict{Number: number}
	}
	t.mark(number, true)
	return Verdict{Number: number, Fresh: true}
}

func (t *Tracker) begin(number int64) Verdict {
	anew := t.Started
	*t = Tracker{Started: true, Highest: number}
	// Numbers from before the first packet are not ours to miss.
	for i := range t.seen {
		t.seen[i] = ^uint64(0)
	}
	return Verdict{Number: number, Advance: 1, Fresh: true, Restarted: anew}
}

func (t *Tracker) mark(number int64, seen bool) {
	i := uint64(number) % trackSpan
	if seen {
		t.seen[i/64] |= 1 << (i % 64)
	} else {
		t.seen[i/64] &^= 1 << (i % 64)
	}
}

func (t *Tracker) marked(number int64) bool {
	i := uint64(number) % trackSpan
	return t.seen[i/64]&(1<<(i%64)) != 0
}
