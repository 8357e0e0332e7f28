package bench

import (
	"context"
	"slices"
	"time"

	"carillon/bench/report"
	"carillon/bench/target"
)

// extra is a row that forwards no RTP.
type extra struct {
	name  string
	takes time.Duration
	run   func(*runner, context.Context) error
}

// planExtras lists them; all need our own server.
func planExtras(o *Options, targets []target.Spec) (all []extra) {
	ours := slices.IndexFunc(targets, func(t target.Spec) bool { return t.BuiltIn && t.Name == target.Carillon })
	if ours < 0 {
		return nil
	}
	takes := time.Duration(o.Rounds)*o.Window + 2*time.Second
	for _, path := range []string{report.PathReliable, report.PathLossy} {
		if o.wants(path, report.ShapeChat) {
			all = append(all, extra{path + " messages", takes, func(r *runner, ctx context.Context) error {
				return r.dataChannels(ctx, path, targets[ours])
			}})
		}
	}
	if len(o.Serve) == 0 {
		return all
	}
	if o.wants(report.PathWebSocket, report.ShapeChat) {
		all = append(all, extra{"websocket messages", takes, (*runner).messages})
	}
	if o.wants(report.PathWebSocket, report.ShapeRing) {
		all = append(all, extra{"websocket rings", takes, (*runner).rings})
	}
	return all
}
