package signaling

// follow keeps one link's place in its user's log. Events reach a link in order and
// without a gap, whichever of bell and log brings them. It decides; the link sends.
type follow struct {
	phase  phase
	sent   int64 // highest offset that went into the queue
	newest int64 // highest offset that exists, as far as heard
	acked  int64 // highest offset that this device said it has stored
	again  bool  // bells were lost while reading: read once more at the end
}

type phase uint8

const (
	greeting phase = iota // hello is being answered: bells are only noted
	reading               // the log is being read up to newest
	live                  // the bell's own event is enough
	muted                 // a data channel whose tab has a synced socket
)

type step uint8

const (
	skip    step = iota // sent already, or will be read
	send                // the next one
	readLog             // some are missing: start to read
)

// bell says what to do with an event of which the bell told.
func (f *follow) bell(offset int64) step {
	f.newest = max(f.newest, offset)
	if f.phase != live || offset <= f.sent {
		return skip
	}
	if offset == f.sent+1 {
		f.sent = offset
		return send
	}
	f.phase = reading
	return readLog
}

// gap says that bells may have been lost. It returns whether to start to read.
func (f *follow) gap() bool {
	if f.phase != live {
		f.again = true
		return false
	}
	f.phase = reading
	return true
}

// start begins after offset, with a first read of the log.
func (f *follow) start(offset int64) {
	f.phase, f.sent, f.acked = reading, offset, offset
}

// atEnd is called when the log had nothing beyond sent. It returns whether the link is
// live now; else a bell came meanwhile and the log must be read again.
func (f *follow) atEnd() bool {
	if f.phase == reading && f.newest <= f.sent && !f.again {
		f.phase = live
	}
	f.again = false
	return f.phase != reading
}
