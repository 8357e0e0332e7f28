package bus

import (
	"fmt"
	"hash/maphash"

	"github.com/nats-io/nats.go"
)

// Subscription lasts until Close.
type Subscription struct {
	bus *Bus
	sub *nats.Subscription
}

// Subscribe calls handle for each message of the subject, which may contain the wildcards
// of NATS. The messages of one subscription come in order and one at a time, from a
// goroutine that it shares with others: handle must not block. The server is certain to know
// of the subscription only after a [Bus.Flush] or the answer to any request. Without a connection it
// learns of it when there is one.
//
// The same call serves requests: whoever subscribes to a subject is the one that
// [Bus.Request] reaches, and answers with [Message.Reply].
func (b *Bus) Subscribe(subject string, handle func(Message)) (*Subscription, error) {
	queue := b.queues[maphash.String(b.seed, subject)%uint64(len(b.queues))]
	// A message may arrive before ChanSubscribe returns; its dispatcher waits for the lock.
	b.mu.Lock()
	defer b.mu.Unlock()
	sub, err := b.conn.ChanSubscribe(b.full(subject), queue)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	b.handlers[sub] = handle
	return &Subscription{bus: b, sub: sub}, nil
}

// Close ends the subscription. A message that is being handled may still finish.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	delete(s.bus.handlers, s.sub)
	delete(s.bus.losses, s.sub)
	s.bus.mu.Unlock()
	// It fails only when the connection is closed, which ended the subscription too.
	_ = s.sub.Unsubscribe()
}

// dispatch calls the handlers of the messages in queue, until Close.
func (b *Bus) dispatch(queue chan *nats.Msg) {
	for {
		select {
		case <-b.done:
			return
		case m := <-queue:
			b.mu.RLock()
			handle := b.handlers[m.Sub]
			b.mu.RUnlock()
			if handle == nil {
				continue // closed meanwhile
			}
			in := Message{Subject: b.short(m.Subject), Data: m.Data}
			if m.Reply != "" {
				in.reply = m.Respond
			}
			handle(in)
		}
	}
}
