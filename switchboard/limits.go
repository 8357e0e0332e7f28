package switchboard

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"carillon/call"
	"carillon/refusal"
)

// limits bound what one user may ask about calls on this node: rings are noise to
// others, legs are work to us.
type limits struct {
	rings, legs perMinute
}

func newLimits(cfg call.Config) limits {
	return limits{rings: perMinute{n: cfg.RingsPerMinute}, legs: perMinute{n: cfg.LegsPerMinute}}
}

// MayRing refuses a user who starts too many calls.
func (b *Board) MayRing(user string, now time.Time) error { return b.limits.rings.take(user, now) }

// MayAsk refuses a user who asks too much of calls otherwise.
func (b *Board) MayAsk(user string, now time.Time) error { return b.limits.legs.take(user, now) }

// perMinute is a token bucket per user, all of which may be taken at once.
type perMinute struct {
	n int

	mu sync.Mutex
	of map[string]*rate.Limiter
}

// maxBuckets bounds the memory that many users can make us spend; past it all are
// forgotten, which gives each a fresh allowance once.
const maxBuckets = 50_000

func (b *perMinute) take(user string, now time.Time) error {
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
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	// Rounded up, so that who waits exactly this long succeeds.
	return refusal.After(wait+time.Millisecond, refusal.RateLimited, "Too many requests. Wait a moment.")
}
