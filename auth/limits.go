package auth

import (
	"context"
	"net/netip"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// limits bound what an address may ask before anybody knows who asks.
type limits struct {
	guests   *limit.Budget // guests made
	attempts *limit.Budget // attempts to sign in that failed
}

func newLimits(c Config) limits {
	return limits{
		guests: limit.NewBudget(limit.Shares{
			Address: limit.Share{Key: "auth.guests_per_minute", Rate: limit.Per(time.Minute, c.GuestsPerMinute, time.Minute)},
			Refusal: "Too many new guests from your address. Try again in a minute.",
		}),
		attempts: limit.NewBudget(limit.Shares{
			Address: limit.Share{Key: "auth.attempts_per_second", Rate: limit.Per(time.Second, c.AttemptsPerSecond, 5*time.Second)},
			Refusal: "Too many attempts to sign in from your address have failed. Wait a moment.",
		}),
	}
}

// Counts are those of the limits.
func (v *Verifier) Counts() []*limit.Count {
	return append(v.limits.guests.Counts(), v.limits.attempts.Counts()...)
}

// Attempts is the budget of attempts to sign in that fail, of each address. Who begins one
// takes 1, and gives it back when it has succeeded, or failed by a fault of ours: to check a
// signature costs more than to send a wrong one, and users behind the same address shall not
// be counted as attackers. A token of a key that nobody knows counts, though it may turn out to
// be good: anyone can make such tokens.
func (v *Verifier) Attempts() *limit.Budget { return v.limits.attempts }

// VerifyFrom is Verify for a token that came from an address, see [limit.Client].
func (v *Verifier) VerifyFrom(ctx context.Context, address netip.Addr, token string) (Identity, error) {
	payer := limit.Payer{Address: address}
	if err := v.limits.attempts.Take(payer, 1, time.Now()); err != nil {
		return Identity{}, err
	}
	id, err := v.Verify(ctx, token)
	if _, refused := refusal.Of(err); err == nil || !refused {
		v.limits.attempts.Give(payer, 1, time.Now())
	}
	return id, err
}
