package sfu

import "time"

// rewriter makes the packets of whichever layer a slot shows into one stream: its
// sequence numbers, time stamps and VP8 picture ids go on over every switch. Packets
// in, numbers out; it reads no clock.
type rewriter struct {
	// What has left.
	started bool
	seq     uint64 // highest
	ts      uint32 // of the highest
	at      time.Duration
	picture uint16
	tl0     uint8

	// Of the layer shown now: what to add to its numbers.
	first  uint64 // older packets belong to a frame from before the switch
	seqAdd uint64
	tsAdd  uint32
	picAdd uint16
	tl0Add uint8
}

// numbers of a packet as it leaves.
type numbers struct {
	seq     uint64
	ts      uint32
	picture uint16
	tl0     uint8
}

// leastStep keeps time going when two switches follow each other at once.
const leastStep = 10 * time.Millisecond

// begin makes p, the first packet of another layer, the next packet of the stream.
// start is the number of the very first packet.
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

// replay moves the time stamps so that p, the first packet of a frame of the past, comes
// shortly after the frame before it. Frames of the past leave all at once, and to the
// receiver they shall look so: else it would take later frames for late ones.
func (r *rewriter) replay(p *packet) {
	r.tsAdd = r.ts + uint32(replayStep.Microseconds()*int64(p.codec.clock())/1_000_000) - p.ts
}

// replayStep is between the time stamps of two frames that are replayed.
const replayStep = time.Millisecond

// next gives a packet its numbers; not ok: it is older than the switch and must not leave.
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
