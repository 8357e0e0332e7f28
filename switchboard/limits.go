package switchboard

import (
	"time"

	"carillon/call"
	"carillon/limit"
	"carillon/refusal"
)

// limits bound what one user may ask about calls on this node: rings are noise to
// others, legs are work to us.
type limits struct {
	rings, legs *limit.Keys[string]
}

// maxUsers is how many users are counted at a time, some 100 bytes each.
const maxUsers = 50_000

// newLimits lets the requests of a minute come at once.
func newLimits(cfg call.Config) limits {
	perMinute := func(n int) *limit.Keys[string] {
		return limit.NewKeys[string](limit.Per(time.Minute, n, time.Minute), maxUsers)
	}
	return limits{rings: perMinute(cfg.RingsPerMinute), legs: perMinute(cfg.LegsPerMinute)}
}

// MayRing refuses a user who starts too many calls.
func (b *Board) MayRing(user string, now time.Time) error {
	return refusal.Wait(b.limits.rings.Take(user, 1, now))
}

// MayAsk refuses a user who asks too much of calls otherwise.
func (b *Board) MayAsk(user string, now time.Time) error {
	return refusal.Wait(b.limits.legs.Take(user, 1, now))
}
