package signaling

import (
	"context"
	"time"

	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/wire"
)

const (
	logPage     = 100             // events per read of the log
	catchUpTime = 2 * time.Minute // for everything missed; the log is bounded, so only a slow tab or a failing database takes longer
	retryRead   = 50 * time.Millisecond
)

// catchUp sends what the connection missed: first the events in hand, then those of the log
// until there is no more, and at last the frame that last makes, which is synced after a
// hello; last may be nil. It runs in a goroutine of its own and waits for space in the
// queue, unlike fan-out.
func (c *connection) catchUp(first []chat.Event, last func(offset int64) *frame) {
	ctx, cancel := c.server.timeout(catchUpTime)
	defer cancel()
	ctx = limit.PaidBy(ctx, c.payer)
	c.server.metrics.catchUps.Inc()
	events := first
	for {
		for _, e := range events {
			if !c.waitForSpace(ctx) || !c.sendMissed(e) {
				return
			}
		}
		page, ok := c.readLog(ctx)
		if !ok {
			return
		}
		if events = page; len(page) > 0 {
			continue
		}
		if c.caughtUp(last) {
			return
		}
		// An event was announced that this read did not see yet.
		if !c.pause(ctx, retryRead) {
			return
		}
	}
}

// caughtUp is called when the log had no more. It returns whether that was all.
func (c *connection) caughtUp(last func(offset int64) *frame) bool {
	p := &c.position
	p.mu.Lock()
	defer p.mu.Unlock()
	end := p.cursor.atEnd()
	if end && last != nil && p.cursor.phase == live {
		c.push(last(p.cursor.sent), durable, "")
		p.synced = true
	}
	return end
}

// sendMissed sends one event from the log, unless it was overtaken.
func (c *connection) sendMissed(e chat.Event) bool {
	f := eventFrame(e, time.Now())
	class, key := classOf(e)
	p := &c.position
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.out.isClosed() || p.cursor.phase != reading {
		return false
	}
	if e.Offset > p.cursor.sent {
		p.cursor.sent = e.Offset
		if c.isForLocked(f) {
			c.push(f, class, key)
		}
	}
	return true
}

// readLog returns the next events. When the log no longer has them, or cannot be read, it
// closes the connection: the tab comes back and is told where it stands.
func (c *connection) readLog(ctx context.Context) ([]chat.Event, bool) {
	s := c.server
	if !c.untilSolvent(ctx) {
		return nil, false
	}
	end, err := s.limits.reads.Acquire(ctx, c.payer)
	if err != nil {
		c.close(wire.CloseSlow, "come back")
		return nil, false
	}
	defer end()
	select {
	case s.catchUps <- struct{}{}:
		defer func() { <-s.catchUps }()
	case <-ctx.Done():
		c.close(wire.CloseSlow, "come back")
		return nil, false
	case <-c.done:
		return nil, false
	}
	c.position.mu.Lock()
	after, phase := c.position.cursor.sent, c.position.cursor.phase
	c.position.mu.Unlock()
	if phase != reading {
		return nil, false
	}
	events, complete, err := s.chat.EventsAfter(ctx, c.tab.User, after, logPage)
	if err != nil {
		c.log.Error("read log", "offset", after, "err", err)
	}
	if err != nil || !complete {
		c.close(wire.CloseSlow, "come back")
		return nil, false
	}
	c.charge(len(events))
	return events, true
}

// untilSolvent waits until the user, and the address, have paid for what was read so far. It
// returns false when the connection has ended first.
func (c *connection) untilSolvent(ctx context.Context) bool {
	for {
		refused, over := refusal.Of(c.server.limits.requests.Take(c.payer, 0, time.Now()))
		if !over {
			return true
		}
		if !c.pause(ctx, refused.Retry) {
			return false
		}
	}
}

// waitForSpace waits until the queue is at most half full. It returns false when the
// connection has ended first.
func (c *connection) waitForSpace(ctx context.Context) bool {
	for {
		if half, open := c.out.hasSpace(); half || !open {
			return open
		}
		select {
		case <-c.out.taken:
		case <-c.done:
			return false
		case <-ctx.Done():
			c.close(wire.CloseSlow, "read faster")
			return false
		}
	}
}

func (c *connection) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.done:
	case <-ctx.Done():
		c.close(wire.CloseSlow, "come back")
	}
	return false
}
