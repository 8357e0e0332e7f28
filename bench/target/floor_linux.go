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
