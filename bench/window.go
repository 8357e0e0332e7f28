package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// window is what was seen in one stretch of time.
type window struct {
	length  time.Duration
	counts  load.Counts
	latency *load.Histogram // from the publisher to a subscriber
	late    load.Histogram  // by which packets left after their time
	sent    uint64          // by all publishers
	starved int             // subscribers that received nothing
	owed    float64         // packets that all subscribers together should have got; 0: unknown

	consumption
	instructions float64 // of the server, per packet, counted after the window; 0: unknown
	jitter       report.Spread
	limited      string // one of report.LimitedBy…
}

// Media flows for at least settleTime before a window begins, because of the first key frame,
// the server's estimate of bandwidth, and caches. It then flows until packets come at nearly
// the rate that was seen before, for at most settleTimeout; before the first window, for all
// of that.
const (
	settleTime    = 150 * time.Millisecond
	settleTimeout = 1200 * time.Millisecond
	settleStep    = 100 * time.Millisecond
)

// measure lets the publishers send, waits until packets come at a steady rate, and measures
// one window of this length.
func (b *testBed) measure(ctx context.Context, length time.Duration) (w window, err error) {
	b.generator.Run()
	defer b.generator.Pause()
	if err := b.settle(ctx); err != nil {
		return w, err
	}
	w.consumption, err = b.measureConsumption(ctx, func() error {
		b.generator.Received()
		b.generator.Sent()
		b.generator.Starved()
		began := time.Now()
		if err := b.sleep(ctx, length); err != nil {
			return err
		}
		w.counts, w.latency = b.generator.Received()
		w.late, w.sent = b.generator.Sent()
		w.length = time.Since(began)
		return nil
	})
	if err != nil {
		return w, err
	}
	w.starved = b.generator.Starved()
	w.jitter = report.SpreadOf(b.generator.Jitter())
	b.bestRate = max(b.bestRate, w.packetRate())
	if !w.repacked() {
		w.owed = float64(w.sent) * b.copies
	}
	w.limited = judge(w, b.serverCores, b.loadCores)
	if err := b.verify(w); err != nil {
		return w, err
	}
	w.instructions, err = b.countInstructions(ctx)
	return w, err
}

// countInstructions returns how many instructions the server executes per packet that arrives;
// 0: they cannot be counted. It does so after the window, because counting slows a virtual
// machine down.
func (b *testBed) countInstructions(ctx context.Context) (perPacket float64, err error) {
	if b.countFor == 0 || b.pid == 0 || b.countError != nil {
		return 0, nil
	}
	c, err := target.CountInstructions(b.pid)
	if err != nil {
		b.countError = err
		return 0, b.targetDied()
	}
	defer func() { b.countError = errors.Join(b.countError, c.Close()) }()
	b.generator.Received()
	if err := b.sleep(ctx, b.countFor); err != nil {
		return 0, err
	}
	executed, err := c.Read()
	arrived, _ := b.generator.Received()
	if err != nil || arrived.Packets == 0 {
		b.countError = err
		return 0, nil
	}
	return float64(executed) / float64(arrived.Packets), nil
}

// settle waits until packets come at a steady rate.
func (b *testBed) settle(ctx context.Context) error {
	if err := b.sleep(ctx, settleTime); err != nil {
		return err
	}
	for waited := settleTime; waited < settleTimeout; waited += settleStep {
		b.generator.Received()
		if err := b.sleep(ctx, settleStep); err != nil {
			return err
		}
		c, _ := b.generator.Received()
		if rate := float64(c.Packets) / settleStep.Seconds(); b.bestRate > 0 && rate >= 0.85*b.bestRate {
			return nil
		}
	}
	return nil
}

// verify is an error if the server forwards nothing, or what cannot be decrypted.
func (b *testBed) verify(w window) error {
	if w.counts.Packets == 0 {
		return fmt.Errorf("target %s forwards nothing: %d packets were sent in %s and none came back", b.target, w.sent, w.length.Round(time.Millisecond))
	}
	if w.counts.Undecryptable > w.counts.Opened {
		return fmt.Errorf("target %s sends packets that cannot be decrypted (%d of %d)", b.target, w.counts.Undecryptable, w.counts.Undecryptable+w.counts.Opened)
	}
	return nil
}
