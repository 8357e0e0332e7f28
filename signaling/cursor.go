package signaling

import "sync"

// position is where one connection stands in its user's log.
type position struct {
	mu     sync.Mutex // held while what the cursor says is queued, so that events leave in order; taken before the lock of outgoing
	cursor cursor
	synced bool // everything that was missed before hello has been sent
}

func (p *position) acked() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cursor.acked
}

// cursor says how far one connection has read its user's log. Events reach it in order and
// without a gap, whether an envelope or the log brings them. The cursor decides; the
// connection sends.
type cursor struct {
	phase  phase
	sent   int64 // highest offset that went into the queue
	newest int64 // highest offset that exists, as far as heard
	acked  int64 // highest offset that this device said it has stored
	again  bool  // envelopes were lost while reading: read once more at the end
}

// phase of a cursor.
type phase uint8

const (
	greeting phase = iota // hello is being answered: announced offsets are only remembered, until the log is read
	reading               // the log is being read; this ends when there is nothing beyond sent and nothing newer was announced
	live                  // all is sent, and the event in the next envelope is enough; this ends at the first that is missing
	standby               // a data channel whose tab has a synced WebSocket: nothing is sent; this ends with that WebSocket
)

// step is what to do about an event that was announced.
type step uint8

const (
	skip    step = iota // it was sent already, or will be read
	send                // it is the next one
	readLog             // some are missing: start to read
)

// announced says what to do about an event whose envelope came.
func (c *cursor) announced(offset int64) step {
	c.newest = max(c.newest, offset)
	if c.phase != live || offset <= c.sent {
		return skip
	}
	if offset == c.sent+1 {
		c.sent = offset
		return send
	}
	c.phase = reading
	return readLog
}

// lost says that envelopes may have been lost. It returns whether to start to read.
func (c *cursor) lost() bool {
	if c.phase != live {
		c.again = true
		return false
	}
	c.phase = reading
	return true
}

// start begins after offset, with a first read of the log.
func (c *cursor) start(offset int64) {
	c.phase, c.sent, c.acked = reading, offset, offset
}

// atEnd is called when the log had nothing beyond sent. It returns whether to stop
// reading; else a newer event was announced meanwhile and the log must be read again.
func (c *cursor) atEnd() bool {
	if c.phase == reading && c.newest <= c.sent && !c.again {
		c.phase = live
	}
	c.again = false
	return c.phase != reading
}
