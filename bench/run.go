package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// runner is one run of the benchmark.
type runner struct {
	options Options
	targets []target.Spec
	cores   pinned
	netem   *load.Netem
	cert    load.Certificate
	report  *report.Report
	steps   *steps

	refusals error // of targets that refuse a path or a shape
}

// Run measures what the options say. When the context ends or a target fails it returns the
// error and what was measured before.
func Run(ctx context.Context, o Options) (_ *report.Report, err error) {
	r, err := newRunner(o)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	defer func() { r.report.Took = time.Since(began) }()
	if err := target.PinSelf(r.cores.load); err != nil {
		return nil, err
	}
	stop := r.netem.Start()
	defer stop()
	for i := range r.targets {
		if r.targets[i].Server != "" {
			if err := r.targets[i].Greet(ctx); err != nil {
				return nil, err
			}
		}
	}
	if r.options.Ramp {
		err = r.measureRamps(ctx)
	} else {
		err = r.measureRows(ctx)
	}
	if errors.Is(err, errNothing) {
		return nil, err
	}
	r.steps.end()
	r.report.Compared = report.Compare(r.report.Rows, r.targetNames())
	r.report.Partial = err != nil
	if errors.Is(err, errAllRefuse) {
		err = nil // each refusal is reported by itself
	}
	return r.report, errors.Join(err, r.refusals)
}

// isRefusal is true of a server that refuses what is asked of it, as against one that fails.
func isRefusal(err error) bool {
	_, offer := errors.AsType[*load.RefusedOffer](err)
	_, codec := errors.AsType[*load.RefusedCodec](err)
	return offer || codec
}

var (
	errNothing   = errors.New("no target has this path in this shape: nothing to measure")
	errAllRefuse = errors.New("every target refuses")
)

func newRunner(o Options) (*runner, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	r := &runner{options: o, report: &report.Report{Rows: []report.Row{}, Floor: []report.FloorRow{}, Refused: []report.Refused{}}}
	for _, text := range o.Targets {
		t, err := target.ParseSpec(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(r.targets, func(o target.Spec) bool { return o.Name == t.Name }) {
			return nil, fmt.Errorf("two targets are called %s; name a server with name=, and a built-in target once", t.Name)
		}
		r.targets = append(r.targets, t)
	}
	var err error
	allowed := target.AllowedCores()
	if r.cores, err = parsePin(o.Pin, allowed); err != nil {
		return nil, err
	}
	if r.netem, err = load.ParseNetem(o.Netem); err != nil {
		return nil, err
	}
	if r.cert, err = load.NewCertificate(); err != nil {
		return nil, err
	}
	r.report.Machine = report.Machine{
		Processor: processorName(), Cores: len(allowed), Kernel: kernelRelease(), Go: runtime.Version(), Version: o.Version,
		Time: time.Now().UTC().Truncate(time.Second), Command: commandLine(), Server: r.cores.server, Load: r.cores.load,
		Netem: r.netem.String(), Media: report.Media(r.options.Media), Rounds: r.options.Rounds, Window: r.options.Window.Seconds(), Sample: r.options.Sample,
	}
	return r, nil
}

// commandLine is how this run was started, without the folder of the binary or tokens.
func commandLine() string {
	words := append([]string(nil), os.Args...)
	words[0] = words[0][strings.LastIndexByte(words[0], '/')+1:]
	for i, w := range words {
		if before, _, ok := strings.Cut(w, "token="); ok {
			words[i] = before + "token=…"
		}
		if i > 0 && words[i-1] == "--token" {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

func (r *runner) targetNames() (all []string) {
	for _, t := range r.targets {
		all = append(all, t.Name)
	}
	return all
}

// measureRows measures the generator itself, then all groups and other rows of the plan.
func (r *runner) measureRows(ctx context.Context) error {
	groups := planMedia(&r.options, r.targets)
	others := planOtherRows(&r.options, r.targets)
	if len(groups)+len(others) == 0 {
		return errNothing
	}
	r.steps = newSteps(r.options.Progress)
	r.steps.plan(selfTime)
	for _, g := range groups {
		r.steps.plan(g.expectedTime())
	}
	for _, e := range others {
		r.steps.plan(e.expectedTime)
	}
	if err := r.measureSelf(ctx); err != nil {
		return fmt.Errorf("measure the generator itself: %w", err)
	}
	for _, g := range groups {
		if err := r.measureGroup(ctx, g); err != nil {
			return fmt.Errorf("%s: %w", g, err)
		}
	}
	for _, e := range others {
		r.steps.begin(e.name, e.expectedTime)
		if err := e.run(r, ctx); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}
