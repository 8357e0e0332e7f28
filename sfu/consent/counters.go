package consent

import "sync/atomic"

type counters struct{ checks, answers, held, refused, lapsed, moved, withheld atomic.Uint64 }

// Counts is what a gate has done so far.
type Counts struct {
	Checks   uint64 // checks that left, also again
	Answers  uint64 // answers to them
	Held     uint64 // requests that waited until their address was proven
	Refused  uint64 // requests and answers that were not authentic
	Lapsed   uint64 // addresses that were wanted and answered no more, see address.due
	Moved    uint64 // legs whose media went to another address without a nomination
	Withheld uint64 // packets that were not sent, since their address had not consented
}

// Counts returns what the gate has done so far.
func (g *Gate) Counts() Counts {
	c := &g.counters
	return Counts{
		Checks: c.checks.Load(), Answers: c.answers.Load(), Held: c.held.Load(), Refused: c.refused.Load(),
		Lapsed: c.lapsed.Load(), Moved: c.moved.Load(), Withheld: c.withheld.Load(),
	}
}
