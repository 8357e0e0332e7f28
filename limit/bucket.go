// Package limit bounds what somebody may ask of the server in a time. What a request costs is
// taken from a [Budget], which each user and each address has; each limit counts what it has
// refused ([Count]).
//
// Underneath are token buckets: one for everybody ([Bucket]), one per user or address
// ([Keys]), or one per address of senders who have proved nothing ([Hashed]).
//
// A bucket holds tokens up to its burst and fills at its rate. A request may pass while the
// bucket holds a token, and takes what it costs. A request that costs more than there is
// leaves the bucket in debt, and the next one has to wait until the debt is paid: so a burst
// is exceeded by one request at most, and the rate never.
//
//	if err := written.Take(payer, len(text), now); err != nil {
//		return err // refusal.RateLimited, with the time after which there is something left
//	}
//
// Time comes in from outside and should be read from a monotonic clock, as time.Now does.
package limit

import (
	"math"
	"sync/atomic"
	"time"
)

// Rate is how fast a bucket fills, and how many tokens it holds. The zero Rate is no limit.
type Rate struct {
	// The time in which one token arrives, in picoseconds: a byte of a fast network takes
	// less than a nanosecond.
	token int64
	// The time in which an empty bucket fills, in nanoseconds.
	burst int64
}

// Per is n tokens in each period, and so many tokens at once as arrive in the time burst, at
// least one. An n of zero or less is no limit.
func Per(period time.Duration, n int, burst time.Duration) Rate {
	if n <= 0 {
		return Rate{}
	}
	token := max(1, int64(float64(period.Nanoseconds())*1000/float64(n)))
	return Rate{token: token, burst: max(burst.Nanoseconds(), (token+999)/1000)}
}

// take asks a bucket for n tokens at now, in nanoseconds. Its state is the time at which the
// bucket will be full (or, seen the other way, how long ago it was empty): this is the
// generic cell rate algorithm, which needs one number and no timer. It returns the new state
// and how long to wait; if that is not zero nothing was taken.
func (r Rate) take(full int64, n int, now int64) (int64, time.Duration) {
	if r.token == 0 {
		return full, 0
	}
	full = max(full, now)
	// There is a whole token if filling up takes at least one token's time less than
	// filling an empty bucket does.
	if wait := full - now - (r.burst - r.token/1000); wait > 0 {
		return full, time.Duration(wait)
	}
	return full + min(int64(n), maxDebt/r.token)*r.token/1000, 0
}

// charge takes n tokens although they may not be there.
func (r Rate) charge(full int64, n int, now int64) int64 {
	return max(full, now) + min(int64(n), maxDebt/max(1, r.token))*r.token/1000
}

// give gives n tokens back. A bucket does not become fuller than full.
func (r Rate) give(full int64, n int, now int64) int64 {
	return max(now, full-min(int64(n), maxDebt/max(1, r.token))*r.token/1000)
}

// maxDebt is one day in picoseconds: one request makes nobody wait longer.
const maxDebt = int64(24 * time.Hour * 1000)

// Bucket is one token bucket, without a lock. The zero Bucket is no limit.
type Bucket struct {
	rate Rate // fixed by Limit

	full atomic.Int64 // the state, see Rate.take
}

// New returns a full bucket.
func New(r Rate) *Bucket {
	b := new(Bucket)
	b.Limit(r)
	return b
}

// Limit makes b a full bucket with the rate r. It must not be called while others take.
func (b *Bucket) Limit(r Rate) {
	b.rate = r
	b.full.Store(math.MinInt64)
}

// Take takes n tokens and returns zero, or takes nothing and returns how long to wait.
func (b *Bucket) Take(n int, now time.Time) time.Duration { return b.TakeAt(n, nanoseconds(now)) }

// TakeAt is Take with the nanoseconds of any steady clock, for whoever handles packets and
// has read the clock once for many. One bucket is asked by one clock only.
func (b *Bucket) TakeAt(n int, now int64) time.Duration {
	for {
		old := b.full.Load()
		full, wait := b.rate.take(old, n, now)
		if wait > 0 || full == old || b.full.CompareAndSwap(old, full) {
			return wait
		}
	}
}

// Charge takes n tokens although they may not be there.
func (b *Bucket) Charge(n int, now time.Time) { b.change(b.rate.charge, n, nanoseconds(now)) }

// Give gives back n tokens that were taken.
func (b *Bucket) Give(n int, now time.Time) { b.change(b.rate.give, n, nanoseconds(now)) }

func (b *Bucket) change(f func(full int64, n int, now int64) int64, n int, now int64) {
	for {
		old := b.full.Load()
		if b.full.CompareAndSwap(old, f(old, n, now)) {
			return
		}
	}
}

// began makes small numbers of points in time, without losing their monotonic reading.
var began = time.Now()

func nanoseconds(t time.Time) int64 { return t.Sub(began).Nanoseconds() }
