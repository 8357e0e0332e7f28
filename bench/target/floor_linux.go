package target

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"carillon/bench/packet"
	"carillon/udp"
)

// floorTarget is the floor: one goroutine on one thread that forwards what one socket receives.
type floorTarget struct {
	conn *net.UDPConn
	fd   int // the same socket, blocking, without Go's poller
	addr netip.AddrPort
	wg   sync.WaitGroup

	order atomic.Pointer[floorPlan] // replaced, never edited

	// Owned by loop.
	sequences map[uint32]*packet.Sequence
	flooded   int64

	out   atomic.Uint64
	calls atomic.Uint64
	ended atomic.Bool
}

// floorPlan is a FloorOrder with keys and addresses ready for use.
type floorPlan struct {
	mode FloorMode
	from *packet.GCM
	subs []floorSubscriber
}

type floorSubscriber struct {
	to   udp.RawAddress
	seal *packet.GCM
}

func newFloorTarget() (*floorTarget, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("floor socket: %w", err)
	}
	if err := errors.Join(conn.SetReadBuffer(4<<20), conn.SetWriteBuffer(4<<20)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	file, err := conn.File() // a second descriptor
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	fd, err := unix.Dup(int(file.Fd())) // Fd makes it blocking, which is what we want
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// The loop looks every 100 ms whether it shall end.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}); err != nil {
		return nil, errors.Join(err, unix.Close(fd), conn.Close())
	}
	t := &floorTarget{conn: conn, fd: fd, sequences: map[uint32]*packet.Sequence{}, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	t.order.Store(&floorPlan{})
	t.wg.Go(t.loop)
	return t, nil
}

func (t *floorTarget) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /floor", func(w http.ResponseWriter, r *http.Request) {
		var o FloorOrder
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&o)
		if err == nil {
			err = t.setOrder(o)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(floorAddress{Address: t.addr})
	})
}

func (t *floorTarget) setOrder(o FloorOrder) error {
	if err := o.validate(); err != nil {
		return err
	}
	plan := &floorPlan{mode: o.Mode}
	var err error
	if plan.from, err = packet.NewGCM(FloorKey(0)); err != nil {
		return err
	}
	for i, a := range o.Subscribers {
		s := floorSubscriber{to: udp.NewRawAddress(a)}
		if s.seal, err = packet.NewGCM(FloorKey(i + 1)); err != nil {
			return err
		}
		plan.subs = append(plan.subs, s)
	}
	t.order.Store(plan)
	return nil
}

func (t *floorTarget) relays() []Relay { return nil }

func (t *floorTarget) runtime() Runtime {
	return Runtime{Datagrams: t.out.Load(), Writes: t.calls.Load()}
}

func (t *floorTarget) close() error {
	t.ended.Store(true)
	t.wg.Wait()
	return errors.Join(unix.Close(t.fd), t.conn.Close())
}

// openedPacket is a packet of the publisher, decrypted.
type openedPacket struct {
	header  []byte
	payload []byte
	ssrc    uint32
	number  int64
}

const (
	floorBatchSize  = 64
	floorBufferSize = 2048
)

func (t *floorTarget) loop() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var in floorReader
	in.prepare()
	out := newFloorWriter(t)
	for !t.ended.Load() {
		plan := t.order.Load()
		if plan.mode == FloorFlood {
			t.flood(plan, out)
			continue
		}
		n := in.read(t.fd)
		packets := in.open(plan, t.sequences, n)
		if plan.mode == "" || len(packets) == 0 {
			continue
		}
		// All packets for one subscriber come together, so that GSO can send them as one message.
		for i := range plan.subs {
			for j := range packets {
				out.add(plan.mode, &plan.subs[i], &packets[j])
			}
			out.endRun()
		}
		out.flush()
	}
}

// flood sends made-up packets as fast as one core can.
func (t *floorTarget) flood(plan *floorPlan, out *floorWriter) {
	payload := make([]byte, 1200)
	for t.order.Load() == plan && !t.ended.Load() {
		for i := range plan.subs {
			for j := range int64(floodRun) {
				p := openedPacket{payload: payload, ssrc: 1, number: t.flooded + j}
				p.header = floodHeader(p.number)
				out.add(FloorGSO, &plan.subs[i], &p)
			}
			out.endRun()
		}
		t.flooded += floodRun
		out.flush()
	}
}

const (
	floodRun  = 10 // packets to a subscriber at a time
	floodType = 96 // the payload type of VP8 in the generator's offers
)

func floodHeader(number int64) []byte {
	h := make([]byte, 12)
	h[0], h[1] = 0x80, floodType
	binary.BigEndian.PutUint16(h[2:], uint16(number))
	binary.BigEndian.PutUint32(h[8:], 1)
	return h
}

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

	messages []udp.Message
	vectors  []unix.Iovec
	controls []udp.SegmentControl
	names    []udp.RawAddress
	count    int

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
		controls: make([]udp.SegmentControl, floorMessages), names: make([]udp.RawAddress, floorMessages)}
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
	w.names[w.count] = s.to
	w.vectors[w.count] = udp.Vector(sealed)
	w.messages[w.count].ToSend(&w.names[w.count], w.vectors[w.count:w.count+1])
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
