package signaling

import (
	"slices"
	"testing"
	"time"

	"carillon/call"
	"carillon/client"
	"carillon/wire"
)

// BenchmarkAnswerToSilence is the time from the answer's request in one tab until each of
// twenty others knows. The promise is 500 ms at p99.
func BenchmarkAnswerToSilence(b *testing.B) {
	w := &callWorld{world: newWorld(b, Config{}), cfg: call.Config{RingsPerMinute: 1 << 20, RingsPerPair: 1 << 20, RequestsPerMinute: 1 << 20}}
	w.addCallNode(w.bus)
	const others = 20
	rung, silent := make(chan string, others+1), make(chan time.Time, others+1)
	listen := func(o *client.Options) {
		seen := map[string]bool{}
		o.Call = func(c wire.CallChange) {
			switch s := c.Call; {
			case seen[s.ID+string(s.State)]:
				return
			case s.State == call.Ringing:
				seen[s.ID+string(s.State)] = true
				rung <- s.ID
			case s.State == call.Connecting:
				seen[s.ID+string(s.State)] = true
				silent <- time.Now()
			}
		}
	}
	alice := w.open(1, "alice")
	var bobs []*tab
	for range others + 1 {
		bobs = append(bobs, w.open(1, "bob", listen))
	}
	var took []time.Duration
	for b.Loop() {
		a := alice.start("bob")
		for range bobs {
			<-rung
		}
		clicked := time.Now()
		bobs[0].must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID})
		for range bobs {
			took = append(took, (<-silent).Sub(clicked))
		}
		alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
		time.Sleep(20 * time.Millisecond) // the rate of requests per user is bounded
	}
	percentiles(b, took)
}

// BenchmarkAnswerToMedia is the time from the answer's request until both sides have the
// other's first packet. The caller's media is connected before, as it is in the browser.
func BenchmarkAnswerToMedia(b *testing.B) {
	w := &callWorld{world: newWorld(b, Config{}), cfg: call.Config{RingsPerMinute: 1 << 20, RingsPerPair: 1 << 20, RequestsPerMinute: 1 << 20}}
	w.addCallNode(w.bus)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	var took []time.Duration
	for b.Loop() {
		pa, pb := newPhone(b), newPhone(b)
		a := alice.start("bob")
		pa.connect(alice, a)
		clicked := time.Now()
		leg := bob.must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID})
		pb.connect(bob, leg)
		pa.await("bob's first packet", func() bool { return pa.heard > 0 })
		pb.await("alice's first packet", func() bool { return pb.heard > 0 })
		took = append(took, time.Since(clicked))
		alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
		pa.close()
		pb.close()
	}
	percentiles(b, took)
}

func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(.5), "ms-p50")
	b.ReportMetric(at(.95), "ms-p95")
	b.ReportMetric(at(.99), "ms-p99")
	b.ReportMetric(0, "ns/op")
}
