package bench

import (
	"context"
	"slices"
	"time"
)

// extra is a row that forwards no RTP.
type extra struct {
	name  string
	takes time.Duration
	run   func(*runner, context.Context) error
}

// planExtras lists them; all need our own server.
func planExtras(o *Options, targets []targetSpec) (all []extra) {
	ours := slices.IndexFunc(targets, func(t targetSpec) bool { return t.builtin && t.name == TargetCarillon })
	if ours < 0 {
		return nil
	}
	takes := time.Duration(o.Rounds)*o.Window + 2*time.Second
	for _, path := range []string{PathReliable, PathLossy} {
		if o.wants(path, ShapeChat) {
			all = append(all, extra{path + " messages", takes, func(r *runner, ctx context.Context) error {
				return r.dataChannels(ctx, path, targets[ours])
			}})
		}
	}
	if len(o.Serve) == 0 {
		return all
	}
	if o.wants(PathWebSocket, ShapeChat) {
		all = append(all, extra{"websocket messages", takes, (*runner).messages})
	}
	if o.wants(PathWebSocket, ShapeRing) {
		all = append(all, extra{"websocket rings", takes, (*runner).rings})
	}
	return all
}
