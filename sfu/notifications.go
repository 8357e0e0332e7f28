package sfu

import (
	"slices"
	"sync"
	"time"
)

// notices carries what a peer tells its leg out of the locks and loops it is found in.
// Nothing waits for the leg: of Slots and Speaker only the newest is kept, the rest is
// bounded by what can happen to one connection.
type notices struct {
	leg  Leg
	wake chan struct{} // one token
	done chan struct{}

	mu      sync.Mutex
	calls   []func(Leg)
	state   MediaState // told last; -1: none
	slots   []Slot     // to be told; nil: nothing new
	told    []Slot     // last told
	speaker *string
}

// mostCalls: a leg that takes none of these is stuck, and more would only be garbage.
const mostCalls = 256

func newNotices(leg Leg) *notices {
	return &notices{leg: leg, wake: make(chan struct{}, 1), done: make(chan struct{}), state: -1}
}

func (n *notices) ring() {
	select {
	case n.wake <- struct{}{}:
	default: // a token lies there already
	}
}

func (n *notices) add(call func(Leg)) {
	n.mu.Lock()
	n.addLocked(call)
	n.mu.Unlock()
	n.ring()
}

func (n *notices) addLocked(call func(Leg)) {
	if len(n.calls) < mostCalls {
		n.calls = append(n.calls, call)
	}
}

// media tells a state once. The tick and pion both find them: to see that one is new and
// to queue it is one step, so that the state kept here is always the one told last.
func (n *notices) media(state MediaState) {
	n.mu.Lock()
	same := n.state == state
	if !same {
		n.state = state
		n.addLocked(func(l Leg) { l.Media(state) })
	}
	n.mu.Unlock()
	if !same {
		n.ring()
	}
}

func (n *notices) phase(name string, took time.Duration) {
	n.add(func(l Leg) { l.Phase(name, took) })
}

func (n *notices) setSlots(slots []Slot) {
	n.mu.Lock()
	same := slices.Equal(slots, n.told)
	if !same {
		n.slots, n.told = slots, slots
	}
	n.mu.Unlock()
	if !same {
		n.ring()
	}
}

func (n *notices) setSpeaker(participant string) {
	n.mu.Lock()
	n.speaker = &participant
	n.mu.Unlock()
	n.ring()
}

// loop tells the leg, until close.
func (n *notices) loop() {
	for {
		select {
		case <-n.done:
			return
		case <-n.wake:
		}
		n.mu.Lock()
		calls, slots, speaker := n.calls, n.slots, n.speaker
		n.calls, n.slots, n.speaker = nil, nil, nil
		n.mu.Unlock()
		for _, call := range calls {
			if n.over() {
				return
			}
			call(n.leg)
		}
		if slots != nil && !n.over() {
			n.leg.Slots(slots)
		}
		if speaker != nil && !n.over() {
			n.leg.Speaker(*speaker)
		}
	}
}

func (n *notices) over() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}
