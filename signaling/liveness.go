package signaling

import (
	"slices"
	"sync"
	"time"
)

// liveness finds out whether one connection lives, with one timer: it asks vitals when
// they want to be asked. A data channel is not pinged, for the call's media tells whether it
// lives; only the token of its tab may end.
type liveness struct {
	mu      sync.Mutex
	vitals  vitals
	legs    []string // of calls that the tab hosts: while there is one, pings are quicker
	probes  []func() // called at the next pong
	timer   *time.Timer
	stopped bool

	// Fixed by begin.
	idle, calling pace // without a leg, and with one
}

// pace is how often a tab is pinged, and how long it may take to answer.
type pace struct{ every, answer time.Duration }

// begin waits for hello. It calls tick when due should be called.
func (l *liveness) begin(cfg Config, now time.Time, tick func()) {
	l.mu.Lock() // the timer may run at once
	defer l.mu.Unlock()
	l.idle = pace{seconds(cfg.PingSeconds), seconds(cfg.PongSeconds)}
	l.calling = pace{seconds(cfg.LegPingSeconds), seconds(cfg.LegPingSeconds)}
	l.vitals = vitals{pace: l.idle, helloBy: now.Add(seconds(cfg.HelloSeconds))}
	l.timer = time.AfterFunc(seconds(cfg.HelloSeconds), tick)
}

// beginChannel waits for nothing but the end of the token. The zero time: it has none.
func (l *liveness) beginChannel(tokenEnd time.Time, tick func()) {
	if tokenEnd.IsZero() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.vitals.tokenUntil = tokenEnd
	l.timer = time.AfterFunc(time.Until(tokenEnd), tick)
}

// due says what is to be done at now.
func (l *liveness) due(now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return nothing
	}
	do, next := l.vitals.due(now)
	l.rearmLocked(now, next)
	return do
}

func (l *liveness) rearmLocked(now, next time.Time) {
	if l.timer != nil && !l.stopped && !next.IsZero() {
		l.timer.Reset(max(next.Sub(now), 0))
	}
}

// change edits the vitals and asks them when to look again.
func (l *liveness) change(edit func(v *vitals, now time.Time)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changeLocked(edit)
}

func (l *liveness) changeLocked(edit func(v *vitals, now time.Time)) {
	now := time.Now()
	edit(&l.vitals, now)
	l.rearmLocked(now, l.vitals.next())
}

// pong answers the ping that is open.
func (l *liveness) pong() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changeLocked(func(v *vitals, _ time.Time) { v.pong() })
	for _, told := range l.probes {
		told()
	}
	l.probes = nil
}

// probe opens a ping that has to be answered soon, and calls told when it is.
func (l *liveness) probe(told func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return
	}
	l.probes = append(l.probes, told)
	l.changeLocked(func(v *vitals, now time.Time) { v.probe(now.Add(probeTime)) })
}

// heardHello notes that the tab has said hello.
func (l *liveness) heardHello() { l.change(func(v *vitals, _ time.Time) { v.heardHello() }) }

// beginPings is called when hello was answered.
func (l *liveness) beginPings() { l.change(func(v *vitals, now time.Time) { v.greeted(now) }) }

// greeted reports whether hello was answered.
func (l *liveness) greeted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.vitals.pingAt.IsZero()
}

// tokenGood notes how long the token is good.
func (l *liveness) tokenGood(left time.Duration) {
	l.change(func(v *vitals, now time.Time) { v.tokenUntil = now.Add(left) })
}

// tokenEnd returns until when the token is good.
func (l *liveness) tokenEnd() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.vitals.tokenUntil
}

// hostLeg makes pings quicker while the tab hosts a leg: its death must be noticed soon.
func (l *liveness) hostLeg(id string, hosts bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.legs)
	l.legs = slices.DeleteFunc(l.legs, func(other string) bool { return other == id })
	if hosts {
		l.legs = append(l.legs, id)
	}
	switch after := len(l.legs); {
	case before == 0 && after > 0:
		l.changeLocked(func(v *vitals, now time.Time) { v.keep(l.calling, now) })
	case before > 0 && after == 0:
		l.changeLocked(func(v *vitals, now time.Time) { v.keep(l.idle, now) })
	}
}

func (l *liveness) hostsLeg() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.legs) > 0
}

// stop ends the timer. Nothing is due any more.
func (l *liveness) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
