package store

import (
	"context"
	"errors"
	"runtime"
	"time"

	"carillon/refusal"
)

const (
	maxTogether = 64 // writes to one conversation in one transaction
	repeats     = 10 // of a transaction that fails because of others
)

// queue is the writes to one conversation that wait, in order. A goroutine writes them while there
// are any.
type queue struct {
	waiting []*write // under mu of the engine
	pause   int      // owned by run: batches to be taken without waiting for more
}

// gatherTurns is how often a queue lets others run before it takes a batch, while callers whom it has
// just answered have not come back; when they do not, it does not wait for them the next gatherPause
// times.
const (
	gatherTurns = 300
	gatherPause = 4
)

func (e *postgresEngine) write(ctx context.Context, conversation string, w *write) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.wg.Done()
	defer e.waiting.Add(-1)
	if e.waiting.Add(1) > e.most { // the database does not keep up: the write is refused
		e.metrics.refused.Inc()
		return refusal.After(time.Second, refusal.Busy, "The server has too much to write. Try again.")
	}
	if conversation == "" {
		w.taken.Store(true)
		e.commit([]*write{w})
		return w.result(<-w.done)
	}
	e.enqueue(conversation, w)
	select {
	case err := <-w.done:
		return w.result(err)
	case <-ctx.Done():
		if w.taken.CompareAndSwap(false, true) {
			return ctx.Err() // the queue will leave it out
		}
		return w.result(<-w.done) // it runs already, so wait for its result
	}
}

func (e *postgresEngine) enqueue(conversation string, w *write) {
	e.mu.Lock()
	defer e.mu.Unlock()
	q := e.queues[conversation]
	if q != nil {
		q.waiting = append(q.waiting, w)
		return
	}
	q = &queue{waiting: []*write{w}}
	e.queues[conversation] = q
	e.wg.Go(func() { e.run(conversation, q) }) // whoever waits for w is in wg already
}

// run commits what waits in a conversation's queue until nothing does.
func (e *postgresEngine) run(conversation string, q *queue) {
	answered := 0
	for {
		e.gather(q, answered)
		e.mu.Lock()
		n := min(len(q.waiting), maxTogether)
		batch := q.waiting[:n:n]
		q.waiting = q.waiting[n:]
		if n == 0 {
			delete(e.queues, conversation)
		}
		e.mu.Unlock()
		if n == 0 {
			return
		}
		taken := batch[:0]
		for _, w := range batch {
			if w.taken.CompareAndSwap(false, true) { // else its caller has given up
				taken = append(taken, w)
			}
		}
		if answered = len(taken); answered > 0 {
			e.commit(taken)
		}
	}
}

// gather lets callers come who were just answered: where many write to a conversation at once, they
// are about to write again, and a transaction of more of them costs each of them less. It does not
// sleep, which would take longer.
func (e *postgresEngine) gather(q *queue, answered int) {
	expected := e.waitingIn(q) + answered
	runtime.Gosched()
	if answered < 2 {
		return
	}
	if q.pause > 0 {
		q.pause--
		return
	}
	for range gatherTurns {
		if e.waitingIn(q) >= expected {
			return
		}
		runtime.Gosched()
	}
	q.pause = gatherPause
}

func (e *postgresEngine) waitingIn(q *queue) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(q.waiting)
}

// commit runs writes in one transaction. When that fails as a whole, each of them gets its own.
func (e *postgresEngine) commit(batch []*write) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	if len(batch) > 1 && e.together(ctx, batch) {
		return
	}
	for _, w := range batch {
		w.done <- e.alone(ctx, w) // has room for the one answer
	}
}

// together runs writes in one transaction, and answers them if that is possible.
func (e *postgresEngine) together(ctx context.Context, batch []*write) bool {
	c, err := e.take(ctx)
	if err != nil {
		return false
	}
	defer c.giveBack()
	tx := &tx{view: view{conn: c, sql: postgresDialect}, together: true}
	c.later("BEGIN")
	for part, f := range parts(batch) {
		tx.begin(e.clock.now())
		if !tx.part(c, part, f) {
			return false
		}
	}
	if _, err := c.exec("COMMIT"); err != nil {
		return false // each is tried again; what was committed after all is found there
	}
	e.committed(tx, len(batch))
	for _, w := range batch {
		w.done <- w.err
	}
	return true
}

// part runs a part of a batch, see parts. It returns false if the whole transaction is lost.
func (tx *tx) part(c *postgresConn, part []*write, f func(*tx) error) bool {
	if part[0].sending != nil { // they refuse each other nothing, so that there is nothing to undo
		return tx.try(f) == nil
	}
	told, sent, waiting := len(tx.told), c.sent, len(c.waiting)
	c.later("SAVEPOINT one")
	w := part[0]
	w.err = tx.try(f)
	switch {
	case c.failed != nil, errors.Is(w.err, errAlone):
		return false
	case w.err != nil && c.sent == sent: // nothing of it was sent
		c.waiting = c.waiting[:waiting]
		tx.undone(told)
	case w.err != nil:
		c.later("ROLLBACK TO one")
		tx.undone(told)
	default:
		c.later("RELEASE one")
	}
	return true
}

// alone runs one write in a transaction of its own, and repeats it if others were in its way.
func (e *postgresEngine) alone(ctx context.Context, w *write) (err error) {
	for range repeats {
		var again bool
		if err, again = e.once(ctx, w); !again {
			break
		}
	}
	return err
}

func (e *postgresEngine) once(ctx context.Context, w *write) (err error, again bool) {
	c, err := e.take(ctx)
	if err != nil {
		return err, false
	}
	defer c.giveBack()
	tx := &tx{view: view{conn: c, sql: postgresDialect}}
	c.later("BEGIN")
	tx.begin(e.clock.now())
	if err = tx.try(w.f); err == nil {
		_, err = c.exec("COMMIT")
	}
	if err == nil {
		e.committed(tx, 1)
		return nil, false
	}
	if c.failed != nil {
		e.metrics.failed.Inc()
	}
	return e.typed(c, err), c.failed != nil && worthRepeating(c.failed)
}

func (e *postgresEngine) committed(tx *tx, writes int) {
	e.troubles.worked()
	e.metrics.commits.Inc()
	e.metrics.batch.Observe(float64(writes))
	if len(tx.told) > 0 {
		e.metrics.told.Add(float64(len(tx.told)))
		e.deliver(tx.told)
	}
}

// errAlone ends a write that has to have a transaction of its own, because it locks more than its
// own conversation: in a transaction with others its locks would not be in order.
var errAlone = errors.New("this write needs a transaction of its own")
