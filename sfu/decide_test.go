package sfu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const ms = time.Millisecond

func TestNumbersGoOnOverEverySwitch(t *testing.T) {
	for _, start := range []uint16{0, 32767, 32768, 65535} {
		t.Run(fmt.Sprint(start), func(t *testing.T) {
			var r rewriter
			var e extender
			var last numbers
			now := time.Second
			for layer := range 5 {
				e = extender{}
				seq, ts, pic := start+uint16(layer)*1000, uint32(layer)*1_000_000_007, start+uint16(layer)*77
				for i := range 40 {
					p := &packet{ext: e.extend(seq + uint16(i)), ts: ts + uint32(i)*3000, codec: codecVP8, vp8: vp8Descriptor{picture: (pic + uint16(i)) & 0x7fff, wide: true, pidAt: 2, tl0: uint8(i)}}
					if i == 0 {
						r.begin(p, now, start)
					}
					n, ok := r.next(p, now)
					if !ok {
						t.Fatal("a packet after the switch was refused")
					}
					if last.seq > 0 && (n.seq != last.seq+1 || int32(n.ts-last.ts) <= 0 || n.picture != (last.picture+1)&0x7fff) {
						t.Fatalf("layer %d, packet %d: %+v follows %+v", layer, i, n, last)
					}
					last = n
					now += 33 * ms
				}
				if _, ok := r.next(&packet{ext: e.highest - 100}, now); ok {
					t.Error("a packet from before the switch was let through")
				}
			}
		})
	}
}

func TestExtenderFollowsWrapsAndReordering(t *testing.T) {
	for _, first := range []uint16{0, 32767, 32768, 65535} {
		var e extender
		base := e.extend(first)
		for i, d := range []int{1, 3, 2, 30_000, 29_999, 60_000, 90_000, 100_000, 99_990} {
			if got := e.extend(first + uint16(d)); got != base+uint64(d) {
				t.Errorf("from %d, step %d: got %d, want %d", first, i, got-base, d)
			}
		}
	}
}

func TestPacketBufferKeepsTheNewest(t *testing.T) {
	r := newPacketBuffer(10)
	for ext := uint64(100); ext < 130; ext++ {
		if !r.put(&packet{ext: ext, payload: []byte{byte(ext)}}) {
			t.Fatalf("refused packet %d", ext)
		}
	}
	if r.put(&packet{ext: 125}) || r.put(&packet{ext: 110}) {
		t.Error("took a repeated or an outdated packet")
	}
	var p packet
	if r.get(119, &p) || r.get(0, &p) || r.get(130, &p) {
		t.Error("found a packet it cannot have")
	}
	if !r.get(125, &p) || p.payload[0] != 125 {
		t.Error("lost a packet")
	}
}

func TestLossesAreAskedForUntilTheyCome(t *testing.T) {
	var l losses
	l.got(100, 0)
	if gap, _ := l.got(103, 10*ms); !gap {
		t.Error("a gap was not seen")
	}
	ask, _ := l.due(10*ms, nil)
	if fmt.Sprint(ask) != "[101 102]" {
		t.Errorf("asked for %v", ask)
	}
	if ask, _ := l.due(50*ms, nil); len(ask) > 0 {
		t.Errorf("asked for %v again at once", ask)
	}
	l.got(101, 60*ms)
	if ask, _ := l.due(120*ms, nil); fmt.Sprint(ask) != "[102]" {
		t.Errorf("asked for %v", ask)
	}
	gaveUp := false
	for now := 200 * ms; now < 3*time.Second; now += 100 * ms {
		_, g := l.due(now, nil)
		gaveUp = gaveUp || g
	}
	if !gaveUp || len(l.missing) > 0 {
		t.Error("never gave up")
	}
	if _, hopeless := l.got(103+nackOnce+2, 4*time.Second); !hopeless {
		t.Error("a huge gap is to be repaired packet by packet")
	}
}

func TestKeyFrameRequestsAreMergedAndNotForgotten(t *testing.T) {
	var k keyFrameRequests
	want := func(now, every time.Duration) bool { k.want(now, every); return k.due(now) }
	if !want(10*ms, time.Second) || want(20*ms, time.Second) || k.due(900*ms) {
		t.Error("not one request per second")
	}
	if !k.due(1010 * ms) {
		t.Error("a request was forgotten")
	}
	k.want(1020*ms, time.Second)
	k.came()
	if k.due(3 * time.Second) {
		t.Error("asked although a key frame came")
	}
	if !want(4*time.Second, time.Second) || want(4100*ms, time.Second) || want(4200*ms, 500*ms) || !k.due(4500*ms) {
		t.Error("the more urgent of two requests does not decide when they are sent")
	}
}

