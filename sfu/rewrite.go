package sfu

import "time"

// rewriter makes one stream of the layers that a slot shows one after the other: sequence
// numbers, time stamps and VP8 picture ids continue over every switch. It reads no clock
// and sends nothing.
type rewriter struct {
	// Of the packet with the highest number that was given.
	started bool // a packet was given numbers
	seq     uint64
	ts      uint32
	at      time.Duration // when
	picture uint16
	tl0     uint8

	// Of the layer shown now: what to add to its numbers.
	first  uint64 // the first packet; an older one is of a frame from before the switch
	seqAdd uint64
	tsAdd  uint32
	picAdd uint16
	tl0Add uint8
}

// numbers are those that a packet has when it leaves.
type numbers struct {
	seq     uint64
	ts      uint32
	picture uint16
	tl0     uint8
}

// leastStep is the least time between the packets before and after a switch, also when
// two switches follow each other at once.
const leastStep = 10 * time.Millisecond

// begin makes p, the first packet of another layer, the next packet of the stream.
// The number of the first packet of all is start.
func (r *rewriter) begin(p *packet, now time.Duration, start uint16) {
	if !r.started {
		r.started = true
		r.seq = 1<<32 | uint64(start) - 1
		r.ts = p.ts
		r.at = now
		r.picture, r.tl0 = p.vp8.picture-1, p.vp8.tl0-1
	}
	step := max(now-r.at, leastStep)
	r.first = p.ext
	r.seqAdd = r.seq + 1 - p.ext
	r.tsAdd = r.ts + uint32(step.Microseconds()*int64(p.codec.clock())/1_000_000) - p.ts
	r.picAdd = r.picture + 1 - p.vp8.picture
	r.tl0Add = r.tl0 + 1 - p.vp8.tl0
}

// replay makes p, the first packet of a frame that is replayed, follow closely on the
// frame before. Frames that are replayed leave all at once and their time stamps must say
// so: else the receiver delays each later frame by as much as the first was early.
func (r *rewriter) replay(p *packet) {
	r.tsAdd = r.ts + uint32(replayStep.Microseconds()*int64(p.codec.clock())/1_000_000) - p.ts
}

// replayStep is the time between two frames that are replayed, by their time stamps.
const replayStep = time.Millisecond

// next gives a packet its numbers. Not ok: it is from before the switch and must not
// leave.
func (r *rewriter) next(p *packet, now time.Duration) (n numbers, ok bool) {
	if p.ext < r.first {
		return n, false
	}
	n = numbers{
		seq:     p.ext + r.seqAdd,
		ts:      p.ts + r.tsAdd,
		picture: (p.vp8.picture + r.picAdd) & 0x7fff,
		tl0:     p.vp8.tl0 + r.tl0Add,
	}
	if n.seq > r.seq {
		r.seq, r.ts, r.at = n.seq, n.ts, now
		if p.codec == codecVP8 {
			r.picture, r.tl0 = n.picture, n.tl0
		}
	}
	return n, true
}
