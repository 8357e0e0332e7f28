package bench

import "sync"

// meter counts what one reader received. The reader holds the lock for a whole batch,
// whoever takes the counts holds it once per window.
type meter struct {
	mu sync.Mutex
	counts
	latency histogram

	sample  int // open one media packet of so many; 1 opens all
	skipped int
}

// counts is what happened in a window, over all streams of all subscribers.
type counts struct {
	packets, bytes uint64 // of media, as they arrived
	fresh          uint64 // of those, not seen before
	expected       uint64 // by sequence numbers
	repaired       uint64 // of fresh: came as a retransmission
	opened         uint64 // decrypted and timed
	bad            uint64 // could not be decrypted
	silent         uint64 // carried no time stamp of ours
	restarts       uint64 // streams that jumped
	dropped        uint64 // by our own full socket buffers
	nacks, plis    uint64 // sent to the server
	reads          uint64 // system calls that read
}

func (c *counts) add(o counts) {
	c.packets += o.packets
	c.bytes += o.bytes
	c.fresh += o.fresh
	c.expected += o.expected
	c.repaired += o.repaired
	c.opened += o.opened
	c.bad += o.bad
	c.silent += o.silent
	c.restarts += o.restarts
	c.dropped += o.dropped
	c.nacks += o.nacks
	c.plis += o.plis
	c.reads += o.reads
}

// take adds what was counted since the last take, and starts anew.
func (m *meter) take(c *counts, latency *histogram) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.add(m.counts)
	latency.merge(&m.latency)
	m.counts = counts{}
	m.latency = histogram{}
}

// wants says whether the next packet is part of the sample. Called with the lock held.
func (m *meter) wants() bool {
	if m.skipped++; m.skipped < m.sample {
		return false
	}
	m.skipped = 0
	return true
}
