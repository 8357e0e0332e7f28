package limit

import (
	"sync"
	"time"
)

// Keys is a bucket for each key, such as a user or an address, in bounded memory.
//
// A full bucket needs no memory: a key that is not stored has one. When there are as many
// keys as memory allows, a new key takes the place of one whose bucket is nearly full. An
// attacker who invents keys therefore wins back the few tokens that the invented ones have
// used, and never those of the bucket that he has emptied.
type Keys[K comparable] struct {
	// Fixed at construction.
	rate Rate
	size int

	mu   sync.Mutex
	full map[K]int64 // the state of each bucket, see Rate.take
}

// inspected is how many stored keys a new key looks at for one that may be forgotten.
const inspected = 8

// NewKeys returns buckets of which at most size are stored at a time.
func NewKeys[K comparable](r Rate, size int) *Keys[K] {
	return &Keys[K]{rate: r, size: max(1, size), full: make(map[K]int64)}
}

// Take takes n tokens from the bucket of key and returns zero, or takes nothing and returns
// how long to wait.
func (k *Keys[K]) Take(key K, n int, now time.Time) time.Duration {
	at := nanoseconds(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	old, stored := k.full[key]
	if !stored {
		old = at
	}
	full, wait := k.rate.take(old, n, at)
	if wait > 0 {
		return wait
	}
	k.storeLocked(key, stored, full, at)
	return 0
}

// Charge takes n tokens although they may not be there. The zero key has no bucket.
func (k *Keys[K]) Charge(key K, n int, now time.Time) { k.change(k.rate.charge, key, n, now) }

// Give gives back n tokens that were taken. The zero key has no bucket.
func (k *Keys[K]) Give(key K, n int, now time.Time) { k.change(k.rate.give, key, n, now) }

func (k *Keys[K]) change(f func(full int64, n int, now int64) int64, key K, n int, now time.Time) {
	if key == *new(K) {
		return
	}
	at := nanoseconds(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	old, stored := k.full[key]
	if !stored {
		old = at
	}
	k.storeLocked(key, stored, f(old, n, at), at)
}

// storeLocked keeps the state of a bucket. A new one that is full needs no memory.
func (k *Keys[K]) storeLocked(key K, stored bool, full, now int64) {
	if !stored {
		if full <= now {
			return
		}
		k.makeRoomLocked(now)
	}
	k.full[key] = full
}

// makeRoomLocked forgets some buckets that have filled up, and if there are too many others
// the fullest of those it looked at.
func (k *Keys[K]) makeRoomLocked(now int64) {
	var fullest K
	var least int64
	looked := 0
	for key, full := range k.full { // in random order
		if full <= now {
			delete(k.full, key)
		}
		if looked == 0 || full < least {
			fullest, least = key, full
		}
		if looked++; looked == inspected {
			break
		}
	}
	if len(k.full) >= k.size {
		delete(k.full, fullest)
	}
}
