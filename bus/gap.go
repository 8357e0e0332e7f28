package bus

import (
	"time"
)

// recheck is how often a subscription that has lost a message is looked at again. NATS
// reports the first of several messages that are lost in a row; the others only show in a
// count.
const recheck = time.Second

// gapSubject is where a node says that others have missed something of what it published.
const gapSubject = "gap"

// OnGap sets the function that is told of lost messages: of one subject, or, with an empty
// one, of all subjects, because this node or another one was without the bus. It is called from a
// goroutine of the bus and must not block.
func (b *Bus) OnGap(f func(subject string)) {
	b.mu.Lock()
	b.onGap = f
	b.mu.Unlock()
}

// tellGap tells of a subject. What is lost of gaps may have been about any.
func (b *Bus) tellGap(subject string) {
	if subject == gapSubject {
		subject = ""
	}
	b.mu.RLock()
	f := b.onGap
	b.mu.RUnlock()
	if f != nil {
		f(subject)
	}
}

// hearGaps takes it from other nodes that something of theirs was missed.
func (b *Bus) hearGaps() error {
	_, err := b.Subscribe(gapSubject, func(m Message) {
		if string(m.Data) != b.node {
			b.tellGap("")
		}
	})
	return err
}

func (b *Bus) tendSoon() {
	select {
	case b.soon <- struct{}{}:
	default: // it is about to
	}
}

// tend looks every second for what was lost and is to be told, until Close.
func (b *Bus) tend() {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-b.done:
			return
		case <-b.soon:
			b.announce()
		case <-tick.C:
			if n%announceEvery == 0 {
				b.announce()
			}
		}
		back := b.stuck.Load() && b.conn.FlushTimeout(recheck) == nil && b.stuck.Swap(false)
		if c := b.connection.Load(); back || c != nil && c.again && !b.settled(c) {
			// What was on its way is lost, in both directions. It is said more than once, because
			// the servers take their time to tell each other who listens to what.
			b.lost.Store(true)
			b.tellGap("")
		}
		if b.Connected() && b.lost.Swap(false) {
			b.Publish(gapSubject, []byte(b.node))
		}
		for _, subject := range b.newLosses() {
			b.tellGap(subject)
		}
	}
}

// newLosses returns the subjects that have lost messages since they were last looked at. NATS does
// not report all of them. A subscription that has lost a message is watched until it is closed:
// that is one look a second, at few subscriptions.
func (b *Bus) newLosses() (subjects []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for sub, before := range b.losses {
		if lost, err := sub.Dropped(); err == nil && lost != before {
			b.losses[sub] = lost
			subjects = append(subjects, b.short(sub.Subject))
		}
	}
	return subjects
}
