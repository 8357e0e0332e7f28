package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

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

// write does not ask which conversation it is: one queue and one writer are for all.
func (e *sqliteEngine) write(ctx context.Context, _ string, f func(*tx) error) error {
	w := &write{f: f, done: make(chan error, 1)}
	if err := e.enqueue(w); err != nil {
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
	return w.result(err)
}

// result is what the caller of a write gets of its answer.
func (w *write) result(err error) error {
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

func (e *sqliteEngine) enqueue(w *write) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return errClosing()
	}
	select {
	case e.queue <- w:
		return nil
	default: // the queue is full, because the disk does not keep up: the write is refused
		e.metrics.refused.Inc()
		return refusal.After(time.Second, refusal.Busy, "The server has too much to write. Try again.")
	}
}

// writeLoop commits until the queue is closed and empty.
func (e *sqliteEngine) writeLoop() {
	for w := range e.queue {
		e.commit(w)
	}
}

// commit runs the first write and those that wait behind it in one database transaction.
func (e *sqliteEngine) commit(first *write) {
	tx := &tx{view: view{conn: e.writer, sql: sqliteDialect}, held: e.held}
	batch := make([]*write, 0, 16)
	_, err := e.writer.exec("BEGIN IMMEDIATE")
	for w := first; w != nil; w = e.next(len(batch)) {
		if !w.taken.CompareAndSwap(false, true) {
			continue // its caller has given up
		}
		batch = append(batch, w)
		if err == nil {
			w.err, err = tx.run(w.f, e.clock.now())
		}
	}
	if err == nil {
		_, err = e.writer.exec("COMMIT")
	}
	if e.held = tx.held; err != nil || e.held.tooMany() {
		e.held.forget()
	}
	if err != nil {
		e.abort(batch, err)
		return
	}
	e.troubles.worked()
	e.metrics.commits.Inc()
	e.metrics.batch.Observe(float64(len(batch)))
	if len(tx.told) > 0 {
		e.metrics.told.Add(float64(len(tx.told)))
		e.deliver(tx.told)
	}
	for _, w := range batch {
		w.done <- w.err // has room for the one answer
	}
}

// next returns a write that waits, or nil. Before it returns nil it yields once, because
// callers that were just answered are often about to write again.
func (e *sqliteEngine) next(n int) *write {
	if n >= maxBatch {
		return nil
	}
	for range 2 {
		select {
		case w := <-e.queue: // nil when closed
			return w
		default:
			runtime.Gosched()
		}
	}
	return nil
}

// abort undoes a whole batch, because the database could not be written.
func (e *sqliteEngine) abort(batch []*write, err error) {
	if _, undo := e.writer.exec("ROLLBACK"); undo != nil {
		e.log.Debug("rollback: the database had done it itself", "err", undo)
	}
	e.metrics.failed.Add(float64(len(batch)))
	e.troubles.failed(err, len(batch))
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
func (tx *tx) run(f func(*tx) error, now int64) (err, lost error) {
	if _, err := tx.conn.exec("SAVEPOINT one"); err != nil {
		return nil, err
	}
	before := len(tx.told)
	tx.begin(now)
	err = tx.try(f)
	if err != nil {
		tx.undone(before)
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
