package signaling

import (
	"slices"
	"sync"
	"time"
)

// alive watches the life of one connection by one timer: it asks vitals when they want to
// be asked. A data channel has none, for the call's media tells whether it lives.
type alive struct {
	mu      sync.Mutex
	vitals  vitals
	legs    []string // of calls that the tab holds: while there is one, pings are quicker
	probes  []func() // to be told of the next pong
	timer   *time.Timer
	stopped bool

	// Fixed by begin.
	idle, calling pace
}

// pace is how often a tab is pinged, and how long it may take to answer.
type pace struct{ every, answer time.Duration }

// begin waits for hello. It calls tick when due should be called.
func (a *alive) begin(cfg Config, now time.Time, tick func()) {
	a.mu.Lock() // the timer may run at once
	defer a.mu.Unlock()
	a.idle = pace{seconds(cfg.PingSeconds), seconds(cfg.PongSeconds)}
	a.calling = pace{seconds(cfg.LegPingSeconds), seconds(cfg.LegPingSeconds)}
	a.vitals = vitals{pace: a.idle, helloBy: now.Add(seconds(cfg.HelloSeconds))}
	a.timer = time.AfterFunc(seconds(cfg.HelloSeconds), tick)
}

// due says what is to be done at now.
func (a *alive) due(now time.Time) verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return nothing
	}
	do, next := a.vitals.due(now)
	a.rearmLocked(now, next)
	return do
}

func (a *alive) rearmLocked(now, next time.Time) {
	if a.timer != nil && !a.stopped && !next.IsZero() {
		a.timer.Reset(max(next.Sub(now), 0))
	}
}

// change edits the vitals and asks them when to look again.
func (a *alive) change(edit func(v *vitals, now time.Time)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changeLocked(edit)
}

func (a *alive) changeLocked(edit func(v *vitals, now time.Time)) {
	now := time.Now()
	edit(&a.vitals, now)
	a.rearmLocked(now, a.vitals.next())
}

// pong answers the ping that is open.
func (a *alive) pong() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changeLocked(func(v *vitals, _ time.Time) { v.pong() })
	for _, told := range a.probes {
		told()
	}
	a.probes = nil
}

// probe opens a ping that has to be answered soon, and calls told when it is.
func (a *alive) probe(told func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return
	}
	a.probes = append(a.probes, told)
	a.changeLocked(func(v *vitals, now time.Time) { v.probe(now.Add(probeTime)) })
}

// greeted reports whether hello was answered.
func (a *alive) greeted() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.vitals.pingAt.IsZero()
}

// trust notes until when the token is good, and begins the pings at hello.
func (a *alive) trust(left time.Duration) {
	a.change(func(v *vitals, now time.Time) {
		if a.timer != nil && v.pingAt.IsZero() {
			v.greeted(now)
		}
		v.tokenUntil = now.Add(left)
	})
}

// holdLeg makes pings quicker while the tab holds a leg: its death must be noticed soon.
func (a *alive) holdLeg(id string, holds bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.legs)
	a.legs = slices.DeleteFunc(a.legs, func(held string) bool { return held == id })
	if holds {
		a.legs = append(a.legs, id)
	}
	switch after := len(a.legs); {
	case before == 0 && after > 0:
		a.changeLocked(func(v *vitals, now time.Time) { v.keep(a.calling, now) })
	case before > 0 && after == 0:
		a.changeLocked(func(v *vitals, now time.Time) { v.keep(a.idle, now) })
	}
}

// stop ends the timer. Nothing is due any more.
func (a *alive) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	if a.timer != nil {
		a.timer.Stop()
	}
}
