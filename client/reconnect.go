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

// Jitter waits a random part of 0.5 s, 1 s, 2 s … 20 s, so that the tabs of a server that
// comes back do not all come at once.
func Jitter(attempt int) (time.Duration, bool) {
	most := min(500*time.Millisecond<<min(attempt, 10), 20*time.Second)
	return rand.N(most), true
}

func (c *Client) run(ctx context.Context, conn *connection) {
	defer close(c.done)
	for {
		err := conn.read(time.Duration(c.Welcome().PingMS) * time.Millisecond)
		c.set(nil)
		conn.fail()
		if c.opts.Lost != nil {
			c.opts.Lost(err)
		}
		if conn, err = c.again(ctx, err); err != nil {
			c.end(err)
			return
		}
	}
}

// again connects until it succeeds or must not.
func (c *Client) again(ctx context.Context, err error) (*connection, error) {
	for attempt := 0; ; attempt++ {
		if stop(err) {
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

// stop says whether coming back is of no use: close codes from 4500, or a hello refused
// for a reason that stays.
func stop(err error) bool {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code >= 4500 && closed.Code <= 4999
	}
	if e, ok := errors.AsType[*refusal.Error](err); ok {
		switch e.Code {
		case refusal.TokenExpired, refusal.RateLimited, refusal.TooManyTabs, refusal.Busy, refusal.Internal:
			return false
		}
		return true
	}
	return false
}

func toldToWait(err error) (time.Duration, bool) {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || closed.Code != wire.CloseShutdown {
		return 0, false
	}
	ms, err := strconv.Atoi(closed.Text)
	return time.Duration(ms) * time.Millisecond, err == nil
}

func (c *Client) set(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = err
	close(c.changed)
	c.changed = make(chan struct{})
}

// connected waits for a connection.
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
