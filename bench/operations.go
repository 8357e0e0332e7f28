package bench

import (
	"context"
	"sync"
	"time"

	"carillon/bench/load"
)

// operations is a load of single actions: messages, or calls.
type operations struct {
	rate   float64 // operations per second
	fanout int     // deliveries that each operation should cause
	// do begins operation n. What it causes is added to the tally. It must not wait for an
	// answer, since the next operation follows on schedule.
	do func(ctx context.Context, n int, scheduled time.Time) error
}

// tally counts deliveries. Any goroutine may add to it.
type tally struct {
	mu        sync.Mutex
	delivered uint64
	latency   load.Histogram
}

func (t *tally) add(latency time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delivered++
	t.latency.Add(int64(latency))
}

func (t *tally) count() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.delivered
}

func (t *tally) take() (uint64, load.Histogram) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, h := t.delivered, t.latency
	t.delivered, t.latency = 0, load.Histogram{}
	return n, h
}

// lateDeliveryTimeout is how long a window waits for deliveries after its last operation.
const lateDeliveryTimeout = time.Second

// operate measures one window in an open loop: operations begin on schedule, whether or not
// earlier ones are done.
func (b *testBed) operate(ctx context.Context, o operations, t *tally, length time.Duration) (w window, err error) {
	begun := 0
	var want uint64
	w.consumption, err = b.measureConsumption(ctx, func() error {
		t.take()
		began := time.Now()
		for {
			due := began.Add(time.Duration(float64(begun) / o.rate * float64(time.Second)))
			if due.Sub(began) >= length {
				break
			}
			if d := time.Until(due); d > 0 {
				if err := b.sleep(ctx, d); err != nil {
					return err
				}
			}
			w.late.Add(int64(time.Since(due)))
			if err := o.do(ctx, begun, due); err != nil {
				return err
			}
			begun++
		}
		w.length = time.Since(began)
		want = uint64(begun * o.fanout)
		waitFor(ctx, lateDeliveryTimeout, func() bool { return t.count() >= want })
		return nil
	})
	if err != nil {
		return w, err
	}
	delivered, latency := t.take()
	w.latency = &latency
	w.sent = uint64(begun)
	w.counts = load.Counts{Packets: delivered, Fresh: delivered, Expected: want}
	w.limited = judge(w, b.serverCores, b.loadCores)
	return w, b.verify(w)
}

// repeat measures all windows of a row of operations.
func (r *runner) repeat(ctx context.Context, b *testBed, o operations, t *tally) error {
	if _, err := b.operate(ctx, o, t, settleTime); err != nil { // to warm up connections and prepared statements
		return err
	}
	for range r.options.Rounds {
		w, err := b.operate(ctx, o, t, r.options.Window)
		if err != nil {
			return err
		}
		b.windows = append(b.windows, w)
	}
	return nil
}

// addRow adds a row that has no floor to be compared with.
func (r *runner) addRow(g group, b *testBed, note string) {
	row, refused := rowOf(g, b, nil)
	if refused != nil {
		r.report.Refused = append(r.report.Refused, *refused)
		return
	}
	good, _ := trusted(b.windows)
	row.Operations = over(good, func(w window) float64 { return float64(w.sent) / w.length.Seconds() }).Median
	row.WritesPer, row.BatchSize = -1, -1 // the target counts its media socket, which this row does not use
	if row.Note == "" {
		row.Note = note
	}
	r.report.Rows = append(r.report.Rows, row)
}

// waitFor polls a condition, for at most limit.
func waitFor(ctx context.Context, limit time.Duration, ready func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
