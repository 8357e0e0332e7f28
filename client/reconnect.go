package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"carillon/refusal"
	"carillon/wire"
)

// Jitter waits a random part of 0.5 s, 1 s, 2 s … 20 s. So the clients of a server that comes
// back do not come all at once.
func Jitter(attempt int) (time.Duration, bool) {
	most := min(500*time.Millisecond<<min(attempt, 10), 20*time.Second)
	return rand.N(most), true
}

// run reads from one connection after the other until the client ends.
func (c *Client) run(ctx context.Context, conn *connection) {
	defer close(c.done)
	for {
		err := conn.read(time.Duration(c.Welcome().PingMS) * time.Millisecond)
		c.setConnection(nil)
		conn.fail()
		if c.opts.Lost != nil {
			c.opts.Lost(err)
		}
		if conn, err = c.reconnect(ctx, err); err != nil {
			c.end(err)
			return
		}
	}
}

// reconnect connects again, as often as it takes, unless the reason of the loss forbids it.
func (c *Client) reconnect(ctx context.Context, err error) (*connection, error) {
	for attempt := 0; ; attempt++ {
		if isFinal(err) {
			return nil, err
		}
		wait, ok := c.opts.Backoff(attempt)
		if !ok {
			return nil, err
		}
		if told, ok := toldToWait(err); ok && attempt == 0 {
			wait = told
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ErrClosed
		}
		conn, err2 := c.connect(ctx)
		if ctx.Err() != nil {
			if conn != nil {
				conn.close()
			}
			return nil, ErrClosed
		}
		if err2 == nil {
			return conn, nil
		}
		err = err2
	}
}

// isFinal reports whether coming back is of no use: the close code is 4500 or more, or hello
// was refused for a reason that stays.
func isFinal(err error) bool {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code >= 4500 && closed.Code <= 4999
	}
	if e, ok := errors.AsType[*refusal.Error](err); ok {
		switch e.Code {
		case refusal.TokenExpired, refusal.TokenNotYet, refusal.RateLimited, refusal.TooManyTabs, refusal.Busy, refusal.StorageFailed, refusal.Internal:
			return false
		}
		return true
	}
	return false
}

// toldToWait returns how long the server has asked to wait before coming back.
func toldToWait(err error) (time.Duration, bool) {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || closed.Code != wire.CloseShutdown {
		return 0, false
	}
	ms, err := strconv.Atoi(closed.Text)
	return time.Duration(ms) * time.Millisecond, err == nil
}

// setConnection tells those who wait in connected.
func (c *Client) setConnection(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	close(c.changed)
	c.changed = make(chan struct{})
}

// end makes all later requests fail.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = err
	close(c.changed)
	c.changed = make(chan struct{})
}

// connected returns the connection, and waits for one while there is none.
func (c *Client) connected(ctx context.Context) (*connection, error) {
	for {
		c.mu.Lock()
		conn, changed, ended := c.conn, c.changed, c.ended
		c.mu.Unlock()
		if ended != nil {
			return nil, errors.Join(ErrClosed, ended)
		}
		if conn != nil {
			return conn, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
