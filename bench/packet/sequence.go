package packet

// Sequence follows the sequence numbers of one stream and tells new packets from repeated ones.
// Whoever reads the stream owns it.
type Sequence struct {
	Started bool
	Highest int64             // the newest number, extended by the roll-overs
	seen    [seenWords]uint64 // a bit for each of the newest seenSpan numbers
}

const (
	seenWords = 16
	seenSpan  = seenWords * 64
	// A larger step means that the stream has begun again, not that packets were lost.
	restartStep = 3000
)

// Verdict on one packet.
type Verdict struct {
	Number  int64 // extended by the roll-overs
	Advance int64 // by how much the newest number grew; 0 for a late or repeated packet, 1 for one with which the stream begins again
	Fresh   bool  // it was not seen before
}

// Add takes the number of a packet that has arrived.
func (s *Sequence) Add(seq uint16) Verdict {
	if !s.Started {
		return s.restart(int64(seq))
	}
	number := s.Highest + int64(int16(seq-uint16(s.Highest)))
	step := number - s.Highest
	switch {
	case step > restartStep || step < -restartStep:
		return s.restart(s.Highest&^0xffff + 0x10000 + int64(seq))
	case step > 0:
		for n := s.Highest + 1; n < number; n++ {
			s.mark(n, false)
		}
		s.mark(number, true)
		s.Highest = number
		return Verdict{Number: number, Advance: step, Fresh: true}
	case step <= -seenSpan || s.marked(number):
		return Verdict{Number: number}
	}
	s.mark(number, true)
	return Verdict{Number: number, Fresh: true}
}

func (s *Sequence) restart(number int64) Verdict {
	*s = Sequence{Started: true, Highest: number}
	// Numbers before the first packet do not count as missing.
	for i := range s.seen {
		s.seen[i] = ^uint64(0)
	}
	return Verdict{Number: number, Advance: 1, Fresh: true}
}

func (s *Sequence) mark(number int64, seen bool) {
	i := uint64(number) % seenSpan
	if seen {
		s.seen[i/64] |= 1 << (i % 64)
	} else {
		s.seen[i/64] &^= 1 << (i % 64)
	}
}

func (s *Sequence) marked(number int64) bool {
	i := uint64(number) % seenSpan
	return s.seen[i/64]&(1<<(i%64)) != 0
}
