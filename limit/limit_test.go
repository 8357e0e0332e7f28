package limit

import (
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// step asks a bucket for n tokens, some time after the step before, and wants this answer.
type step struct {
	after time.Duration
	n     int
	wait  time.Duration
}

func TestABucketFillsAtItsRate(t *testing.T) {
	for name, test := range map[string]struct {
		rate  Rate
		steps []step
	}{
		"a burst and then the rate": {Per(time.Second, 10, 300*time.Millisecond), []step{
			{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 1, 100 * time.Millisecond},
			{60 * time.Millisecond, 1, 40 * time.Millisecond}, // a refusal has taken nothing
			{40 * time.Millisecond, 1, 0}, {0, 1, 100 * time.Millisecond},
		}},
		"no more than the burst is saved up": {Per(time.Second, 10, 200*time.Millisecond), []step{
			{time.Hour, 1, 0}, {0, 1, 0}, {0, 1, 100 * time.Millisecond},
		}},
		"a debt is paid before the next": {Per(time.Second, 10, 200*time.Millisecond), []step{
			{0, 7, 0}, {0, 1, 600 * time.Millisecond}, {599 * time.Millisecond, 1, time.Millisecond}, {time.Millisecond, 1, 0},
		}},
		"rates of a minute": {Per(time.Minute, 2, time.Minute), []step{
			{0, 1, 0}, {0, 1, 0}, {0, 1, 30 * time.Second}, {30 * time.Second, 1, 0},
		}},
		"bytes of a fast network": {Per(time.Second, 4_000_000_000, time.Second), []step{
			{0, 4_000_000_000, 0}, {time.Second, 8_000_000_000, 0}, {500 * time.Millisecond, 1, 500 * time.Millisecond},
		}},
		"one token at least":         {Per(time.Second, 1, time.Millisecond), []step{{0, 1, 0}, {0, 1, time.Second}, {time.Second, 1, 0}}},
		"no limit":                   {Per(time.Second, 0, time.Second), []step{{0, 1 << 40, 0}, {0, 1 << 40, 0}}},
		"no debt of more than a day": {Per(time.Second, 1, time.Second), []step{{0, 1 << 60, 0}, {0, 1, 24 * time.Hour}}},
		"a clock set back":           {Per(time.Second, 1, 2*time.Second), []step{{0, 1, 0}, {-time.Hour, 1, time.Hour}}},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			bucket, keys, hashed, since := New(test.rate), NewKeys[string](test.rate, 10), NewHashed[string](test.rate, 4), int64(time.Hour)
			for i, s := range test.steps {
				now, since = now.Add(s.after), since+int64(s.after)
				for kind, got := range map[string]time.Duration{
					"bucket": bucket.Take(s.n, now), "keys": keys.Take("a", s.n, now), "hashed": hashed.TakeAt("a", s.n, since),
				} {
					if off := got - s.wait; off < -2 || off > 2 { // nanoseconds, of rounding
						t.Errorf("step %d of %s: wait %v, want %v", i, kind, got, s.wait)
					}
				}
			}
		})
	}
}

func TestWhoeverWaitsAsToldSucceeds(t *testing.T) {
	for _, n := range []int{1, 3, 7, 299, 20_000} {
		b, now := New(Per(time.Second, n, 5*time.Second)), time.Now()
		for range 6 * n {
			wait := b.Take(1, now)
			if wait == 0 {
				continue
			}
			if now = now.Add(wait); b.Take(1, now) != 0 {
				t.Fatalf("%d a second: refused after having waited for %v", n, wait)
			}
		}
	}
}

func TestTheZeroBucketIsNoLimit(t *testing.T) {
	var b Bucket
	if wait := b.Take(1<<40, time.Now()) + b.Take(1<<40, time.Now()); wait != 0 {
		t.Errorf("wait %v", wait)
	}
}

func TestKeysDoNotShare(t *testing.T) {
	k, now := NewKeys[string](Per(time.Second, 1, time.Second), 10), time.Now()
	if k.Take("a", 1, now) != 0 || k.Take("b", 1, now) != 0 {
		t.Error("two keys shared a bucket")
	}
	if k.Take("a", 1, now) == 0 {
		t.Error("an empty bucket gave a token")
	}
}

func TestManyKeysDoNotRefillAnEmptyBucket(t *testing.T) {
	const size = 100
	k, now := NewKeys[string](Per(time.Minute, 10, time.Minute), size), time.Now()
	for range 10 {
		k.Take("attacker", 1, now)
	}
	for i := range 100 * size {
		k.Take(strconv.Itoa(i), 1, now)
		if k.Take("attacker", 1, now) == 0 {
			t.Fatalf("the attacker's bucket was forgotten after %d invented keys", i+1)
		}
	}
	if got := len(k.full); got > size {
		t.Errorf("stores %d buckets, want at most %d", got, size)
	}
}

func TestFullBucketsAreForgotten(t *testing.T) {
	k, now := NewKeys[int](Per(time.Second, 1, time.Second), 1_000_000), time.Now()
	for i := range 1000 {
		k.Take(i, 1, now)
	}
	now = now.Add(time.Minute)
	for i := range 1000 {
		k.Take(1000+i, 1, now)
	}
	if got := len(k.full); got > 1100 {
		t.Errorf("stores %d buckets, of which 1000 are not full", got)
	}
}

func TestTakersShareABucketFairly(t *testing.T) {
	b, now := New(Per(time.Second, 1000, time.Second)), time.Now()
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if b.Take(1, now) == 0 {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got := taken.Load(); got != 1000 {
		t.Errorf("8 goroutines took %d tokens of 1000", got)
	}
}

func TestAddressIsWhatOneClientHas(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := Address(netip.MustParseAddr(address)); got != netip.MustParseAddr(want) {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
	if got := Address(netip.Addr{}); got.IsValid() {
		t.Errorf("no address counts as %s", got)
	}
}

func TestNothingAllocates(t *testing.T) {
	b, h, now := New(Per(time.Second, 10, time.Second)), NewHashed[netip.Addr](Per(time.Second, 10, time.Second), 64), int64(0)
	address := netip.MustParseAddr("192.0.2.1")
	if got := testing.AllocsPerRun(100, func() { now += 1000; b.TakeAt(1, now); h.TakeAt(address, 1, now) }); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkKeys(b *testing.B) {
	k, now := NewKeys[int](Per(time.Minute, 10, time.Minute), 50_000), time.Now()
	for i := 0; b.Loop(); i++ {
		k.Take(i, 1, now)
	}
}

func BenchmarkBucket(b *testing.B) {
	bucket, now := New(Per(time.Second, 1_000_000_000, time.Second)), int64(0)
	for b.Loop() {
		now++
		bucket.TakeAt(1, now)
	}
}