func TestLayerIsTheBestThatFlows(t *testing.T) {
	now := 10 * time.Second
	middle := layerFacts{rank: 1, last: now - 30*ms, since: time.Second} // of a sender without the lowest layer
	flows, fresh, stopped := layerFacts{last: now - 30*ms, since: time.Second}, layerFacts{last: now, since: now - 100*ms}, layerFacts{last: now - 300*ms, since: time.Second}
	for name, c := range map[string]struct {
		layers           []layerFacts
		current, highest int
		want             int
	}{
		"best":                      {[]layerFacts{flows, flows, flows}, -1, 9, 2},
		"limited":                   {[]layerFacts{flows, flows, flows}, 2, 1, 1},
		"limited, lowest not sent":  {[]layerFacts{middle, middle}, 1, 1, 0},
		"top stopped":               {[]layerFacts{flows, flows, stopped}, 2, 9, 1},
		"top too fresh":             {[]layerFacts{flows, fresh}, 0, 9, 0},
		"fresh but shown":           {[]layerFacts{flows, fresh}, 1, 9, 1},
		"nothing flows, stays":      {[]layerFacts{stopped, stopped}, 1, 9, 1},
		"nothing yet, waits":        {[]layerFacts{{}, {}}, -1, 9, 0},
		"only a fresh one, at once": {[]layerFacts{fresh}, -1, 9, 0},
	} {
		for i := range c.layers {
			c.layers[i].rank += i
		}
		if got := chooseLayer(c.layers, c.current, c.highest, now); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestHighLossStepsDownForAWhile(t *testing.T) {
	var d stepDown
	d.report(0.9, 2, time.Second)
	if got := d.highest(time.Second); got != 1 {
		t.Errorf("got %d", got)
	}
	if got := d.highest(7 * time.Second); got < 2 {
		t.Errorf("still limited to %d", got)
	}
}

func TestSpeakerDoesNotJump(t *testing.T) {
	var s speaker
	loud, louder := []voice{{"a", 90}, {"b", 20}}, []voice{{"a", 90}, {"b", 100}}
	if !s.next(loud, time.Second) || s.participant != "a" {
		t.Fatal("nobody speaks")
	}
	if s.next(louder, 1400*ms) {
		t.Error("changed within 500 ms")
	}
	if s.next([]voice{{"a", 90}, {"b", 92}}, 2*time.Second) {
		t.Error("changed for 2 dB")
	}
	if !s.next(louder, 2*time.Second) || s.participant != "b" {
		t.Error("did not change")
	}
	if !s.next([]voice{{"a", 10}}, 2100*ms) || s.participant != "" {
		t.Error("the speaker left and still speaks")
	}
}

func TestShownSourcesKeepTheirSlots(t *testing.T) {
	a, b, c, d := &source{}, &source{}, &source{}, &source{}
	got := assignSlots([]*source{a, b, nil}, []*source{d, b, c, a})
	if got[0] != d || got[1] != b || got[2] != c {
		t.Error("b lost its slot, or d and c did not get the free slots")
	}
	if got := assignSlots([]*source{a}, nil); got[0] != nil {
		t.Error("a source that is no candidate kept its slot")
	}
}

func TestPayloadsAreRead(t *testing.T) {
	d, ok := parseVP8([]byte{0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00})
	if !ok || !d.start || d.picture != 0x1234 || d.tl0 != 7 || d.size != 6 || !vp8Key(d, []byte{0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00}) {
		t.Errorf("got %+v, %v", d, ok)
	}
	b := []byte{0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00}
	d.put(b, 0x7fff, 9)
	if !bytes.Equal(b, []byte{0x90, 0xe0, 0xff, 0xff, 9, 0x20, 0x00}) {
		t.Errorf("wrote %x", b)
	}
	for _, c := range []struct {
		b    []byte
		want bool
	}{
		{[]byte{0x65}, true}, {[]byte{0x67, 1}, true}, {[]byte{0x41}, false}, {nil, false},
		{[]byte{24, 0, 1, 0x67}, true}, {[]byte{24, 0, 2, 0x41, 0, 0, 1, 0x65}, true}, {[]byte{24, 0, 9, 0x41}, false},
		{[]byte{28, 0x85}, true}, {[]byte{28, 0x05}, false},
	} {
		if got := h264Key(c.b); got != c.want {
			t.Errorf("%x is a key frame: %v", c.b, got)
		}
	}
	if p, ok := redPrimary([]byte{0x80 | 111, 0, 0, 2, 111, 1, 2, 9, 9, 9}); !ok || !bytes.Equal(p, []byte{9, 9, 9}) {
		t.Errorf("got %x, %v", p, ok)
	}
	h := rtp.Header{Version: 2, CSRC: []uint32{1, 2}}
	_ = h.SetExtension(3, []byte{1, 2})
	_ = h.SetExtension(5, []byte{9})
	raw, _ := h.Marshal()
	if got := extension(raw, 5); !bytes.Equal(got, []byte{9}) {
		t.Errorf("got %x", got)
	}
}

func FuzzPacket(f *testing.F) {
	h := rtp.Header{Version: 2, CSRC: []uint32{1}}
	_ = h.SetExtension(1, []byte{1, 2})
	raw, _ := h.Marshal()
	f.Add(append(raw, 0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0))
	f.Add(append(raw, 24, 0, 1, 0x67))
	f.Add(append(raw, 0x80|111, 0, 0, 2, 111, 1, 2, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		for id := range 16 {
			if x := extension(b, uint8(id)); len(x) > len(b) {
				t.Error("an extension longer than its packet")
			}
		}
		payload, ok := parseRTP(b)
		if !ok {
			return
		}
		for c := range codecs {
			var p packet
			if p.read(b, payload, c) && c == codecVP8 && len(payload) > 0 {
				copied := bytes.Clone(payload)
				p.vp8.put(copied, 0x7fff, 255)
			}
		}
		_, _ = redPrimary(payload)
	})
}

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
