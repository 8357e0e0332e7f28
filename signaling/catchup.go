package signaling

import (
	"context"
	"time"

	"carillon/chat"
	"carillon/wire"
)

const (
	logPage     = 100             // events per read of the log
	catchUpTime = 2 * time.Minute // for everything missed; the log is bounded, so this is a slow tab or a sick database
	retryRead   = 50 * time.Millisecond
)

// catchUp sends what the link missed, first the events in hand, then from the log until
// there is no more, and at last done (synced, after a hello), when it is not nil. It
// runs in a goroutine of its own and waits for room in the queue, unlike fan-out.
func (l *link) catchUp(first []chat.Event, done func(offset int64) *frame) {
	ctx, cancel := context.WithTimeout(context.Background(), catchUpTime)
	defer cancel()
	l.server.metrics.catchUps.Inc()
	events := first
	for {
		for _, e := range events {
			if !l.room(ctx) {
				return
			}
			if !l.missed(e) {
				return
			}
		}
		page, ok := l.readLog(ctx)
		if !ok {
			return
		}
		if events = page; len(page) > 0 {
			continue
		}
		l.mu.Lock()
		end := l.follow.atEnd()
		if end && done != nil && l.follow.phase == live {
			l.pushLocked(item{frame: done(l.follow.sent), class: durable})
		}
		l.mu.Unlock()
		if end {
			return
		}
		// A bell rang of an event that this read did not see yet.
		if !l.pause(ctx, retryRead) {
			return
		}
	}
}

// missed sends one event from the log, unless it was overtaken.
func (l *link) missed(e chat.Event) bool {
	f := eventFrame(e, time.Now())
	c, key := classOf(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.follow.phase != reading {
		return false
	}
	if e.Offset > l.follow.sent {
		l.follow.sent = e.Offset
		l.pushLocked(item{frame: f, class: c, key: key})
	}
	return true
}

// readLog returns the next events. It gives up the link when the log no longer has them,
// or cannot be read: the tab comes back and is told where it stands.
func (l *link) readLog(ctx context.Context) ([]chat.Event, bool) {
	s := l.server
	select {
	case s.catchUps <- struct{}{}:
		defer func() { <-s.catchUps }()
	case <-ctx.Done():
		l.close(wire.CloseSlow, "come back")
		return nil, false
	case <-l.done:
		return nil, false
	}
	l.mu.Lock()
	after, phase := l.follow.sent, l.follow.phase
	l.mu.Unlock()
	if phase != reading {
		return nil, false
	}
	events, complete, err := s.chat.EventsAfter(ctx, l.tab.User, after, logPage)
	if err != nil {
		l.log.Error("read log", "offset", after, "err", err)
	}
	if err != nil || !complete {
		l.close(wire.CloseSlow, "come back")
		return nil, false
	}
	return events, true
}

// room waits until the queue is at most half full.
func (l *link) room(ctx context.Context) bool {
	for {
		l.mu.Lock()
		fits, closed := l.queue.bytes <= l.queue.limit/2, l.closed
		l.mu.Unlock()
		if closed || fits {
			return !closed
		}
		select {
		case <-l.drained:
		case <-l.done:
			return false
		case <-ctx.Done():
			l.close(wire.CloseSlow, "read faster")
			return false
		}
	}
}

func (l *link) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.done:
	case <-ctx.Done():
		l.close(wire.CloseSlow, "come back")
	}
	return false
}
