package signaling

import (
	"testing"
	"time"
)

func TestVitals(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	v := vitals{pace: pace{25 * time.Second, 8 * time.Second}, helloBy: at(10)}
	expect := func(s float64, want verdict, next time.Time) {
		t.Helper()
		do, n := v.due(at(s))
		if do != want || !n.Equal(next) {
			t.Errorf("at %v s: got %v, next %v; want %v, next %v", s, do, n, want, next)
		}
	}
	expect(9, nothing, at(10))
	late := v
	if do, _ := late.due(at(10)); do != helloLate {
		t.Errorf("no hello in 10 s: got %v", do)
	}
	v.heardHello()
	expect(20, nothing, time.Time{}) // it is we who are late
	v.greeted(at(5))
	v.tokenUntil = at(100)
	expect(29, nothing, at(30))
	expect(30, sendPing, at(38))
	v.pong()
	expect(38, nothing, at(55))
	expect(55, sendPing, at(63))
	late = v
	if do, _ := late.due(at(63)); do != pongLate {
		t.Errorf("no pong in 8 s: got %v", do)
	}
	v.pong()
	v.keep(pace{5 * time.Second, 5 * time.Second}, at(56))
	expect(61, sendPing, at(66))
	v.pong()
	v.probe(at(64))
	late = v
	if do, _ := late.due(at(64)); do != pongLate {
		t.Errorf("no answer to a probe: got %v", do)
	}
	v.pong()
	expect(100, tokenOver, time.Time{})
}
