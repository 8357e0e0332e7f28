package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
)

// outgoing is a message that waits to be sent, or somebody who waits until all before is sent.
type outgoing struct {
	subject string // full
	data    []byte
	sent    chan<- struct{} // closed when all before was handed to the connection; nil for a message
}

const (
	maxOutgoing = 16384    // messages that may wait to be sent
	maxWaiting  = 64 << 20 // bytes of them
)

// Publish sends data, which must not be changed any more, to all that subscribe to the subject, on
// every node. It does not wait. What cannot be sent, because there is no connection or because too
// much waits, is lost, and the nodes are told by [Bus.OnGap] when the bus is back.
func (b *Bus) Publish(subject string, data []byte) {
	if b.connection.Load() == nil || b.waiting.Load() > maxWaiting {
		b.lost.Store(true)
		return
	}
	b.waiting.Add(int64(len(data)))
	select {
	case b.out <- outgoing{subject: b.full(subject), data: data}:
	default: // the server takes nothing
		b.waiting.Add(-int64(len(data)))
		b.lost.Store(true)
	}
}

// send hands what is published to the connection, which may block for as long as the server takes
// nothing. It ends with the bus.
func (b *Bus) send() {
	for {
		select {
		case <-b.done:
			return
		case m := <-b.out:
			if m.sent != nil {
				close(m.sent)
				continue
			}
			b.sendOne(m)
		}
	}
}

func (b *Bus) sendOne(m outgoing) {
	b.waiting.Add(-int64(len(m.data)))
	err := b.conn.Publish(m.subject, m.data)
	switch {
	case err == nil:
		return
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject):
		b.log.Error("publish", "subject", b.short(m.subject), "bytes", len(m.data), "err", err)
		return
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionClosed): // there is no connection
	default: // the server took nothing in time: another one may
		_ = b.conn.ForceReconnect() // it fails only when the bus is closed
	}
	b.lost.Store(true)
}

// sent waits until all that was published before was handed to the connection.
func (b *Bus) sent(ctx context.Context) error {
	sent := make(chan struct{})
	select {
	case b.out <- outgoing{sent: sent}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-sent:
		return nil
	case <-b.done:
		return ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
}
