package signaling

import (
	"context"
	"sync"
	"time"

	"carillon/wire"
)

// transport carries frames to one client: a WebSocket or a call's data channel. Only the
// writer calls write and finish.
type transport interface {
	write(batch []item) error // bounded by a deadline
	finish(code int, reason string)
	abort() // from any goroutine: makes reads and writes fail
}

// outgoing is what waits for one client, and the writer that brings it there. Frames leave
// in the order in which they were pushed.
type outgoing struct {
	// Fixed at construction.
	transport transport
	server    *Server

	mu      sync.Mutex
	queue   queue
	space   chan struct{} // closed when something was taken from the queue; nil when nobody waits for that
	writing bool          // a writer runs
	closed  bool          // nothing more is taken into the queue
	code    int           // with which the writer closes when the queue is empty; zero: without a word
	reason  string        // the same
	abort   *time.Timer   // ends it when the client does not answer the close; nil while open
}

func (o *outgoing) init(t transport, s *Server) {
	o.transport, o.server = t, s
	o.queue = queue{limit: s.cfg.QueueBytes, maxAge: seconds(s.cfg.QueueSeconds)}
}

func (o *outgoing) push(it item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	it.at = time.Now()
	m := o.server.metrics
	dropped, merged, ok := o.queue.push(it)
	if dropped > 0 {
		m.dropped.WithLabelValues("ephemeral").Add(float64(dropped))
	}
	if merged > 0 {
		m.dropped.WithLabelValues("merged").Add(float64(merged))
	}
	if !ok {
		m.dropped.WithLabelValues("slow").Add(float64(o.queue.drop()))
		o.closeLocked(wire.CloseSlow, "read faster")
		return
	}
	o.wakeLocked()
}

func (o *outgoing) close(code int, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closeLocked(code, reason)
}

func (o *outgoing) closeLocked(code int, reason string) {
	if o.closed {
		return
	}
	o.closed, o.code, o.reason = true, code, reason
	o.tellSpaceLocked()
	o.server.metrics.closes.WithLabelValues(closeLabel(code)).Inc()
	// The client may not answer the close, and the writer may be stuck in front of it.
	o.abort = time.AfterFunc(seconds(o.server.cfg.FrameSeconds), o.transport.abort)
	o.wakeLocked()
}

func (o *outgoing) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// waitForSpace waits until the queue is at most half full; if it has to, it first calls waits. It
// returns false when the connection has ended first; one that takes nothing for too long is closed.
func (o *outgoing) waitForSpace(ctx context.Context, waits func()) bool {
	for {
		space, open := o.spaceSoon()
		if space == nil || !open {
			return open
		}
		waits()
		timer := time.NewTimer(o.queue.maxAge)
		select {
		case <-space:
		case <-timer.C:
			o.closeIfStuck(time.Now())
		case <-ctx.Done():
			o.close(wire.CloseShutdown, "0")
		}
		timer.Stop()
	}
}

// spaceSoon returns a channel that is closed when something was taken from the queue, or when the
// connection has ended; nil when the queue is at most half full. It reports whether the connection
// is open.
func (o *outgoing) spaceSoon() (space <-chan struct{}, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.queue.bytes <= o.queue.limit/2 {
		return nil, !o.closed
	}
	if o.space == nil {
		o.space = make(chan struct{})
	}
	return o.space, true
}

func (o *outgoing) closeIfStuck(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.queue.empty() && !o.queue.inTime(now) {
		o.closeLocked(wire.CloseSlow, "read faster")
	}
}

func (o *outgoing) tellSpaceLocked() {
	if o.space != nil {
		close(o.space)
		o.space = nil
	}
}

func (o *outgoing) wakeLocked() {
	if !o.writing {
		o.writing = true
		o.server.work.Go(o.write)
	}
}

// batchBytes is how much the writer joins into one message.
const batchBytes = 32 << 10

func (o *outgoing) write() {
	var batch []item
	for {
		o.mu.Lock()
		batch = o.queue.take(batch[:0], batchBytes, time.Now())
		o.tellSpaceLocked()
		if len(batch) == 0 {
			o.writing = false
			closed, code, reason := o.closed, o.code, o.reason
			o.mu.Unlock()
			if closed && code != 0 {
				o.transport.finish(code, reason)
			}
			return
		}
		o.mu.Unlock()
		err := o.transport.write(refresh(batch))
		o.server.metrics.framesOut.Add(float64(len(batch)))
		clear(batch)
		if err != nil {
			o.lost()
			return
		}
	}
}

// lost ends what can no longer be written.
func (o *outgoing) lost() {
	o.mu.Lock()
	if !o.closed {
		o.closed = true
		o.server.metrics.closes.WithLabelValues("lost").Inc()
	}
	o.queue.drop()
	o.tellSpaceLocked()
	o.writing = false
	o.mu.Unlock()
	o.transport.abort()
}

// end is called when the client reads no more.
func (o *outgoing) end() {
	o.mu.Lock()
	if !o.closed {
		o.closed = true
		o.server.metrics.closes.WithLabelValues("client").Inc()
	}
	o.queue.drop()
	o.tellSpaceLocked()
	if o.abort != nil {
		o.abort.Stop()
	}
	o.mu.Unlock()
	o.transport.abort()
}

// refresh encodes again what had to wait, when the times in it count from its age.
func refresh(batch []item) []item {
	now := time.Now()
	for i, it := range batch {
		if waited := now.Sub(it.at); it.frame.aged && waited > stale {
			batch[i].frame = it.frame.older(waited)
		}
	}
	return batch
}
