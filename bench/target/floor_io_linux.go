package target

import (
	"syscall"

	"golang.org/x/sys/unix"

	"carillon/bench/packet"
	"carillon/udp"
)

// floorReader is one recvmmsg.
type floorReader struct {
	messages [floorBatchSize]udp.Message
	vectors  [floorBatchSize]unix.Iovec
	buffers  [floorBatchSize][floorBufferSize]byte
	packets  [floorBatchSize]openedPacket
}

func (r *floorReader) prepare() {
	for i := range r.messages {
		r.vectors[i] = udp.Vector(r.buffers[i][:])
		r.messages[i].ToReceive(nil, r.vectors[i:i+1])
	}
}

// read returns how many messages there are; 0 when SO_RCVTIMEO is over.
func (r *floorReader) read(fd int) int {
	n, _ := udp.WaitAndReceiveMessages(uintptr(fd), r.messages[:])
	return n
}

// open decrypts the first n packets that were read, and leaves out what is not the publisher's media.
func (r *floorReader) open(plan *floorPlan, track map[uint32]*packet.Sequence, n int) []openedPacket {
	packets := r.packets[:0]
	for i := range n {
		b := r.buffers[i][:r.messages[i].Size()]
		h, err := packet.ParseHeader(b)
		if err != nil || plan.from == nil || b[1] >= 192 && b[1] <= 223 {
			continue
		}
		tr := track[h.SSRC]
		if tr == nil {
			tr = new(packet.Sequence)
			track[h.SSRC] = tr
		}
		number := tr.Add(h.Seq).Number
		payload, err := plan.from.Open(b, h.Size, h.SSRC, number)
		if err == nil {
			packets = append(packets, openedPacket{b[:h.Size], payload, h.SSRC, number})
		}
	}
	return packets
}

// floorWriter collects encrypted packets in one buffer and sends them as the mode says.
type floorWriter struct {
	target *floorTarget
	slab   []byte
	used   int

	messages  []udp.Message
	vectors   []unix.Iovec
	controls  []udp.SegmentControl
	addresses []udp.RawAddress
	count     int

	// The run being built: packets of equal size to one destination, which GSO sends as one message.
	runLength int
	segment   int
	runEnds   bool // its last packet was shorter, which ends it
}

const (
	floorMessages = 256
	floorSlabSize = 1 << 20
	floorRunLimit = 48
)

func newFloorWriter(t *floorTarget) *floorWriter {
	return &floorWriter{target: t, slab: make([]byte, floorSlabSize),
		messages: make([]udp.Message, floorMessages), vectors: make([]unix.Iovec, floorMessages),
		controls: make([]udp.SegmentControl, floorMessages), addresses: make([]udp.RawAddress, floorMessages)}
}

func (w *floorWriter) add(mode FloorMode, s *floorSubscriber, p *openedPacket) {
	size := len(p.header) + len(p.payload) + packet.TagSize
	if w.used+size > len(w.slab) || w.count == floorMessages && !w.extendsRun(mode, size) {
		w.endRun()
		w.flush()
	}
	at := w.slab[w.used : w.used : w.used+size]
	sealed := s.seal.Seal(append(at, p.header...), len(p.header), p.payload, p.ssrc, p.number)
	w.used += len(sealed)
	if w.extendsRun(mode, size) {
		w.runLength++
		w.runEnds = size < w.segment
		w.vectors[w.count-1].SetLen(int(w.vectors[w.count-1].Len) + size)
		return
	}
	w.endRun()
	w.addresses[w.count] = s.to
	w.vectors[w.count] = udp.Vector(sealed)
	w.messages[w.count].ToSend(&w.addresses[w.count], w.vectors[w.count:w.count+1])
	w.count++
	w.runLength, w.segment, w.runEnds = 1, size, false
	w.target.out.Add(1)
	if mode == FloorSingle {
		w.flush()
	}
}

func (w *floorWriter) extendsRun(mode FloorMode, size int) bool {
	return mode == FloorGSO && w.runLength > 0 && !w.runEnds && size <= w.segment && w.runLength < floorRunLimit
}

// endRun gives the last message its segment size if it holds several packets.
func (w *floorWriter) endRun() {
	if w.runLength > 1 {
		i := w.count - 1
		w.messages[i].Segment(&w.controls[i], w.segment)
		w.target.out.Add(uint64(w.runLength - 1))
	}
	w.runLength = 0
}

// flush sends everything. What a kernel without GSO refuses is lost, so that the floor shows
// loss instead of a false figure.
func (w *floorWriter) flush() {
	w.endRun()
	for sent := 0; sent < w.count; {
		n, errno := udp.WaitAndSendMessages(uintptr(w.target.fd), w.messages[sent:w.count])
		w.target.calls.Add(1)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			n = 1
		}
		sent += n
	}
	w.count, w.used = 0, 0
}
