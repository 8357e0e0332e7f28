package turn

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
)

// pace bounds a rate without a lock, by the generic cell rate algorithm: next is the time
// at which everything admitted so far would have passed at exactly the rate.
type pace struct {
	// Fixed at construction. Zero cost: no limit.
	cost  int64 // picoseconds per unit
	burst int64 // nanoseconds that next may lie ahead

	next atomic.Int64
}

// limit bounds bytes: kbps kilobits per second, with a burst of a quarter of a second.
func (p *pace) limit(kbps int) {
	if kbps > 0 {
		p.cost, p.burst = 8_000_000_000/int64(kbps), 250_000_000
	}
}

// admit is true if n more units fit at now, in nanoseconds of any steady clock.
func (p *pace) admit(n int, now int64) bool {
	if p.cost == 0 {
		return true
	}
	for {
		next := p.next.Load()
		from := max(next, now)
		if from-now > p.burst {
			return false
		}
		if p.next.CompareAndSwap(next, from+int64(n)*p.cost/1000) {
			return true
		}
	}
}

// paceBuckets bounds a table of addresses: strangers that fall into one bucket share it.
const paceBuckets = 1 << 14

// strangers bounds what senders who have proved nothing get, each address and all together.
type strangers struct {
	seed  maphash.Seed
	all   pace
	cost  int64
	burst int64
	each  [paceBuckets]atomic.Int64
}

func newStrangers(l Limits) *strangers {
	s := &strangers{seed: maphash.MakeSeed()}
	if l.Answers > 0 {
		s.all.cost, s.all.burst = 1_000_000_000_000/int64(l.Answers), 1_000_000_000
	}
	if l.AnswersPerAddress > 0 {
		s.cost, s.burst = 1_000_000_000/int64(l.AnswersPerAddress), 2_000_000_000
	}
	return s
}

// admit is true if the address may have one more answer.
func (s *strangers) admit(a netip.Addr, now int64) bool {
	if s.cost > 0 {
		next := &s.each[maphash.Comparable(s.seed, neighbourhood(a))%paceBuckets]
		at := max(next.Load(), now)
		if at-now > s.burst {
			return false
		}
		next.Store(at + s.cost) // a lost race lets one more pass
	}
	return s.all.admit(1, now)
}
