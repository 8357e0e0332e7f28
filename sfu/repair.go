package sfu

import "time"

// repairs decides which packets a slot sends again. A subscriber asks for them at almost no
// cost to itself. It reads no clock and sends nothing.
type repairs struct {
	// Fixed at construction.
	times   int           // how often one packet is sent again
	every   time.Duration // the least time between two
	percent int           // how much repairs may be of what the slot sent lately

	rtt time.Duration // of the subscriber, as its last report says; 0: none has come

	// What was sent in this second and the one before it.
	second        time.Duration // when this one began
	bytes, before int
	again, then   int // bytes of repairs, likewise
}

// mostRTT is the longest round trip that is believed: the subscriber reports it.
const mostRTT = time.Second

// leastRepairs is how many bytes may be sent again whatever the share is, if anything was sent
// lately: two large packets. Half of a frame of two packets may be less than the one that is
// lost.
const leastRepairs = 2400

func newRepairs(cfg *Config) repairs {
	return repairs{times: cfg.RepairTimes, every: time.Duration(cfg.RepairEveryMS) * time.Millisecond, percent: cfg.RepairPercent}
}

// sent takes a packet that is not a repair.
func (r *repairs) sent(bytes int, now time.Duration) {
	r.advance(now)
	r.bytes += bytes
}

// allow returns whether a packet may be sent again now, and counts it.
func (r *repairs) allow(e *sent, bytes int, now time.Duration) bool {
	// A copy that left less than a round trip ago may be under way: the client asked before
	// it could have come.
	if e.repairs >= r.times || e.repairs > 0 && now-e.repaired < max(r.every, r.rtt) {
		return false
	}
	r.advance(now)
	lately := r.bytes + r.before
	if lately == 0 || r.again+r.then+bytes > max(leastRepairs, lately*r.percent/100) {
		return false
	}
	r.again += bytes
	e.repairs++
	e.repaired = now
	return true
}

// advance begins a new second when the last one is over.
func (r *repairs) advance(now time.Duration) {
	switch age := now - r.second; {
	case age >= 2*time.Second:
		r.before, r.then = 0, 0
	case age >= time.Second:
		r.before, r.then = r.bytes, r.again
	default:
		return
	}
	r.bytes, r.again, r.second = 0, 0, now
}

// roundTrip takes the time between a report of ours and the subscriber's, without the delay
// that it says it made.
func (r *repairs) roundTrip(d time.Duration) {
	r.rtt = min(max(0, d), mostRTT)
}
