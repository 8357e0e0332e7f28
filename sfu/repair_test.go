package sfu

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestAPacketIsRepairedThreeTimesARoundTripApart(t *testing.T) {
	for name, c := range map[string]struct {
		rtt   time.Duration
		asked []time.Duration
		want  []bool
	}{
		"near":              {20 * ms, []time.Duration{0, 50 * ms, 99 * ms, 100 * ms, 150 * ms, 200 * ms, 300 * ms, 900 * ms}, []bool{true, false, false, true, false, true, false, false}},
		"far":               {300 * ms, []time.Duration{0, 100 * ms, 299 * ms, 300 * ms, 600 * ms, 900 * ms}, []bool{true, false, false, true, true, false}},
		"of unknown place":  {0, []time.Duration{0, 20 * ms, 100 * ms}, []bool{true, false, true}},
		"lies of an hour":   {time.Hour, []time.Duration{0, 900 * ms, 1000 * ms}, []bool{true, false, true}},
		"lies of no time":   {-time.Hour, []time.Duration{0, 99 * ms, 100 * ms}, []bool{true, false, true}},
		"asks much later":   {20 * ms, []time.Duration{1500 * ms}, []bool{true}},
		"asks far too late": {20 * ms, []time.Duration{5 * time.Second}, []bool{false}}, // nothing was sent lately
	} {
		cfg := Defaults()
		r := newRepairs(&cfg)
		r.roundTrip(c.rtt)
		start := time.Minute
		r.sent(100_000, start)
		var e sent
		for i, at := range c.asked {
			if got := r.allow(&e, 1000, start+at); got != c.want[i] {
				t.Errorf("%s: asked after %v: sent again %v, want %v", name, at, got, c.want[i])
			}
		}
	}
}

func TestRepairsAreAShareOfWhatWasSentLately(t *testing.T) {
	cfg := Config{RepairTimes: 3, RepairEveryMS: 100, RepairPercent: 50}
	r := newRepairs(&cfg)
	media, again := 0, 0
	for now := time.Minute; now < 2*time.Minute; now += 10 * ms {
		r.sent(1000, now)
		media += 1000
		for range 20 { // each of another packet
			if r.allow(&sent{}, 1000, now) {
				again += 1000
			}
		}
	}
	if again*100 > media*55 || again*100 < media*40 {
		t.Errorf("%d bytes were sent again for %d of media, want about half", again, media)
	}
	after := 0
	for now := 2 * time.Minute; now < 3*time.Minute; now += 10 * ms {
		if r.allow(&sent{}, 1000, now) {
			after += 1000
		}
	}
	if after > 100_000 { // half of what two seconds brought
		t.Errorf("%d bytes were sent again when nothing was sent any more", after)
	}
}

// As with a slide of which little changes, or somebody who begins to speak.
func TestTheLargePacketOfALittleMediaIsRepaired(t *testing.T) {
	for name, others := range map[string][]int{"two of a frame": {300}, "speech after a pause": {10, 10, 10}} {
		cfg := Defaults()
		r := newRepairs(&cfg)
		r.sent(1200, time.Minute)
		for _, bytes := range others {
			r.sent(bytes, time.Minute)
		}
		if !r.allow(&sent{}, 1200, time.Minute+50*ms) {
			t.Errorf("%s: not sent again", name)
		}
		for range 100 {
			r.allow(&sent{}, 100, time.Minute+50*ms)
		}
		if r.again > leastRepairs {
			t.Errorf("%s: %d bytes were sent again", name, r.again)
		}
	}
}

// One NACK asks for 17 packets with four bytes.
func TestAFloodOfNACKsBringsLittle(t *testing.T) {
	l, raw, out := forwarding(t, 1)
	s := (*l.slots.Load())[0]
	now := time.Second
	for seq := range uint16(100) {
		binary.BigEndian.PutUint16(raw[2:], seq)
		l.receive(raw, now)
	}
	sent, first := out.packets, s.first
	for range 10_000 {
		now += ms
		nack := rtcp.TransportLayerNack{MediaSSRC: s.ssrc}
		for seq := uint16(0); seq < 100; seq += 17 {
			nack.Nacks = append(nack.Nacks, rtcp.NackPair{PacketID: first + seq, LostPackets: 0xffff})
		}
		s.handleRTCP(&nack, now)
	}
	if again := out.packets - sent; again == 0 || again > sent/2 {
		t.Errorf("%d packets were sent and %d of them again for a million that were asked for", sent, again)
	}
	if n := s.peer.room.sfu.metrics.dropRepairLimit.Load(); n < 900_000 {
		t.Errorf("counted %d that were not sent", n)
	}
}

func TestTheRoundTripIsThatOfTheReports(t *testing.T) {
	l, raw, _ := forwarding(t, 1)
	s := (*l.slots.Load())[0]
	l.receive(raw, time.Second)
	report, ok := s.report(time.Minute, time.Now())
	if !ok {
		t.Fatal("no report")
	}
	middle := uint32(report.(*rtcp.SenderReport).NTPTime >> 16)
	answer := rtcp.ReceptionReport{SSRC: s.ssrc, LastSenderReport: middle, Delay: 65536 / 2}
	s.handleRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{answer}}, time.Minute+750*ms)
	if s.repairs.rtt != 250*ms {
		t.Errorf("the round trip is %v, want 250ms", s.repairs.rtt)
	}
	answer.LastSenderReport++ // of a report that we did not send
	s.handleRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{answer}}, time.Minute+950*ms)
	if s.repairs.rtt != 250*ms {
		t.Errorf("a report of nobody's changed the round trip to %v", s.repairs.rtt)
	}
}
