package switchboard

import (
	"slices"
	"time"

	"carillon/call"
	"carillon/limit"
)

// limits bound what one user may ask about calls on this node: starting one rings at
// others, everything else costs the server work.
type limits struct {
	starts, requests *limit.Budget
	pairs            *limit.Budget // its users are pairs of a caller and a callee
}

// pairTime is the time in which RingsPerPair counts.
const pairTime = 5 * time.Minute

// newLimits lets the requests of a minute come at once.
func newLimits(cfg call.Config) limits {
	perUser := func(key string, n int, period time.Duration, refusal string) *limit.Budget {
		return limit.NewBudget(limit.Shares{
			User:    limit.Share{Key: key, Rate: limit.Per(period, n, period)},
			Refusal: refusal,
		})
	}
	return limits{
		starts:   perUser("call.rings_per_minute", cfg.RingsPerMinute, time.Minute, "You have started many calls. Wait a moment."),
		requests: perUser("call.requests_per_minute", cfg.RequestsPerMinute, time.Minute, ""),
		pairs:    perUser("call.rings_per_pair", cfg.RingsPerPair, pairTime, "You have called them often in a short time. Wait before you call again."),
	}
}

func (l limits) counts() []*limit.Count {
	return slices.Concat(l.starts.Counts(), l.requests.Counts(), l.pairs.Counts())
}

// rings leaves out those whom the caller has rung too often lately. It refuses if nobody is
// left.
func (l limits) rings(caller string, callees []string, now time.Time) (rung []string, refused error) {
	for _, callee := range callees {
		if err := l.pairs.Take(pair(caller, callee), 1, now); err != nil {
			refused = err
		} else {
			rung = append(rung, callee)
		}
	}
	if len(rung) > 0 {
		return rung, nil
	}
	return nil, refused
}

// notRung gives back what rings has taken for a call that was not made.
func (l limits) notRung(caller string, callees []string, now time.Time) {
	for _, callee := range callees {
		l.pairs.Give(pair(caller, callee), 1, now)
	}
}

// answered gives back what the ring of a call has taken: who is answered is welcome.
func (l limits) answered(caller, callee string, now time.Time) {
	l.pairs.Give(pair(caller, callee), 1, now)
}

// pair is who pays for the rings of a caller at a callee. No id has a control character.
func pair(caller, callee string) limit.Payer { return limit.Payer{User: caller + "\n" + callee} }

// participantsPerRequest is how many participants a request may ring or tell for the price of one.
const participantsPerRequest = 10

// charge takes what a request has cost beyond itself that has changed a call: so many were told.
func (l limits) charge(user string, told int, now time.Time) {
	l.requests.Charge(limit.Payer{User: user}, told/participantsPerRequest, now)
}

// chargeStart takes what a call that rings so many has cost beyond itself.
func (l limits) chargeStart(user string, rung int, now time.Time) {
	l.starts.Charge(limit.Payer{User: user}, rung/participantsPerRequest, now)
}

// MayStart refuses a user who starts too many calls.
func (b *Board) MayStart(user string, now time.Time) error {
	return b.limits.starts.Take(limit.Payer{User: user}, 1, now)
}

// MayAsk refuses a user who makes too many other requests about calls.
func (b *Board) MayAsk(user string, now time.Time) error {
	return b.limits.requests.Take(limit.Payer{User: user}, 1, now)
}
