package switchboard

import (
	"time"

	"carillon/call"
	"carillon/limit"
)

// limits bound what one user may ask about calls on this node: starting one rings at
// others, everything else costs the server work.
type limits struct {
	starts, requests *limit.Budget
}

// newLimits lets the requests of a minute come at once.
func newLimits(cfg call.Config) limits {
	perMinute := func(key string, n int, refusal string) *limit.Budget {
		return limit.NewBudget(limit.Shares{
			User:    limit.Share{Key: key, Rate: limit.Per(time.Minute, n, time.Minute)},
			Refusal: refusal,
		})
	}
	return limits{
		starts:   perMinute("call.rings_per_minute", cfg.RingsPerMinute, "You have started many calls. Wait a moment."),
		requests: perMinute("call.requests_per_minute", cfg.RequestsPerMinute, ""),
	}
}

func (l limits) counts() []*limit.Count { return append(l.starts.Counts(), l.requests.Counts()...) }

// MayStart refuses a user who starts too many calls.
func (b *Board) MayStart(user string, now time.Time) error {
	return b.limits.starts.Take(limit.Payer{User: user}, 1, now)
}

// MayAsk refuses a user who makes too many other requests about calls.
func (b *Board) MayAsk(user string, now time.Time) error {
	return b.limits.requests.Take(limit.Payer{User: user}, 1, now)
}
