package sfu

import (
	"slices"
	"sync"
	"time"
)

// notifications calls the peer's listener from a goroutine of its own, so that neither
// a lock nor a packet waits for the listener. Of Slots and Speaker only the newest value
// is kept; the other calls are queued, up to mostCalls.
type notifications struct {
	// Fixed at construction.
	listener Listener
	wake     chan struct{} // holds one token while there is something to deliver
	done     chan struct{} // closed when the peer is closed

	mu         sync.Mutex
	calls      []func(Listener) // to be delivered, in order
	state      MediaState       // of the newest Media call that was queued; -1: none
	slots      []Slot           // to be delivered; nil: nothing new
	knownSlots []Slot           // the newest that were put into slots
	speaker    *string          // to be delivered; nil: nothing new
}

// mostCalls bounds the queue. A listener that is so far behind is stuck, and what comes
// then would only use memory: it is dropped.
const mostCalls = 256

func newNotifications(listener Listener) *notifications {
	return &notifications{listener: listener, wake: make(chan struct{}, 1), done: make(chan struct{}), state: -1}
}

func (n *notifications) wakeUp() {
	select {
	case n.wake <- struct{}{}:
	default: // a token is there already
	}
}

// add returns false when the queue is full.
func (n *notifications) add(call func(Listener)) bool {
	n.mu.Lock()
	queued := n.addLocked(call)
	n.mu.Unlock()
	n.wakeUp()
	return queued
}

func (n *notifications) addLocked(call func(Listener)) bool {
	if len(n.calls) == mostCalls {
		return false
	}
	n.calls = append(n.calls, call)
	return true
}

// media queues a state unless it is the newest one already. The tick and pion both
// report states: comparing and queueing is one step, so that the kept state is always
// the one that is delivered last. One that finds the queue full is queued when the tick
// reports it again.
func (n *notifications) media(state MediaState) {
	n.mu.Lock()
	queued := n.state != state && n.addLocked(func(l Listener) { l.Media(state) })
	if queued {
		n.state = state
	}
	n.mu.Unlock()
	if queued {
		n.wakeUp()
	}
}

func (n *notifications) phase(name string, took time.Duration) {
	n.add(func(l Listener) { l.Phase(name, took) })
}

func (n *notifications) setSlots(slots []Slot) {
	n.mu.Lock()
	same := slices.Equal(slots, n.knownSlots)
	if !same {
		n.slots, n.knownSlots = slots, slots
	}
	n.mu.Unlock()
	if !same {
		n.wakeUp()
	}
}

func (n *notifications) setSpeaker(participant string) {
	n.mu.Lock()
	n.speaker = &participant
	n.mu.Unlock()
	n.wakeUp()
}

// loop delivers until the peer is closed.
func (n *notifications) loop() {
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
			if n.closed() {
				return
			}
			call(n.listener)
		}
		if slots != nil && !n.closed() {
			n.listener.Slots(slots)
		}
		if speaker != nil && !n.closed() {
			n.listener.Speaker(*speaker)
		}
	}
}

func (n *notifications) closed() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}
