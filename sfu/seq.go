package sfu

// extender turns the 16-bit sequence numbers of RTP into numbers that never wrap: the
// extended numbers, ext for short. The first is 2^32 or more, so that a late packet from
// before it has a positive number too.
type extender struct {
	started bool // there is a highest
	highest uint64
}

// extend returns the number of the packet with this sequence number.
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
