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

// rampLimit is how many subscribers a ramp tries at most.
const rampLimit = 4000

// measureRamps finds how many subscribers each target serves: it doubles their number until
// that is too many, then halves the interval.
func (r *runner) measureRamps(ctx context.Context) error {
	r.steps = newSteps(r.options.Progress)
	const takes = 40 * time.Second
	r.steps.plan(selfTime)
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
	b, err := r.openTestBed(ctx, g, t)
	if b != nil {
		defer func() { err = errors.Join(err, b.close()) }()
	}
	if err != nil {
		return best, err
	}
	good, bad, at := 0, 0, first
	for {
		r.steps.detail(fmt.Sprintf("%d subscribers", at))
		w, verdict, err := r.tryRamp(ctx, b, at)
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
		case bad == 0 && good >= rampLimit:
			best.LimitedBy = "the ramp's own end"
			return best, nil
		case bad == 0:
			at = min(2*good, rampLimit)
		case bad-good <= max(good/16, 1):
			return best, nil
		default:
			at = (good + bad) / 2
		}
	}
}

// tryRamp measures a target with n subscribers. The verdict is the limit that it passes; "":
// none.
func (r *runner) tryRamp(ctx context.Context, b *testBed, n int) (w window, verdict string, err error) {
	err = b.resize(ctx, n)
	if refused, ok := errors.AsType[*load.RefusedOffer](err); ok {
		return w, refused.Error(), nil
	}
	if err == nil {
		w, err = r.betterOfTwo(ctx, b)
	}
	if err != nil {
		return w, "", err
	}
	return w, r.rampVerdict(w), nil
}

// betterOfTwo measures again if a limit is passed, since one disturbance must not end a ramp.
func (r *runner) betterOfTwo(ctx context.Context, b *testBed) (window, error) {
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

// resize adds or removes subscribers until there are n. Nothing is sent meanwhile, since an
// overloaded server would let them wait.
func (b *testBed) resize(ctx context.Context, n int) error {
	have := b.generator.Subscribers()
	b.copies = float64(n)
	switch {
	case n > have:
		return b.generator.AddSubscribers(ctx, n-have)
	case n < have:
		return b.generator.RemoveSubscribers(ctx, have-n)
	}
	return nil
}
