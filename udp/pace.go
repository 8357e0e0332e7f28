package udp

import "time"

// pace decides how long to wait for more packets before sending. While few packets
// come together waiting wins nothing and costs latency, so it sends at once; when
// batches grow it waits the full hold, so that runs grow too.
type pace struct {
	hold time.Duration
	mean int // packets per flush, smoothed, in sixteenths
}

// busyBatch was chosen on loopback: below about eight packets per flush a longer
// hold did not lower the cost per packet.
const busyBatch = 8

// wait says how long to hold the next batch.
func (p *pace) wait() time.Duration {
	if p.mean < busyBatch*16 {
		return 0
	}
	return p.hold
}

// sent notes the size of a batch that left.
func (p *pace) sent(packets int) {
	p.mean += (packets*16 - p.mean) / 8
}
