package bench

import (
	"context"
	"errors"
	"fmt"

	"carillon/bench/report"
	"carillon/bench/target"
)

// measureGroup starts the targets of a group and the floor, measures them in turns, and adds
// their rows to the report.
func (r *runner) measureGroup(ctx context.Context, g group) (err error) {
	r.steps.begin(g.String(), g.expectedTime())
	floor, err := r.openFloor(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.close()) }()
	if g.floor {
		if err := r.measureSlowerFloors(ctx, g, floor); err != nil {
			return err
		}
	}
	floor.countFor = g.countFor()
	var beds []*testBed
	for _, t := range g.targets {
		r.steps.detail("connect " + t.Name)
		b, err := r.openTestBed(ctx, g, t)
		if b != nil {
			defer func() { _ = b.close() }() // its rows are complete, so an error would change nothing
		}
		if isRefusal(err) {
			r.report.Refused = append(r.report.Refused, *notReported(g, t.Name, err.Error()))
			r.refusals = errors.Join(r.refusals, fmt.Errorf("%s: %w", g, err))
			continue
		}
		if err != nil {
			return err
		}
		b.countFor = g.countFor()
		beds = append(beds, b)
	}
	if len(beds) == 0 {
		if len(r.report.Rows) == 0 {
			return errAllRefuse // and would refuse the other groups too
		}
		return nil
	}
	// Even when a target fails on the way, what was measured is a row.
	defer func() { r.addRows(g, floor, beds) }()
	for round := range g.rounds {
		if err := r.measureRound(ctx, g, round, floor, beds); err != nil {
			return err
		}
	}
	return nil
}

// measureRound measures the floor and each target once. Each round begins with another, so that
// a change of the machine's speed does not always hit the same one.
func (r *runner) measureRound(ctx context.Context, g group, round int, floor *testBed, beds []*testBed) error {
	everyone := append([]*testBed{floor}, beds...)
	for i := range everyone {
		b := everyone[(i+round)%len(everyone)]
		r.steps.detail(fmt.Sprintf("%s, window %d of %d", b.target, round+1, g.rounds))
		if b == floor {
			if err := floor.setFloor(ctx, target.FloorGSO); err != nil {
				return err
			}
		}
		w, err := b.measure(ctx, g.window)
		if err != nil {
			return err
		}
		b.windows = append(b.windows, w)
		if b == floor {
			if err := floor.setFloor(ctx, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureSlowerFloors measures the floor with a system call per packet and with batches.
func (r *runner) measureSlowerFloors(ctx context.Context, g group, floor *testBed) error {
	for _, mode := range []target.FloorMode{target.FloorSingle, target.FloorBatch} {
		r.steps.detail("floor, " + string(mode))
		var windows []window
		for range floorExtraRounds {
			if err := floor.setFloor(ctx, mode); err != nil {
				return err
			}
			w, err := floor.measure(ctx, g.window)
			if err != nil {
				return err
			}
			windows = append(windows, w)
		}
		r.report.Floor = append(r.report.Floor, floorRowOf(g, mode, windows))
	}
	return floor.setFloor(ctx, "")
}

// addRows makes rows of the windows of a group, as many as there are.
func (r *runner) addRows(g group, floor *testBed, beds []*testBed) {
	if len(floor.windows) > 0 {
		r.report.Floor = append(r.report.Floor, floorRowOf(g, target.FloorGSO, floor.windows))
	}
	for _, b := range append([]*testBed{floor}, beds...) {
		if b.countError != nil {
			r.report.Machine.Uncounted = b.target + ": " + b.countError.Error()
		}
	}
	for _, b := range beds {
		if len(b.windows) == 0 {
			continue
		}
		b.setup = b.generator.Setup()
		row, refused := rowOf(g, b, floor.windows)
		if refused != nil {
			r.report.Refused = append(r.report.Refused, *refused)
			continue
		}
		if g.shape == report.ShapeRoom {
			row.Slots = r.options.Slots
		}
		r.report.Rows = append(r.report.Rows, row)
	}
}
