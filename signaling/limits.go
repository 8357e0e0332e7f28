package signaling

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"carillon/refusal"
)

// burst is how many seconds of a rate may come at once: a page that loads asks for much.
const burst = 5

func newBucket(perSecond int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), burst*perSecond)
}

// take says how long to wait before there is a token; zero: it was taken.
func take(b *rate.Limiter, now time.Time) time.Duration {
	r := b.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// buckets is a token bucket per key.
type buckets[K comparable] struct {
	perSecond int

	mu sync.Mutex
	of map[K]*rate.Limiter
}

// maxBuckets bounds the memory that many keys can make us spend; past it all are
// forgotten, which gives each a fresh allowance once.
const maxBuckets = 50_000

func (b *buckets[K]) take(key K, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil || len(b.of) >= maxBuckets {
		b.of = map[K]*rate.Limiter{}
	}
	l := b.of[key]
	if l == nil {
		l = newBucket(b.perSecond)
		b.of[key] = l
	}
	return take(l, now)
}

// limits bound what users, addresses and all together may ask.
type limits struct {
	requests, hellos               *rate.Limiter
	userRequests, userHellos       buckets[string]
	addressRequests, addressHellos buckets[netip.Prefix]
}

func newLimits(r Rates) *limits {
	return &limits{
		requests: newBucket(r.Requests), hellos: newBucket(r.Hellos),
		userRequests:    buckets[string]{perSecond: r.UserRequests},
		userHellos:      buckets[string]{perSecond: r.UserHellos},
		addressRequests: buckets[netip.Prefix]{perSecond: r.AddressRequests},
		addressHellos:   buckets[netip.Prefix]{perSecond: r.AddressHellos},
	}
}

// request refuses what is over a limit. The narrowest is asked first, so that one user's
// excess takes nothing from the others.
func (l *limits) request(user string, address netip.Prefix, now time.Time) error {
	wait := l.userRequests.take(user, now)
	if wait == 0 && address.IsValid() {
		wait = l.addressRequests.take(address, now)
	}
	if wait == 0 {
		wait = take(l.requests, now)
	}
	return over(wait)
}

// limitClass says which limits bound a method, beside those of every request.
type limitClass uint8

const (
	requests limitClass = iota // no others
	rings                      // those of whoever starts calls
	legs                       // those of whoever does something else about calls
)

// within refuses what is over a limit of its class.
func (s *Server) within(c limitClass, user string, address netip.Prefix, now time.Time) error {
	if err := s.limits.request(user, address, now); err != nil || c == requests || s.calls == nil {
		return err
	}
	if c == rings {
		return s.calls.MayRing(user, now)
	}
	return s.calls.MayAsk(user, now)
}

// hello bounds attempts by address, before the token is looked at.
func (l *limits) hello(address netip.Prefix, now time.Time) error {
	var wait time.Duration
	if address.IsValid() {
		wait = l.addressHellos.take(address, now)
	}
	if wait == 0 {
		wait = take(l.hellos, now)
	}
	return over(wait)
}

func (l *limits) userHello(user string, now time.Time) error {
	return over(l.userHellos.take(user, now))
}

func over(wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	// Rounded up, so that who waits exactly this long succeeds.
	return refusal.After(wait+time.Millisecond, refusal.RateLimited, "Too many requests. Wait a moment.")
}

// linkLimits bound one link: frames of any kind, and what is not a frame.
type linkLimits struct {
	frames, garbage *rate.Limiter
}

func newLinkLimits(frames int) linkLimits {
	return linkLimits{frames: newBucket(frames), garbage: rate.NewLimiter(1, 10)}
}
