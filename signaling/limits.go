package signaling

import (
	"net/netip"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// maxKeys is how many users and how many addresses are counted at a time, some 100 bytes each.
const maxKeys = 50_000

// burst is the time whose requests may come at once: a page that loads asks for much.
const burst = 5 * time.Second

func perSecond(n int) limit.Rate { return limit.Per(time.Second, n, burst) }

// limits bound what users, addresses and all together may ask.
type limits struct {
	requests, hellos               *limit.Bucket
	userRequests, userHellos       *limit.Keys[string]
	addressRequests, addressHellos *limit.Keys[netip.Addr] // by limit.Address
}

func newLimits(r Rates) *limits {
	return &limits{
		requests:        limit.New(perSecond(r.Requests)),
		hellos:          limit.New(perSecond(r.Hellos)),
		userRequests:    limit.NewKeys[string](perSecond(r.UserRequests), maxKeys),
		userHellos:      limit.NewKeys[string](perSecond(r.UserHellos), maxKeys),
		addressRequests: limit.NewKeys[netip.Addr](perSecond(r.AddressRequests), maxKeys),
		addressHellos:   limit.NewKeys[netip.Addr](perSecond(r.AddressHellos), maxKeys),
	}
}

// request refuses what is over a limit. The narrowest is asked first, so that one user's
// excess takes nothing from the others.
func (l *limits) request(user string, address netip.Addr, now time.Time) error {
	wait := l.userRequests.Take(user, 1, now)
	if wait == 0 && address.IsValid() {
		wait = l.addressRequests.Take(address, 1, now)
	}
	if wait == 0 {
		wait = l.requests.Take(1, now)
	}
	return refusal.Wait(wait)
}

// limitClass says which limits bound a method, beside those of every request.
type limitClass uint8

const (
	everyRequest limitClass = iota // no others
	callStarts                     // how many calls a user starts
	callRequests                   // how much else a user asks about calls
)

// within refuses what is over a limit of its class.
func (s *Server) within(c limitClass, user string, address netip.Addr, now time.Time) error {
	if err := s.limits.request(user, address, now); err != nil || c == everyRequest || s.calls == nil {
		return err
	}
	if c == callStarts {
		return s.calls.MayStart(user, now)
	}
	return s.calls.MayAsk(user, now)
}

// hello bounds attempts by address, before the token is looked at.
func (l *limits) hello(address netip.Addr, now time.Time) error {
	var wait time.Duration
	if address.IsValid() {
		wait = l.addressHellos.Take(address, 1, now)
	}
	if wait == 0 {
		wait = l.hellos.Take(1, now)
	}
	return refusal.Wait(wait)
}

func (l *limits) userHello(user string, now time.Time) error {
	return refusal.Wait(l.userHellos.Take(user, 1, now))
}
