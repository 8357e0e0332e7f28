package sfu

import (
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func FuzzFeedback(f *testing.F) {
	for _, p := range []rtcp.Packet{
		&rtcp.TransportLayerNack{MediaSSRC: 0, Nacks: []rtcp.NackPair{{PacketID: 3, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{}}},
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{FractionLost: 255}}},
	} {
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	l, raw, out := forwarding(f, 1)
	for seq := range uint16(50) {
		binary.BigEndian.PutUint16(raw[2:], seq)
		l.receive(raw, time.Second)
	}
	s := (*l.slots.Load())[0]
	now := time.Second
	f.Fuzz(func(t *testing.T, b []byte) {
		packets, err := rtcp.Unmarshal(b)
		if err != nil {
			return
		}
		now += time.Millisecond
		before := out.packets
		for _, p := range packets {
			s.handleRTCP(p, now)
		}
		if got := out.packets - before; got > 50 {
			t.Errorf("%d bytes of feedback made %d packets leave; 50 were ever sent", len(b), got)
		}
	})
}

// nowhere is pion's side of a slot.
type nowhere struct {
	packets int
	keep    bool
	headers []rtp.Header // if kept
}

func (n *nowhere) WriteRTP(h *rtp.Header, b []byte) (int, error) {
	n.packets++
	if n.keep {
		n.headers = append(n.headers, *h)
	}
	return len(b), nil
}

func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }

func forwarding(t testing.TB, slots int) (*layer, []byte, *nowhere) {
	s, err := New(Config{NoTCP: true}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := &Peer{room: newRoom(s, "x"), notifications: newNotifications(&listener{})}
	src := &source{peer: p, kind: Camera, id: 7}
	l := &layer{source: src, buffer: newPacketBuffer(100)}
	l.codecs[96] = codecVP8
	out := &nowhere{}
	var list []*slot
	for i := range slots {
		sl := newSlot(p, webrtc.RTPCodecTypeVideo, i)
		sl.writer, sl.isOpen, sl.ssrc, sl.types[codecVP8] = out, true, uint32(i), 96
		sl.target = l
		list = append(list, sl)
	}
	l.slots.Store(&list)
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: 1}
	raw, _ := h.Marshal()
	raw = append(raw, 0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0)
	return l, append(raw, make([]byte, 1100)...), out
}

// A client may ask for many slots and show nothing in them. Requests for repair, which
// anyone may send, do not make them cost more.
func TestASlotThatShowedNothingKeepsNoHistory(t *testing.T) {
	l, raw, out := forwarding(t, 1)
	slot := (*l.slots.Load())[0]
	slot.handleRTCP(&rtcp.TransportLayerNack{MediaSSRC: slot.ssrc, Nacks: []rtcp.NackPair{{PacketID: 1}}}, time.Second)
	if len(slot.history) > 0 || out.packets > 0 {
		t.Errorf("%d packets can be kept and %d were sent before there was one", len(slot.history), out.packets)
	}
	l.receive(raw, time.Second)
	if want := Defaults().VideoPackets; out.packets != 1 || len(slot.history) != want {
		t.Errorf("%d packets were sent and %d can be kept, want 1 and %d", out.packets, len(slot.history), want)
	}
}

func TestNothingAllocatesPerPacketAndSlot(t *testing.T) {
	l, b, out := forwarding(t, 100)
	seq, now := uint16(0), time.Second
	one := func() {
		seq++
		now += ms
		binary.BigEndian.PutUint16(b[2:], seq)
		l.receive(b, now)
	}
	for range 300 { // the packet buffer's memory grows
		one()
	}
	if got := testing.AllocsPerRun(500, one); got != 0 {
		t.Errorf("%v allocations per packet for 100 slots", got)
	}
	if out.packets < 80_000 {
		t.Errorf("only %d packets were forwarded", out.packets)
	}
}

func BenchmarkForward(b *testing.B) {
	l, raw, _ := forwarding(b, 100)
	b.ReportAllocs()
	seq, now := uint16(0), time.Second
	for b.Loop() {
		seq++
		now += ms
		binary.BigEndian.PutUint16(raw[2:], seq)
		l.receive(raw, now)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/slot")
}
