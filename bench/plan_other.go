package bench

import (
	"context"
	"slices"
	"time"

	"carillon/bench/report"
	"carillon/bench/target"
)

// otherRow is a row in which no RTP is forwarded: messages and calls.
type otherRow struct {
	name         string
	expectedTime time.Duration
	run          func(*runner, context.Context) error
}

// planOtherRows lists them. Only the Carillon that the run starts has them.
func planOtherRows(o *Options, targets []target.Spec) (all []otherRow) {
	carillon := slices.IndexFunc(targets, func(t target.Spec) bool { return t.BuiltIn && t.Name == target.Carillon })
	if carillon < 0 {
		return nil
	}
	takes := time.Duration(o.Rounds)*o.Window + 2*time.Second
	for _, path := range []string{report.PathReliable, report.PathLossy} {
		if o.wants(path, report.ShapeChat) {
			all = append(all, otherRow{path + " messages", takes, func(r *runner, ctx context.Context) error {
				return r.dataChannels(ctx, path, targets[carillon])
			}})
		}
	}
	if len(o.Serve) == 0 {
		return all
	}
	if o.wants(report.PathWebSocket, report.ShapeChat) {
		all = append(all, otherRow{"websocket messages", takes, (*runner).messages})
	}
	if o.wants(report.PathWebSocket, report.ShapeRing) {
		all = append(all, otherRow{"websocket rings", takes, (*runner).rings})
	}
	return all
}
