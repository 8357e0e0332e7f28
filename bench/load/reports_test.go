package load

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
)

// TestReportsOfManyPeersDoNotComeTogether: a window of half a second must see as many as
// any other.
func TestReportsOfManyPeersDoNotComeTogether(t *testing.T) {
	const peers = 100
	for _, every := range []int{feedbackTicks, receiverReportTicks, consentTicks} {
		ticks := make([]int, every)
		for i := range peers {
			ticks[reportStride*(i+1)%every]++
		}
		for tick, n := range ticks {
			if n != peers/every {
				t.Errorf("every %d ticks: %d of %d peers report at tick %d, want %d", every, n, peers, tick, peers/every)
			}
		}
	}
}

func TestAPausedPeerOnlyKeepsItsConsent(t *testing.T) {
	key, salt := make([]byte, 16), make([]byte, 12)
	open, err := newDecrypter(key, salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		t.Fatal(err)
	}
	in := &inbound{decrypter: open, streams: []*receivedStream{{ssrc: 1}}}
	consents := 0
	for range consentTicks {
		in.missing = append(in.missing, rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 5}}})
		out, consent := in.dueLocked(0, false)
		if len(out) > 0 || len(in.missing) > 0 {
			t.Fatalf("it sends %d reports and keeps %d requests", len(out), len(in.missing))
		}
		if consent {
			consents++
		}
	}
	if consents != 1 {
		t.Errorf("%d checks of consent in %d ticks, want 1", consents, consentTicks)
	}
	in.missing = append(in.missing, rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 5}}})
	if out, _ := in.dueLocked(0, true); len(out) == 0 {
		t.Error("a running peer does not ask for what is missing")
	}
}
