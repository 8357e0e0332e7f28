package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width is at most 1/64 of their value,
// so a quantile is never off by more than 1.6 %. The zero value is empty.
type Histogram struct {
	counts [(64 - subBits) << subBits]uint32
	total  uint64
	max    int64
}

const subBits = 6

// Add counts one duration. A negative one, which is an error of the
// clock, counts as zero.
func (h *Histogram) Add(d int64) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.total++
	h.max = max(h.max, d)
}

func bucketOf(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// middleOf is the value that a bucket stands for.
func middleOf(bucket int) int64 {
	if bucket < 1<<subBits {
		return int64(bucket)
	}
	shift := bucket>>subBits - 1
	low := int64(1<<subBits+bucket&(1<<subBits-1)) << shift
	return low + int64(1)<<shift/2
}

// Empty says that nothing was added.
func (h *Histogram) Empty() bool { return h.total == 0 }

// Quantile returns the duration below which the share q (0 to 1) of all lies; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	want := max(uint64(q*float64(h.total)+0.5), 1)
	var seen uint64
	for i, n := range h.counts {
		seen += uint64(n)
		if seen >= want {
			return time.Duration(min(middleOf(i), h.max))
		}
	}
	return time.Duration(h.max)
}

// Merge adds all durations of another.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}
