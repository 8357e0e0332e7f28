package signaling

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"sync"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// laneID names a lane. A connection's requests run in lanes, each in order and one at a
// time. Those that concern calls have their own, so that a message need not wait for an
// SDP exchange, and so have marks, which wait to be stored with those of others, and looks at links,
// which wait for servers of strangers.
type laneID int

const (
	chatLane laneID = iota
	callLane
	markLane
	lookLane
	lanes = 4
)

// request waits in a lane.
type request struct {
	id     *int64
	name   string
	method method
	params json.RawMessage
}

// lane runs requests in order. Its goroutine exists while it has some.
type lane struct {
	mu      sync.Mutex
	waiting []request
	running bool
}

const (
	laneLength  = 64               // requests that may wait in a lane; more are refused
	requestTime = 15 * time.Second // for one request
)

func (q *lane) add(c *connection, r request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= laneLength {
		return false
	}
	q.waiting = append(q.waiting, r)
	if !q.running {
		q.running = true
		c.server.work.Go(func() { q.run(c) })
	}
	return true
}

func (q *lane) run(c *connection) {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.running, q.waiting = false, nil
			q.mu.Unlock()
			return
		}
		r := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		c.out.waitForSpace(c.server.requests, func() {}) // so that no answer is what closes the tab; one that has left is served all the same
		c.perform(r)
	}
}

// perform runs one request and answers it. What writes goes on although the client has left:
// what it asked for may have been a message.
func (c *connection) perform(r request) {
	if c.signedOut.Load() {
		return
	}
	if r.method.limit == reads {
		if c.out.isClosed() {
			return // nobody would get the answer
		}
		end, err := c.server.beginRead(c.payer)
		if err != nil {
			refused, _ := refusal.Of(err)
			c.refuse(r.id, refused)
			return
		}
		defer end()
	}
	start := time.Now()
	ctx, cancel := c.server.timeout(requestTime)
	defer cancel()
	reply, err := c.try(limit.PaidBy(ctx, c.payer), r)
	c.server.metrics.requests.WithLabelValues(r.name).Observe(time.Since(start).Seconds())
	switch {
	case err != nil:
		refused, known := refusal.Of(err)
		if !known {
			c.log.Error("request", "method", r.name, "err", err)
		}
		c.refuse(r.id, refused)
	case r.id != nil:
		c.push(result(r.id, reply.value), answer, "")
		if reply.after != nil {
			reply.after()
		}
	}
}

// try keeps a mistake of ours in one request from ending everyone's calls.
func (c *connection) try(ctx context.Context, r request) (answer reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("request panicked", "method", r.name, "panic", p, "stack", string(debug.Stack()))
			answer, err = reply{}, refusal.New(refusal.Internal, "Something went wrong on the server. Try again.")
		}
	}()
	return r.method.run(ctx, c, r.params)
}
