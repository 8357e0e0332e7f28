package consent

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// place is a transport address.
type place struct {
	netip.AddrPort
	stream bool // it is the far end of a TCP connection
}

// address is what is known of one transport address of a leg. It is in one of two states:
//   - It is unproven: it gets only checks and answers, within its allowance, and its newest
//     request is held. An answer to a check proves it; when it asks nothing for a while it is
//     forgotten.
//   - It is proven: the leg may send to it. When its newest answer is too old it is unproven
//     again, and begins with a new allowance.
type address struct {
	// Fixed at construction.
	leg *Leg
	place
	send func(b []byte) // sends to it, past all limits

	used atomic.Bool // something was sent to it since it was last asked

	// Guarded by Gate.mu.
	proven   bool
	answered time.Duration // when the newest answer came
	heard    time.Duration // when the newest authenticated request came
	received int           // bytes that came while it is unproven
	sent     int           // bytes that left meanwhile
	held     *stun.Message // the newest request that pion has not seen, a nomination before others; nil: none
	check    check         // the one that waits for its answer
}

// check is a Binding request of ours. It is sent again with the same id until it is answered.
type check struct {
	raw  []byte // nil: there is none
	id   [stun.TransactionIDSize]byte
	next time.Duration // when it is sent again
	wait time.Duration // until it is sent again after that
}

const (
	// firstWait is until the check of a new address is sent again: a call waits for it.
	firstWait = 50 * time.Millisecond
	// renewWait is until the check of a proven address is sent again.
	// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
	renewWait = 500 * time.Millisecond
	// longWait is the longest pause between two.
	longWait = time.Second
)

// verdict is what the age of what is known of an address asks for.
type verdict int

const (
	keep   verdict = iota
	ask            // its answer grows old and it is wanted
	lapse          // its answer is too old and it is wanted: consent has ended
	forget         // nobody needs it any more
)

// due returns what is to be done about the address now. It is wanted when something was sent
// to it since it was last asked, and always when the media goes to it: the client may be one
// that hears nothing for minutes and asks nothing itself.
func (a *address) due(now time.Duration) verdict {
	destination := a == a.leg.destination.Load()
	wanted := destination || a.used.Load()
	age := now - a.answered
	switch {
	case !a.proven && !destination && now-a.heard > forgetAfter:
		return forget
	case !a.proven:
		return keep
	case age > life && wanted:
		return lapse
	case age > life:
		return forget
	case age > renewAfter && a.check.raw == nil && wanted:
		return ask
	}
	return keep
}

// inUse returns whether the leg sends to the address.
func (a *address) inUse() bool { return a.proven && (a.used.Load() || a.check.raw != nil) }

// neededLess returns whether the address rather than b makes way for a new one: because only
// b is in use, or else because nothing was heard of it for a longer time.
func (a *address) neededLess(b *address) bool {
	if a.inUse() != b.inUse() {
		return b.inUse()
	}
	return a.heard < b.heard
}

// hear takes bytes that came from the address.
func (a *address) hear(bytes int) {
	if !a.proven {
		a.received += bytes
	}
}

// spend returns whether so many bytes may leave for the address now, and counts them.
func (a *address) spend(bytes int) bool {
	if a.proven {
		return true
	}
	if a.sent+bytes > allowance*a.received {
		return false
	}
	a.sent += bytes
	return true
}

// hold keeps a request until the address is proven.
func (a *address) hold(m *stun.Message) {
	if a.held == nil || nominates(m) || !nominates(a.held) {
		a.held = m
	}
}

// trust takes an answer. It returns whether the address was proven before.
func (a *address) trust(now time.Duration) (before bool) {
	before = a.proven
	a.proven, a.answered = true, now
	return before
}

// distrust makes the address as if it were new.
func (a *address) distrust(now time.Duration) {
	a.proven, a.received, a.sent, a.held, a.heard = false, 0, 0, nil, now
}

// begin makes a new check the one that waits for its answer.
func (a *address) begin(m *stun.Message) {
	a.check = check{raw: m.Raw, id: m.TransactionID, wait: renewWait}
	if !a.proven {
		a.check.wait = firstWait
	}
	a.used.Store(false)
}

// hurry makes the check be sent again now and soon: somebody waits for the answer.
func (a *address) hurry(now time.Duration) {
	a.check.next, a.check.wait = now, firstWait
}

// spaceOut sets when the check is sent again, if it is sent now.
func (a *address) spaceOut(now time.Duration) {
	a.check.next = now + a.check.wait
	a.check.wait = min(2*a.check.wait, longWait)
}
