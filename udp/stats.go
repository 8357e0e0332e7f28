package udp

import "sync/atomic"

// BatchBounds are the upper bounds of Stats.Batches; the last bucket has none.
var BatchBounds = [...]int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

// Stats counts since Listen.
type Stats struct {
	PacketsIn, PacketsOut uint64
	BytesIn, BytesOut     uint64
	ReadCalls, SendCalls  uint64 // system calls that moved packets
	Segmented             uint64 // packets that left as part of a segmented message

	DropQueueFull uint64 // not queued: the queue was full
	DropKernel    uint64 // refused by the kernel, or its buffer stayed full
	DropTooLarge  uint64 // over MaxPacket, in either direction

	Batches [len(BatchBounds) + 1]uint64 // system calls by the number of packets they sent
}

type counters struct {
	packetsIn, packetsOut, bytesIn, bytesOut atomic.Uint64
	readCalls, sendCalls, segmented          atomic.Uint64
	dropQueueFull, dropKernel, dropTooLarge  atomic.Uint64
	batches                                  [len(BatchBounds) + 1]atomic.Uint64
}

func (c *counters) sent(packets, bytes int) {
	c.sendCalls.Add(1)
	c.packetsOut.Add(uint64(packets))
	c.bytesOut.Add(uint64(bytes))
	i := 0
	for i < len(BatchBounds) && packets > BatchBounds[i] {
		i++
	}
	c.batches[i].Add(1)
}

// Stats may be called at any time; the counts are not of one instant.
func (c *Conn) Stats() Stats {
	n := &c.counters
	s := Stats{
		PacketsIn: n.packetsIn.Load(), PacketsOut: n.packetsOut.Load(),
		BytesIn: n.bytesIn.Load(), BytesOut: n.bytesOut.Load(),
		ReadCalls: n.readCalls.Load(), SendCalls: n.sendCalls.Load(),
		Segmented:     n.segmented.Load(),
		DropQueueFull: n.dropQueueFull.Load(), DropKernel: n.dropKernel.Load(), DropTooLarge: n.dropTooLarge.Load(),
	}
	for i := range n.batches {
		s.Batches[i] = n.batches[i].Load()
	}
	return s
}
