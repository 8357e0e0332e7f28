package signaling

import "time"

// vitals decides when a tab must be pinged, and when it has waited too long: for hello,
// for a pong, for a new token. It knows no clock.
type vitals struct {
	pace

	helloBy    time.Time // zero once hello was said
	pingAt     time.Time // zero before hello
	pongBy     time.Time // zero when no ping is open
	tokenUntil time.Time
}

// verdict of vitals: at most one thing to do now.
type verdict int

const (
	nothing verdict = iota
	sendPing
	helloLate
	pongLate
	tokenOver
)

// due says what to do at now and when to ask again.
func (v *vitals) due(now time.Time) (do verdict, next time.Time) {
	over := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case over(v.helloBy):
		return helloLate, time.Time{}
	case over(v.pongBy):
		return pongLate, time.Time{}
	case over(v.tokenUntil):
		return tokenOver, time.Time{}
	case over(v.pingAt):
		v.pingAt = now.Add(v.every)
		v.pongBy = now.Add(v.answer)
		do = sendPing
	}
	return do, v.next()
}

func (v *vitals) next() time.Time {
	var first time.Time
	for _, t := range []time.Time{v.helloBy, v.pingAt, v.pongBy, v.tokenUntil} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// heardHello ends the time for hello. How long the answer takes is our affair.
func (v *vitals) heardHello() { v.helloBy = time.Time{} }

// greeted begins the pings.
func (v *vitals) greeted(now time.Time) { v.pingAt = now.Add(v.every) }

// pong answers the open ping.
func (v *vitals) pong() { v.pongBy = time.Time{} }

// probe notes that a ping went out which must be answered until then.
func (v *vitals) probe(until time.Time) {
	if v.pongBy.IsZero() || until.Before(v.pongBy) {
		v.pongBy = until
	}
}

// keep changes how often pings go out, from now on.
func (v *vitals) keep(p pace, now time.Time) {
	v.pace = p
	if !v.pingAt.IsZero() {
		v.pingAt = now.Add(p.every)
	}
}
