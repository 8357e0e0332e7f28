//go:build linux

package turn

import (
	"golang.org/x/sys/unix"

	"carillon/udp"
)

const (
	// maxBatch bounds the packets queued before a flush.
	maxBatch = 1024
	// maxMessages bounds one sendmmsg.
	maxMessages = 64
	// maxSegments and maxSegmented bound one segmented message (UDP_SEGMENT).
	maxSegments  = 64
	maxSegmented = 64000
)

// sendSocket is a socket with the packets that a batch has queued for it.
type sendSocket struct {
	fd          int
	unsegmented bool // its device cannot segment, so each packet is a message
	first, last int32
	queued      bool
}

// packet is one datagram to be sent: a header of ours, the payload where it was received, and
// padding.
type packet struct {
	head     [48]byte
	headSize int
	body     []byte
	pad      int
	to       *udp.RawAddress
	own      udp.RawAddress // room for an address that is stored nowhere else; to points to it then
	next     int32
}

func (p *packet) size() int { return p.headSize + len(p.body) + p.pad }

var zeros [4]byte

// batch collects packets for many sockets and sends them with few system calls. Payloads
// must stay untouched until flush. One goroutine owns it.
type batch struct {
	packets []packet
	count   int
	waiting []*sendSocket
	stats   *traffic

	narrow udp.NarrowPaths // to which each packet is a message

	messages [maxMessages]udp.Message
	starts   [maxMessages]int32 // the first packet of each message
	vectors  []unix.Iovec
	controls [maxMessages]udp.SegmentControl
}

func newBatch(size int, stats *traffic) *batch {
	return &batch{packets: make([]packet, size), vectors: make([]unix.Iovec, 0, 3*max(maxSegments, min(size, 4*maxMessages))), stats: stats}
}

// add queues a packet and returns it to be filled: head, body, pad and to. It flushes first
// when the batch is full.
func (b *batch) add(o *sendSocket) *packet {
	if b.count == len(b.packets) {
		b.flush()
	}
	i := int32(b.count)
	b.count++
	p := &b.packets[i]
	p.headSize, p.pad, p.next = 0, 0, -1
	if !o.queued {
		o.queued, o.first = true, i
		b.waiting = append(b.waiting, o)
	} else {
		b.packets[o.last].next = i
	}
	o.last = i
	return p
}

// flush sends everything. A packet that its socket does not take now is dropped: it would be
// late, and the network drops packets too.
func (b *batch) flush() {
	for _, o := range b.waiting {
		o.queued = false
		b.send(o, o.first)
	}
	b.waiting = b.waiting[:0]
	for i := range b.packets[:b.count] {
		b.packets[i].body, b.packets[i].to = nil, nil
	}
	b.count = 0
}

// send gathers runs of packets into messages and messages into system calls.
func (b *batch) send(o *sendSocket, at int32) {
	for at >= 0 {
		messages := 0
		b.vectors = b.vectors[:0]
		for at >= 0 && messages < maxMessages && len(b.vectors)+3*maxSegments <= cap(b.vectors) {
			b.starts[messages] = at
			at = b.message(messages, o, at)
			messages++
		}
		if refused := b.transmit(o, messages); refused >= 0 {
			at = b.starts[refused] // its packets again, one by one, and those after them
		}
	}
}

// message puts packets that may travel together into one message, and returns the next.
func (b *batch) message(index int, o *sendSocket, at int32) int32 {
	first := &b.packets[at]
	size, total, segments := first.size(), 0, 0
	from := len(b.vectors)
	single := o.unsegmented || size == 0 || len(b.narrow) > 0 && b.narrow.Has(first.to.AddrPort().Addr())
	for at >= 0 {
		p := &b.packets[at]
		if segments > 0 && (single || segments == maxSegments || p.size() > size || total+p.size() > maxSegmented || !p.to.Equal(first.to)) {
			break
		}
		b.vector(p.head[:p.headSize])
		b.vector(p.body)
		b.vector(zeros[:p.pad])
		total += p.size()
		segments++
		at = p.next
		if p.size() < size {
			break // only the last segment may be shorter
		}
	}
	m := &b.messages[index]
	m.ToSend(first.to, b.vectors[from:])
	if segments > 1 {
		m.Segment(&b.controls[index], size)
	}
	return at
}

func (b *batch) vector(bytes []byte) {
	if len(bytes) > 0 {
		b.vectors = append(b.vectors, udp.Vector(bytes))
	}
}

// transmit sends the first messages. If the kernel refuses to segment one of them, it returns
// which, and nothing after it was sent; else -1.
func (b *batch) transmit(o *sendSocket, messages int) (refused int) {
	for done := 0; done < messages; {
		n, errno := udp.SendMessages(uintptr(o.fd), b.messages[done:messages])
		b.stats.writes.Add(1)
		switch {
		case errno == 0:
			done += n
		case errno == unix.EINTR:
		case udp.RefusesSegments(errno) && b.messages[done].Segmented():
			if udp.RefusesNarrow(errno) {
				b.narrow.Add(b.packets[b.starts[done]].to.AddrPort().Addr())
			} else {
				o.unsegmented = true
			}
			return done
		default:
			b.stats.dropped[dropSocket].Add(1)
			done++
		}
	}
	return -1
}

// discard drops everything that is queued.
func (b *batch) discard() {
	for _, o := range b.waiting {
		o.queued = false
	}
	b.waiting, b.count = b.waiting[:0], 0
}
