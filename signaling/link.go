package signaling

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/wire"
)

// transport carries frames to one client: a WebSocket or a call's data channel. Only the
// link's writer calls write and finish.
type transport interface {
	write(batch []item) error // bounded by a deadline
	finish(code int, reason string)
	abort() // from any goroutine: makes reads and writes fail
}

// link is one way in for one tab: its WebSocket, or its data channel in a call. Frames go
// out in the order in which they were pushed. An idle link costs the goroutine that reads
// it and nothing else; a writer exists while there is something to write.
type link struct {
	// Fixed at construction.
	server    *Server
	transport transport
	address   netip.Addr
	channel   bool // a data channel
	since     time.Time
	done      chan struct{} // closed when the reader has ended

	// Set once by hello, before the link is in a hub; read by everyone after.
	user  chat.User
	tab   call.Seat
	hub   *hub
	log   *slog.Logger
	lanes [lanes]lane

	// Owned by the reader.
	limits linkLimits

	// Wakes whoever waits for room in the queue.
	drained chan struct{}

	mu       sync.Mutex
	queue    queue
	writing  bool
	closed   bool // nothing more is taken into the queue
	code     int  // with which the writer closes when the queue is empty
	reason   string
	vitals   vitals
	timer    *time.Timer
	issuedAt time.Time // of the token
	legs     []string  // that this tab holds in calls
	follow   follow
	isSynced bool // everything missed before hello has been sent
	watched  []string
	listed   bool // has asked for its sessions and hears when they change
	away     bool
	replaced bool // a newer link of the same tab took its place
	kicked   bool
}

func newLink(s *Server, t transport, address netip.Addr, channel bool) *link {
	now := time.Now()
	l := &link{
		server: s, transport: t, address: address, channel: channel, since: now,
		log:     s.log,
		done:    make(chan struct{}),
		drained: make(chan struct{}, 1),
		limits:  newLinkLimits(s.cfg.Rates.Frames),
		queue:   queue{limit: s.cfg.QueueBytes, maxAge: seconds(s.cfg.QueueSeconds)},
		vitals:  vitals{every: seconds(s.cfg.PingSeconds), answer: seconds(s.cfg.PongSeconds)},
	}
	if !channel {
		l.mu.Lock() // the timer may run at once
		defer l.mu.Unlock()
		l.vitals.helloBy = now.Add(seconds(s.cfg.HelloSeconds))
		l.timer = time.AfterFunc(seconds(s.cfg.HelloSeconds), l.tick)
	}
	return l
}

// push queues a frame. It never waits: a tab that is too slow is closed, and reads what
// it missed from the log when it is back.
func (l *link) push(f *frame, c class, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pushLocked(item{frame: f, class: c, key: key})
}

func (l *link) pushLocked(it item) {
	if l.closed {
		return
	}
	it.at = time.Now()
	m := l.server.metrics
	dropped, merged, ok := l.queue.push(it)
	if dropped > 0 {
		m.dropped.WithLabelValues("ephemeral").Add(float64(dropped))
	}
	if merged > 0 {
		m.dropped.WithLabelValues("merged").Add(float64(merged))
	}
	if !ok {
		m.dropped.WithLabelValues("slow").Add(float64(l.queue.drop()))
		l.closeLocked(wire.CloseSlow, "read faster")
		return
	}
	l.wakeLocked()
}

// close ends the link after what is queued, with a close code that tells the client
// whether to come back.
func (l *link) close(code int, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeLocked(code, reason)
}

func (l *link) closeLocked(code int, reason string) {
	if l.closed {
		return
	}
	l.closed, l.code, l.reason = true, code, reason
	l.server.metrics.closes.WithLabelValues(closeLabel(code)).Inc()
	// The client may not answer the close, and the writer may be stuck in front of it.
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = time.AfterFunc(seconds(l.server.cfg.FrameSeconds), l.transport.abort)
	l.wakeLocked()
}

func (l *link) wakeLocked() {
	if !l.writing {
		l.writing = true
		l.server.work.Go(l.write)
	}
}

// batchBytes is how much the writer joins into one message.
const batchBytes = 32 << 10

func (l *link) write() {
	var batch []item
	for {
		l.mu.Lock()
		batch = l.queue.take(batch[:0], batchBytes)
		if len(batch) == 0 {
			l.writing = false
			closed, code, reason := l.closed, l.code, l.reason
			l.mu.Unlock()
			if closed && code != 0 {
				l.transport.finish(code, reason)
			}
			return
		}
		l.mu.Unlock()
		err := l.transport.write(refresh(batch))
		l.server.metrics.framesOut.Add(float64(len(batch)))
		clear(batch)
		select {
		case l.drained <- struct{}{}:
		default: // it was told already
		}
		if err != nil {
			l.fail()
			return
		}
	}
}

// fail ends a link that can no longer be written.
func (l *link) fail() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		l.server.metrics.closes.WithLabelValues("lost").Inc()
	}
	l.queue.drop()
	l.writing = false
	l.mu.Unlock()
	l.transport.abort()
}

// refresh encodes events again that had to wait: rings count from their age.
func refresh(batch []item) []item {
	now := time.Now()
	for i, it := range batch {
		if it.frame.event && now.Sub(it.at) > stale {
			batch[i].frame = it.frame.older(now)
		}
	}
	return batch
}

var pingFrame = notification(wire.NotePing, wire.Empty{})

// tick runs when vitals wanted to be asked again.
func (l *link) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	now := time.Now()
	do, next := l.vitals.due(now)
	switch do {
	case sendPing:
		l.pushLocked(item{frame: pingFrame, class: durable})
	case helloLate:
		l.closeLocked(wire.CloseNoHello, "say hello")
	case pongLate:
		l.closeLocked(wire.CloseNoPong, "answer pings")
	case tokenOver:
		l.closeLocked(wire.CloseTokenExpired, "the token has expired")
	}
	l.rearmLocked(now, next)
}

func (l *link) rearmLocked(now, next time.Time) {
	if !l.closed && l.timer != nil && !next.IsZero() {
		l.timer.Reset(max(next.Sub(now), 0))
	}
}

// change edits the vitals and asks them when to look again.
func (l *link) change(edit func(v *vitals, now time.Time)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	edit(&l.vitals, now)
	l.rearmLocked(now, l.vitals.next())
}

// ended is called by the reader as its last act.
func (l *link) ended() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		l.server.metrics.closes.WithLabelValues("client").Inc()
	}
	l.queue.drop()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.transport.abort()
	close(l.done)
}
