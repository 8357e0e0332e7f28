package signaling

import (
	"context"
	"errors"
	"time"

	"carillon/refusal"
)

// turn is the right of one greeting to read from the database, which few have at the same time. The
// others wait, in the order in which they came. One turn is enough for most greetings, from the hello
// to synced. So after a restart of the server, when all tabs come back, some are done while others
// wait; and what the others ask meanwhile waits behind few.
type turn struct {
	connection *connection
	release    func() // nil: it is not this greeting's turn
}

// turnTime is how long a hello waits for its turn. A page that gets no welcome gives up after ten
// seconds, so who would wait longer is told to come back.
const turnTime = 5 * time.Second

// beginSoon is begin for a hello, which is refused when its turn does not come soon.
func (t *turn) beginSoon(ctx context.Context) error {
	soon, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	err := t.begin(soon)
	if errors.Is(err, context.DeadlineExceeded) {
		return refusal.After(time.Second, refusal.Busy, "Very many come at once just now. Come back in a moment.")
	}
	return err
}

// begin waits until it is this greeting's turn. Within the users of one address they take turns
// first.
func (t *turn) begin(ctx context.Context) error {
	if t.release != nil {
		return nil
	}
	c := t.connection
	end, err := c.server.limits.reads.Acquire(ctx, c.payer)
	if err != nil {
		return err
	}
	select {
	case c.server.greetings <- struct{}{}:
		t.release = func() { <-c.server.greetings; end() }
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-c.done:
		err = errLeft
	}
	end()
	return err
}

// end lets another greeting read. It may be called twice.
func (t *turn) end() {
	if t.release != nil {
		t.release()
		t.release = nil
	}
}

// errLeft is what ends a greeting whose connection has ended.
var errLeft = errors.New("the connection has ended")

// read reads a page: when the tab has taken most of what came before, and when its user, and the
// address, have paid for what was read so far. Neither holds up what is read for others. What fits
// into a page is paid with the hello.
func (t *turn) read(ctx context.Context, page func() error) error {
	c := t.connection
	if !c.out.waitForSpace(ctx, t.end) || !t.untilSolvent(ctx) {
		return errLeft
	}
	if err := t.begin(ctx); err != nil {
		return err
	}
	return page()
}

// untilSolvent waits until the user, and the address, have paid for what was read so far. It
// returns false when the connection, or the time for it, has ended first.
func (t *turn) untilSolvent(ctx context.Context) bool {
	c := t.connection
	for {
		refused, over := refusal.Of(c.server.limits.requests.Take(c.payer, 0, time.Now()))
		if !over {
			return true
		}
		t.end()
		timer := time.NewTimer(refused.Retry)
		select {
		case <-timer.C:
			continue
		case <-c.done:
		case <-ctx.Done():
		}
		timer.Stop()
		return false
	}
}
