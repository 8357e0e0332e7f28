package sfu

// extender makes 16-bit RTP sequence numbers into numbers that never wrap. The first
// is placed high enough that late packets from before it stay positive.
type extender struct {
	started bool
	highest uint64
}

func (e *extender) extend(seq uint16) uint64 {
	if !e.started {
		e.started = true
		e.highest = 1<<32 | uint64(seq)
		return e.highest
	}
	ext := e.highest + uint64(int64(int16(seq-uint16(e.highest))))
	e.highest = max(e.highest, ext)
	return ext
}
