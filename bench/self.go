package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// selfTime is how long measureSelf takes.
const selfTime = 5 * time.Second

// measureSelf measures the generator itself: the error of its latencies, and how many packets
// it can receive.
func (r *runner) measureSelf(ctx context.Context) error {
	r.steps.begin("the generator itself", selfTime)
	r.steps.detail("its latency error")
	var err error
	if r.report.Generator.ErrorUS, err = r.latencyError(ctx); err != nil {
		return err
	}
	for _, sample := range []int{1, 8} {
		r.steps.detail("its ceiling")
		rate, err := r.ceiling(ctx, sample)
		if err != nil {
			return err
		}
		if sample == 1 {
			r.report.Generator.Ceiling = rate
		} else {
			r.report.Generator.CeilingSampled = rate
		}
	}
	return nil
}

// latencyError is the latency that is measured where no server is: a publisher sends straight
// to a subscriber.
func (r *runner) latencyError(ctx context.Context) (report.Quantiles, error) {
	l, err := load.New(load.Config{Media: r.options.Media})
	if err != nil {
		return report.Quantiles{}, err
	}
	defer l.Close(ctx)
	// Both ends have the same keys, so one can decrypt what the other sends.
	if err := l.AddPair(keysOf(0)); err != nil {
		return report.Quantiles{}, err
	}
	b := &testBed{target: "the generator itself", generator: l, serverCores: 1, loadCores: r.loadCores()}
	w, err := b.measure(ctx, time.Second)
	if err != nil {
		return report.Quantiles{}, err
	}
	q := inMilliseconds(w.latency)
	return report.Quantiles{P50: q.P50 * 1000, P99: q.P99 * 1000, P999: q.P999 * 1000}, nil
}

// ceilingPeers is how many subscribers are flooded to find the ceiling.
const ceilingPeers = 200

// ceiling lets the floor flood the generator, and returns how many packets it receives per
// second of processor time.
func (r *runner) ceiling(ctx context.Context, sample int) (_ float64, err error) {
	options := r.options
	options.Sample = sample
	one := *r // the same run with another sample
	one.options = options
	b, err := one.openFloor(ctx, group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: ceilingPeers, media: r.options.Media})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.setFloor(ctx, target.FloorFlood); err != nil {
		return 0, err
	}
	if err := b.sleep(ctx, settleTime); err != nil {
		return 0, err
	}
	b.generator.Received()
	before, err := target.ReadUsage(os.Getpid())
	if err != nil {
		return 0, err
	}
	if err := b.sleep(ctx, time.Second); err != nil {
		return 0, err
	}
	c, _ := b.generator.Received()
	after, err := target.ReadUsage(os.Getpid())
	if err != nil {
		return 0, err
	}
	if c.Packets == 0 {
		return 0, fmt.Errorf("nothing of the flood arrived")
	}
	if sample == 1 && c.Undecryptable > c.Packets/10 {
		return 0, fmt.Errorf("%d of %d packets of the flood could not be decrypted", c.Undecryptable, c.Packets)
	}
	return float64(c.Packets) / (after.Total - before.Total).Seconds(), nil
}
