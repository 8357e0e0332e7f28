package udp

import "time"

// delay decides how long to wait for more packets before sending. While few packets come
// together, waiting saves nothing and costs latency, so it is zero. When many come together
// it is the longest allowed, so that more of them leave in one segmented message.
type delay struct {
	longest time.Duration // fixed
	mean    int           // packets per flush, smoothed, in sixteenths
}

// busyBatch was chosen on loopback: below about eight packets per flush a longer wait did
// not lower the cost per packet.
const busyBatch = 8

// next is how long to wait before the next flush.
func (d *delay) next() time.Duration {
	if d.mean < busyBatch*16 {
		return 0
	}
	return d.longest
}

// sent notes how many packets a flush has sent.
func (d *delay) sent(packets int) {
	d.mean += (packets*16 - d.mean) / 8
}
