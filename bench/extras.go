package bench

import (
	"context"
	"time"
)

// extra is a row that forwards no RTP.
type extra struct {
	name  string
	takes time.Duration
	run   func(context.Context, *runner) error
}

func planExtras(o *Options, targets []targetSpec) []extra { return nil }
