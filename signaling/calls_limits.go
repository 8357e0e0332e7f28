package signaling

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"carillon/call"
	"carillon/wire"
)

// callLimits bound what one user may ask about calls on this node: rings are noise to
// others, legs are work to us.
type callLimits struct {
	rings, legs perMinute
}

func newCallLimits(cfg call.Config) callLimits {
	return callLimits{rings: perMinute{n: cfg.RingsPerMinute}, legs: perMinute{n: cfg.LegsPerMinute}}
}

func (l *callLimits) request(user, method string, now time.Time) error {
	b := &l.legs
	if method == wire.MethodCallStart {
		b = &l.rings
	}
	return over(b.take(user, now))
}

// perMinute is a token bucket per user, all of which may be taken at once.
type perMinute struct {
	n int

	mu sync.Mutex
	of map[string]*rate.Limiter
}

func (b *perMinute) take(user string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil || len(b.of) >= maxBuckets {
		b.of = map[string]*rate.Limiter{}
	}
	l := b.of[user]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(float64(b.n)/60), b.n)
		b.of[user] = l
	}
	return take(l, now)
}
