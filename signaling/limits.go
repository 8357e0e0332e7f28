package signaling

import (
	"slices"
	"time"

	"carillon/limit"
)

// burst is the time whose requests may come at once: a page that loads asks for much, and
// after a restart all tabs of a user come back.
const burst = 5 * time.Second

func perSecond(n int) limit.Rate { return limit.Per(time.Second, n, burst) }

// limits bound what users and addresses may ask. What strangers may cost, until their hello
// has succeeded, is bounded by Deps.Attempts.
type limits struct {
	requests *limit.Budget
	hellos   *limit.Budget
	reads    *limit.Semaphore

	frames *limit.Count // connections closed because of too many
	tabs   *limit.Count // hellos refused because of too many
}

func newLimits(cfg Config) *limits {
	r := cfg.Rates
	return &limits{
		requests: limit.NewBudget(limit.Shares{
			User:    limit.Share{Key: "signaling.rates.user_requests", Rate: perSecond(r.UserRequests)},
			Address: limit.Share{Key: "signaling.rates.address_requests", Rate: perSecond(r.AddressRequests)},
			All:     limit.Share{Key: "signaling.rates.requests", Rate: perSecond(r.Requests)},
			Guests:  limit.Share{Key: "signaling.rates.requests", Rate: perSecond(r.Requests)},
		}),
		hellos: limit.NewBudget(limit.Shares{
			User:    limit.Share{Key: "signaling.rates.user_hellos", Rate: perSecond(r.UserHellos)},
			Address: limit.Share{Key: "signaling.rates.address_hellos", Rate: perSecond(r.AddressHellos)},
			All:     limit.Share{Key: "signaling.rates.hellos", Rate: perSecond(r.Hellos)},
			Guests:  limit.Share{Key: "signaling.rates.hellos", Rate: perSecond(r.Hellos)},
		}),
		reads: limit.NewSemaphore(
			limit.Cap{Key: "signaling.user_reads", N: cfg.UserReads},
			limit.Cap{Key: "signaling.address_reads", N: cfg.AddressReads},
		),
		frames: limit.NewCount("signaling.rates.frames"),
		tabs:   limit.NewCount("signaling.tabs_per_user"),
	}
}

func (l *limits) counts() []*limit.Count {
	return slices.Concat(l.requests.Counts(), l.hellos.Counts(), l.reads.Counts(), []*limit.Count{l.frames, l.tabs})
}

// MayAsk takes the price of one request, or refuses it. Requests that come to other parts of the
// server, such as WHIP, draw by it on the same budget as those of tabs.
func (s *Server) MayAsk(p limit.Payer) error { return s.limits.requests.Take(p, 1, time.Now()) }

// limitClass says which limits bound a method, beside those of every request.
type limitClass uint8

const (
	everyRequest limitClass = iota // no others
	reads                          // how many that read run at a time
	callStarts                     // how many calls a user starts
	callRequests                   // how much else a user asks about calls
)

// mayAsk refuses what is over a rate of its class.
func (c *connection) mayAsk(class limitClass, now time.Time) error {
	s := c.server
	if err := s.limits.requests.Take(c.payer, 1, now); err != nil || s.calls == nil {
		return err
	}
	switch class {
	case callStarts:
		return s.calls.MayStart(c.payer, now)
	case callRequests:
		return s.calls.MayAsk(c.tab.User, now)
	}
	return nil
}

// beginRead waits until something of the payer may read from the database. Call end when it has
// read, and made of it what it sends.
func (s *Server) beginRead(p limit.Payer) (end func(), _ error) {
	ctx, cancel := s.timeout(requestTime)
	defer cancel()
	return s.limits.reads.Acquire(ctx, p)
}

// thingsPerRequest is how many things, such as users, messages or members, a request may read
// or reach for the price of one. A request itself costs a hundred times as much as a row.
const thingsPerRequest = 25

// spend takes what a request costs beyond itself that is about so many things, before it is
// done.
func (c *connection) spend(things int) error {
	return c.server.limits.requests.Take(c.payer, things/thingsPerRequest, time.Now())
}

// charge is spend for things that are known only afterwards. How many requests may be under way
// of which nothing is known yet is bounded by beginRead.
func (c *connection) charge(things int) {
	c.server.limits.requests.Charge(c.payer, things/thingsPerRequest, time.Now())
}
