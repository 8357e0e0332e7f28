package load

import "sync"

// meter counts what one reader received. The reader holds the lock for a whole batch of
// packets; take holds it once per window.
type meter struct {
	mu sync.Mutex
	Counts
	latency Histogram

	sample  int // decrypt one media packet of so many; 1: all
	skipped int // since the last that was decrypted
}

// Counts is what happened in a window, over all streams of all subscribers.
type Counts struct {
	Packets, Bytes uint64 // of media, as they arrived
	Fresh          uint64 // of those, not seen before
	Expected       uint64 // that were sent, by sequence numbers
	Repaired       uint64 // of the fresh ones, came as a retransmission
	Opened         uint64 // decrypted
	Undecryptable  uint64 // with keys that should fit
	Unstamped      uint64 // carried no time stamp of ours
	Dropped        uint64 // by the full buffers of our own sockets
}

func (c *Counts) add(o Counts) {
	c.Packets += o.Packets
	c.Bytes += o.Bytes
	c.Fresh += o.Fresh
	c.Expected += o.Expected
	c.Repaired += o.Repaired
	c.Opened += o.Opened
	c.Undecryptable += o.Undecryptable
	c.Unstamped += o.Unstamped
	c.Dropped += o.Dropped
}

// take adds what was counted since the last take, and begins again at zero.
func (m *meter) take(c *Counts, latency *Histogram) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.add(m.Counts)
	latency.Merge(&m.latency)
	m.Counts = Counts{}
	m.latency = Histogram{}
}

// sampledLocked says whether the next packet is part of the sample.
func (m *meter) sampledLocked() bool {
	if m.skipped++; m.skipped < m.sample {
		return false
	}
	m.skipped = 0
	return true
}
