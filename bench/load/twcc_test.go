package load

import (
	"testing"

	"github.com/pion/rtcp"
)

func TestFeedbackSaysWhatCame(t *testing.T) {
	for _, start := range []uint16{0, 32767, 32768, 65535} {
		var a arrivals
		const ms = int64(1e6)
		t0 := 1_700_000_000_000 * ms
		came := map[uint16]int64{}
		for i := range uint16(40) {
			if i == 3 || i == 17 || i == 18 {
				continue
			}
			at := t0 + int64(i)*2*ms
			if i == 30 {
				at += 200 * ms // a large delta, and then a negative one
			}
			came[start+i] = at
			a.record(start+i, at)
		}
		b := a.feedback(nil, 1, 2)
		var f rtcp.TransportLayerCC
		if err := f.Unmarshal(b); err != nil {
			t.Fatalf("start %d: pion cannot read it: %v\n%x", start, err, b)
		}
		if f.BaseSequenceNumber != start || f.PacketStatusCount != 40 {
			t.Fatalf("start %d: base %d count %d", start, f.BaseSequenceNumber, f.PacketStatusCount)
		}
		at := int64(f.ReferenceTime) * 64 * ms
		n, next := start, 0
		for _, chunk := range f.PacketChunks {
			for _, symbol := range chunk.(*rtcp.StatusVectorChunk).SymbolList {
				if symbol != rtcp.TypeTCCPacketNotReceived {
					at += f.RecvDeltas[next].Delta * 1000
					next++
					// The reference counts in 64 ms modulo 2^24, so compare below that.
					if want, got := came[n]%(64*ms<<24), at; want-got > ms || got-want > ms {
						t.Errorf("start %d, packet %d: arrival off by %d ns", start, n, got-want)
					}
				} else if came[n] != 0 {
					t.Errorf("start %d: packet %d came but is reported lost", start, n)
				}
				n++
			}
		}
		if next != len(came) {
			t.Errorf("start %d: %d arrivals, want %d", start, next, len(came))
		}
		if again := a.feedback(nil, 1, 2); len(again) != 0 {
			t.Errorf("start %d: the same packets are reported twice", start)
		}
		a.record(start+40, t0+90*ms)
		if more := a.feedback(nil, 1, 2); len(more) == 0 {
			t.Errorf("start %d: nothing on what came later", start)
		}
	}
}

func TestOneFeedbackIsBounded(t *testing.T) {
	var a arrivals
	for i := range 3000 {
		a.record(uint16(i), int64(1e18)+int64(i))
	}
	var f rtcp.TransportLayerCC
	if err := f.Unmarshal(a.feedback(nil, 1, 2)); err != nil {
		t.Fatal(err)
	}
	if f.PacketStatusCount > arrivalLimit {
		t.Errorf("one feedback on %d packets", f.PacketStatusCount)
	}
}
