package bus

import (
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// recheck is how often a subscription that has lost a message is looked at again. NATS
// reports the first of several messages that are lost in a row; the others only show in a
// count.
const recheck = time.Second

// OnGap sets the function that is told of lost messages: of one subject, or, with an empty
// one, of all subjects, because the connection to the cluster was down. It is called from a
// goroutine of the bus and must not block.
func (b *Bus) OnGap(f func(subject string)) {
	b.mu.Lock()
	b.onGap = f
	b.mu.Unlock()
}

func (b *Bus) tellGap(subject string) {
	b.mu.RLock()
	f := b.onGap
	b.mu.RUnlock()
	if f != nil {
		f(subject)
	}
}

// asyncError is called by NATS for errors that belong to no call of ours.
func (b *Bus) asyncError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if sub == nil || !errors.Is(err, nats.ErrSlowConsumer) {
		b.log.Warn("error of the bus", "err", err)
		return
	}
	b.log.Warn("bus dropped messages: a handler is too slow", "subject", sub.Subject)
	lost, _ := sub.Dropped()
	b.mu.Lock()
	if b.handlers[sub] != nil {
		b.losses[sub] = lost
	}
	b.mu.Unlock()
	b.tellGap(sub.Subject)
}

// watchLosses tells of the losses that NATS does not report. A subscription that has lost a
// message is watched until it is closed: that is one look a second, at few subscriptions.
func (b *Bus) watchLosses() {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		select {
		case <-b.done:
			return
		case <-tick.C:
			for _, subject := range b.newLosses() {
				b.tellGap(subject)
			}
		}
	}
}

// newLosses returns the subjects that have lost messages since they were last looked at.
func (b *Bus) newLosses() (subjects []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for sub, before := range b.losses {
		if lost, err := sub.Dropped(); err == nil && lost != before {
			b.losses[sub] = lost
			subjects = append(subjects, sub.Subject)
		}
	}
	return subjects
}
