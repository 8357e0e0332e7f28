package bus

import (
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// loss is what was known of a subscription when it was last looked at.
type loss struct {
	dropped int
}

// recheck is how often a subscription that lost a message is looked at again. NATS
// reports the first message lost of a row; those that follow are seen only by counting.
const recheck = time.Second

// OnGap sets who learns that messages were lost: those of one subject, or with "" any
// that came while the connection to the cluster was down. It is called from a goroutine
// of the bus and must not block.
func (b *Bus) OnGap(f func(subject string)) {
	b.mu.Lock()
	b.onGap = f
	b.mu.Unlock()
}

func (b *Bus) gap(subject string) {
	b.mu.RLock()
	f := b.onGap
	b.mu.RUnlock()
	if f != nil {
		f(subject)
	}
}

func (b *Bus) asyncError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if sub == nil || !errors.Is(err, nats.ErrSlowConsumer) {
		b.log.Warn("bus", "err", err)
		return
	}
	b.log.Warn("bus dropped messages: a handler is too slow", "subject", sub.Subject)
	dropped, _ := sub.Dropped()
	b.mu.Lock()
	if b.handlers[sub] != nil {
		b.suspects[sub] = loss{dropped}
	}
	b.mu.Unlock()
	b.gap(sub.Subject)
}

// watchSuspects tells of losses after the first. A subscription stays suspect as long as
// it exists: that costs one look a second, and only those that ever lost something.
func (b *Bus) watchSuspects() {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		select {
		case <-b.done:
			return
		case <-tick.C:
			for _, subject := range b.newLosses() {
				b.gap(subject)
			}
		}
	}
}

func (b *Bus) newLosses() (subjects []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for sub, before := range b.suspects {
		if dropped, err := sub.Dropped(); err == nil && dropped != before.dropped {
			b.suspects[sub] = loss{dropped}
			subjects = append(subjects, sub.Subject)
		}
	}
	return subjects
}
