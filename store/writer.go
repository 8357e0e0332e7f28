package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"carillon/chat"
	"carillon/refusal"
)

// maxBatch bounds how long the first write of a commit waits for the last: 256 messages
// take some 30 ms.
const maxBatch = 256

// write is one transaction on its way through the writer.
type write struct {
	f     func(*tx) error
	taken atomic.Bool // the writer runs it, or its caller has given up
	err   error       // of f; owned by writeLoop until done
	done  chan error  // holds the one answer
}

// Write runs f in a transaction of its own. When it returns nil, everything f did is on
// disk; otherwise nothing is kept. It refuses with refusal.Busy when too many wait. If f
// panics, nothing is kept either, and Write panics in the goroutine that called it.
func (s *Store) Write(ctx context.Context, f func(chat.Tx) error) error {
	return s.write(ctx, func(tx *tx) error { return f(tx) })
}

func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	w := &write{f: f, done: make(chan error, 1)}
	if err := s.enqueue(w); err != nil {
		return err
	}
	var err error
	select {
	case err = <-w.done:
	case <-ctx.Done():
		if w.taken.CompareAndSwap(false, true) {
			return ctx.Err() // the writer will leave it out
		}
		err = <-w.done // it runs already, so wait for its result
	}
	if p, ok := errors.AsType[*panicked](err); ok {
		panic(p)
	}
	return err
}

// panicked is the panic of one write on its way from writeLoop to the caller.
type panicked struct {
	value any
	stack []byte // in writeLoop
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

func (s *Store) enqueue(w *write) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosing()
	}
	select {
	case s.queue <- w:
		return nil
	default: // the queue is full, because the disk does not keep up: the write is refused
		s.metrics.refused.Inc()
		return refusal.After(time.Second, refusal.Busy, "The server has too much to write. Try again.")
	}
}

// writeLoop commits until the queue is closed and empty.
func (s *Store) writeLoop() {
	for w := range s.queue {
		s.commit(w)
	}
}

// commit runs the first write and those that wait behind it in one database transaction.
func (s *Store) commit(first *write) {
	tx := &tx{view: view{s.writer}, logEvents: int64(s.cfg.LogEvents)}
	batch := make([]*write, 0, 16)
	_, err := s.writer.exec("BEGIN IMMEDIATE")
	for w := first; w != nil; w = s.next(len(batch)) {
		if !w.taken.CompareAndSwap(false, true) {
			continue // its caller has given up
		}
		batch = append(batch, w)
		if err == nil {
			w.err, err = tx.run(w.f)
		}
	}
	if err == nil {
		_, err = s.writer.exec("COMMIT")
	}
	if err != nil {
		s.abort(batch, err)
		return
	}
	s.metrics.commits.Inc()
	s.metrics.batch.Observe(float64(len(batch)))
	if len(tx.events) > 0 {
		s.metrics.events.Add(float64(len(tx.events)))
		s.deliver(tx.events)
	}
	for _, w := range batch {
		w.done <- w.err // has room for the one answer
	}
}

// next returns a write that waits, or nil. Before it returns nil it yields once, because
// callers that were just answered are often about to write again.
func (s *Store) next(n int) *write {
	if n >= maxBatch {
		return nil
	}
	for range 2 {
		select {
		case w := <-s.queue: // nil when closed
			return w
		default:
			runtime.Gosched()
		}
	}
	return nil
}

// abort undoes a whole batch, because the database could not be written.
func (s *Store) abort(batch []*write, err error) {
	if _, undo := s.writer.exec("ROLLBACK"); undo != nil {
		s.log.Debug("rollback: the database had done it itself", "err", undo)
	}
	s.metrics.failed.Add(float64(len(batch)))
	s.log.Error("database cannot be written", "writes", len(batch), "err", err)
	for _, w := range batch {
		if _, known := refusal.Of(w.err); known {
			w.done <- w.err // it was refused for a reason that has nothing to do with the disk
			continue
		}
		w.done <- errStorage()
	}
}

// run keeps all that f does, or nothing. The first error is that of f; the second one means
// that the whole transaction is lost.
func (tx *tx) run(f func(*tx) error) (err, lost error) {
	if _, err := tx.conn.exec("SAVEPOINT one"); err != nil {
		return nil, err
	}
	before := len(tx.events)
	tx.written = 0
	err = tx.try(f)
	if err != nil {
		tx.events = tx.events[:before]
		if diskFails(err) {
			return nil, err
		}
		if _, undo := tx.conn.exec("ROLLBACK TO one"); undo != nil {
			return err, fmt.Errorf("undo a write that failed with %q: %w", err, undo)
		}
	}
	_, lost = tx.conn.exec("RELEASE one")
	return err, lost
}

// try makes an error of a panic, so that it ends one write and not the writer.
func (tx *tx) try(f func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
	}()
	return f(tx)
}

// diskFails reports whether the database could not do its work at all: the disk is full,
// fails, or is not there.
func diskFails(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff { // the primary code
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_BUSY:
		return true
	}
	return false
}

func errStorage() error {
	return refusal.After(5*time.Second, refusal.StorageFailed, "The server cannot write to its disk. Nothing was changed. Try again later.")
}
