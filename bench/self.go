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

// selfTakes is how long measureSelf takes.
const selfTakes = 5 * time.Second

// measureSelf finds the generator's own error and ceiling, before it judges others.
func (r *runner) measureSelf(ctx context.Context) error {
	r.steps.begin("the generator itself", selfTakes)
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

// latencyError is what we would report for a server that takes no time: a publisher
// that sends to one of our own subscribers.
func (r *runner) latencyError(ctx context.Context) (report.Quantiles, error) {
	l, err := load.New(load.Config{Media: r.options.Media})
	if err != nil {
		return report.Quantiles{}, err
	}
	defer l.Close(ctx)
	// Both ends have the same keys, so what one seals the other opens.
	if err := l.AddPair(keysOf(0)); err != nil {
		return report.Quantiles{}, err
	}
	b := &bed{target: "the generator itself", load: l, cores: 1, generator: r.loadCores()}
	w, err := b.measure(ctx, time.Second)
	if err != nil {
		return report.Quantiles{}, err
	}
	q := inMilliseconds(w.latency)
	return report.Quantiles{P50: q.P50 * 1000, P99: q.P99 * 1000, P999: q.P999 * 1000}, nil
}

// ceilingPeers is the fan-out at which the ceiling is found.
const ceilingPeers = 200

// ceiling floods us and counts what we can take in, per second of one core.
func (r *runner) ceiling(ctx context.Context, sample int) (_ float64, err error) {
	options := r.options
	options.Sample = sample
	one := *r
	one.options = options
	b, err := one.openFloor(ctx, group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: ceilingPeers, media: r.options.Media})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.setFloor(ctx, target.FloorFlood); err != nil {
		return 0, err
	}
	if err := b.sleep(ctx, settle); err != nil {
		return 0, err
	}
	b.load.Received()
	before, err := target.ReadUsage(os.Getpid())
	if err != nil {
		return 0, err
	}
	if err := b.sleep(ctx, time.Second); err != nil {
		return 0, err
	}
	c, _ := b.load.Received()
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
