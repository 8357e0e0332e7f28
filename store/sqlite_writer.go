package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"carillon/refusal"
)

// maxBatch bounds how long the first write of a commit waits for the last: 256 messages
// take some 30 ms.
const maxBatch = 256

// write does not ask which conversation it is: one queue and one writer are for all.
func (e *sqliteEngine) write(ctx context.Context, _ string, w *write) error {
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

// commit runs the first write and those that wait behind it in one database transaction. When messages
// cannot be sent together, each of these writes gets its own.
func (e *sqliteEngine) commit(first *write) {
	tx, err := e.begin()
	batch := make([]*write, 0, 16)
	for w := first; w != nil && len(batch) < maxBatch; w = e.next() {
		waiting := e.waiting(w, maxBatch-len(batch))
		batch = append(batch, waiting...)
		for part, f := range parts(waiting) {
			if err == nil {
				err = tx.run(part, f, e.clock.now())
			}
		}
	}
	if !errors.Is(err, errTogether) {
		e.end(tx, batch, err)
		return
	}
	e.rollback()
	for _, w := range batch {
		tx, err := e.begin()
		alone := []*write{w}
		if err == nil {
			err = tx.run(alone, w.f, e.clock.now())
		}
		e.end(tx, alone, err)
	}
}

// waiting returns w and those that wait behind it, at most so many, but for those whose callers have
// given up.
func (e *sqliteEngine) waiting(w *write, most int) (list []*write) {
	for {
		if w.taken.CompareAndSwap(false, true) {
			list = append(list, w)
		}
		if len(list) == most {
			return list
		}
		if w = e.next(); w == nil {
			return list
		}
	}
}

// next returns a write that waits, or nil. Before it returns nil it yields once, because
// callers that were just answered are often about to write again.
func (e *sqliteEngine) next() *write {
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

func (e *sqliteEngine) begin() (*tx, error) {
	_, err := e.writer.exec("BEGIN IMMEDIATE")
	return &tx{view: view{conn: e.writer, sql: sqliteDialect}, held: e.held}, err
}

// end commits a batch, unless there was an error by which the whole of it is lost, and answers.
func (e *sqliteEngine) end(tx *tx, batch []*write, err error) {
	if err == nil {
		_, err = e.writer.exec("COMMIT")
	}
	if err != nil {
		e.abort(batch, err)
		return
	}
	if e.held = tx.held; e.held.tooMany() {
		e.held.forget()
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

// abort undoes a whole batch, because the database could not be written.
func (e *sqliteEngine) abort(batch []*write, err error) {
	e.rollback()
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

func (e *sqliteEngine) rollback() {
	e.held.forget()
	if _, err := e.writer.exec("ROLLBACK"); err != nil {
		e.log.Debug("rollback: the database had done it itself", "err", err)
	}
}

// errTogether says that messages that were sent together failed, not by the disk.
var errTogether = errors.New("send together")

// run runs a part of a batch, see parts. Of one write it keeps all or nothing; its error is that of the
// write. An error that run returns means that the whole transaction is lost.
func (tx *tx) run(part []*write, f func(*tx) error, now int64) error {
	before := len(tx.told)
	tx.begin(now)
	if len(part) > 1 { // they refuse each other nothing, so that there is nothing to undo
		err := tx.try(f)
		if err != nil && !diskFails(err) {
			err = fmt.Errorf("%w: %w", errTogether, err)
		}
		return err
	}
	w := part[0]
	if _, err := tx.conn.exec("SAVEPOINT one"); err != nil {
		return err
	}
	if w.err = tx.try(f); w.err != nil {
		tx.undone(before)
		if diskFails(w.err) {
			return w.err
		}
		if _, err := tx.conn.exec("ROLLBACK TO one"); err != nil {
			return fmt.Errorf("undo a write that failed with %q: %w", w.err, err)
		}
	}
	_, err := tx.conn.exec("RELEASE one")
	return err
}
