package consent

import (
	"testing"
	"time"
)

// BenchmarkGate is what the gate adds to a packet of media, with 400 legs.
func BenchmarkGate(b *testing.B) {
	s := newServer(b)
	var first *Leg
	var at place
	for i := range 400 {
		l := s.gate.leg(string(rune('a' + i)))
		p := s.client(b, nil).at()
		s.gate.mu.Lock()
		a := l.addLocked(p, func([]byte) {}, 0)
		s.gate.trustLocked(a, s.gate.now())
		s.gate.nominateLocked(a, s.gate.now())
		s.gate.mu.Unlock()
		if i == 0 {
			first, at = l, p
		}
	}
	packet := append([]byte(nil), media...)
	incoming := func(b *testing.B) {
		for b.Loop() {
			s.gate.receive(packet, len(packet), source{place: at})
			first.heard(at)
		}
	}
	b.Run("leaves", func(b *testing.B) {
		for b.Loop() {
			if !first.allows(packet, at) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("comes", incoming)
	b.Run("comes while somebody is unproven", func(b *testing.B) {
		s.gate.mu.Lock()
		s.gate.trackLocked(first.addLocked(s.client(b, nil).at(), func([]byte) {}, 0), true)
		s.gate.mu.Unlock()
		incoming(b)
	})
	b.Run("tick", func(b *testing.B) {
		for b.Loop() {
			s.now.Add(int64(time.Second))
			s.gate.Tick()
		}
	})
}
