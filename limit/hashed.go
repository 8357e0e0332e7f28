package limit

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// Hashed is a bucket for each key in fixed memory and without a lock, for keys that anyone
// can invent at the rate of packets. Keys that have the same hash share a bucket; which ones
// do is random and changes with each start.
type Hashed[K comparable] struct {
	// Fixed at construction.
	rate Rate
	seed maphash.Seed

	full []atomic.Int64 // the state of each bucket, see Rate.take
}

// NewHashed returns so many buckets.
func NewHashed[K comparable](r Rate, buckets int) *Hashed[K] {
	return &Hashed[K]{rate: r, seed: maphash.MakeSeed(), full: make([]atomic.Int64, buckets)}
}

// TakeAt takes n tokens from the bucket of key and returns zero, or takes nothing and
// returns how long to wait. The time is that of any steady clock, in nanoseconds from zero.
// Of two that take at the same instant one may get its tokens for nothing.
func (h *Hashed[K]) TakeAt(key K, n int, now int64) time.Duration {
	if h.rate == (Rate{}) {
		return 0
	}
	state := &h.full[maphash.Comparable(h.seed, key)%uint64(len(h.full))]
	full, wait := h.rate.take(state.Load(), n, now)
	if wait == 0 {
		state.Store(full)
	}
	return wait
}
