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

// rampMost is where a ramp ends even if the server takes more.
const rampMost = 4000

// ramps finds each target's limit: doubling, then halving the interval.
func (r *runner) ramps(ctx context.Context) error {
	r.steps = newSteps(r.options.Progress)
	const takes = 40 * time.Second
	r.steps.plan(selfTakes)
	for range r.targets {
		r.steps.plan(takes)
	}
	if err := r.measureSelf(ctx); err != nil {
		return fmt.Errorf("measure the generator itself: %w", err)
	}
	for _, t := range r.targets {
		r.steps.begin("ramp of "+t.Name, takes)
		result, err := r.ramp(ctx, t)
		if result.Subscribers > 0 || err == nil {
			r.report.Ramps = append(r.report.Ramps, result)
		}
		if err != nil {
			return fmt.Errorf("ramp of %s: %w", t.Name, err)
		}
	}
	return nil
}

func (r *runner) ramp(ctx context.Context, t target.Spec) (best report.Ramp, err error) {
	best.Target = t.Name
	first := r.options.Subscribers[0]
	g := group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: first, media: r.options.Media}
	b, err := r.open(ctx, g, t)
	if b != nil {
		defer func() { err = errors.Join(err, b.close()) }()
	}
	if err != nil {
		return best, err
	}
	good, bad, at := 0, 0, first
	for {
		r.steps.detail(fmt.Sprintf("%d subscribers", at))
		w, verdict, err := r.bear(ctx, b, at)
		if err != nil {
			return best, err
		}
		if verdict == "" {
			good = at
			best = report.Ramp{
				Target: t.Name, Subscribers: at, Packets: w.packetRate(), CPU: w.cost(), P99MS: milliseconds(w.latency.Quantile(0.99)),
				Loss: w.loss(), LimitedBy: best.LimitedBy,
			}
		} else {
			bad, best.LimitedBy = at, verdict
		}
		switch {
		case bad == 0 && good >= rampMost:
			best.LimitedBy = "the ramp's own end"
			return best, nil
		case bad == 0:
			at = min(2*good, rampMost)
		case bad-good <= max(good/16, 1):
			return best, nil
		default:
			at = (good + bad) / 2
		}
	}
}

// bear says what keeps a target from n subscribers; "": nothing does.
func (r *runner) bear(ctx context.Context, b *bed, n int) (w window, verdict string, err error) {
	err = b.resize(ctx, n)
	if refused, ok := errors.AsType[*load.RefusedOffer](err); ok {
		return w, refused.Error(), nil
	}
	if err == nil {
		w, err = r.steady(ctx, b)
	}
	if err != nil {
		return w, "", err
	}
	return w, r.rampVerdict(w), nil
}

// steady takes the better of two windows: one hiccup does not end a ramp.
func (r *runner) steady(ctx context.Context, b *bed) (window, error) {
	w, err := b.measure(ctx, r.options.Window)
	if err != nil || r.rampVerdict(w) == "" {
		return w, err
	}
	return b.measure(ctx, r.options.Window)
}

func (r *runner) rampVerdict(w window) string {
	switch {
	case w.limited == report.LimitedByGenerator || w.limited == report.LimitedByMachine:
		return w.limited
	case w.loss() > r.options.RampLoss || w.starved > 0 || w.behind() > behindLimit:
		return "loss"
	case w.latency.Quantile(0.99) > r.options.RampP99:
		return "latency"
	}
	return ""
}

// resize adds or removes watchers until there are n, in silence: an overloaded server
// would let them wait.
func (b *bed) resize(ctx context.Context, n int) error {
	have := b.load.Subscribers()
	b.copies = float64(n)
	switch {
	case n > have:
		return b.load.AddSubscribers(ctx, n-have)
	case n < have:
		return b.load.RemoveSubscribers(ctx, have-n)
	}
	return nil
}
