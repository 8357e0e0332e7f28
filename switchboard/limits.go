package switchboard

import (
	"time"

	"carillon/call"
	"carillon/limit"
	"carillon/refusal"
)

// limits bound what one user may ask about calls on this node: starting one rings at
// others, everything else costs the server work.
type limits struct {
	starts, requests *limit.Keys[string]
}

// maxUsers is how many users are counted at a time, some 100 bytes each.
const maxUsers = 50_000

// newLimits lets the requests of a minute come at once.
func newLimits(cfg call.Config) limits {
	perMinute := func(n int) *limit.Keys[string] {
		return limit.NewKeys[string](limit.Per(time.Minute, n, time.Minute), maxUsers)
	}
	return limits{starts: perMinute(cfg.RingsPerMinute), requests: perMinute(cfg.RequestsPerMinute)}
}

// MayStart refuses a user who starts too many calls.
func (b *Board) MayStart(user string, now time.Time) error {
	return refusal.Wait(b.limits.starts.Take(user, 1, now))
}

// MayAsk refuses a user who makes too many other requests about calls.
func (b *Board) MayAsk(user string, now time.Time) error {
	return refusal.Wait(b.limits.requests.Take(user, 1, now))
}
