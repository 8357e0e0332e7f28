package load

import (
	"math"
	"testing"
	"time"
)

func TestHistogramQuantilesAreWithinTwoPercent(t *testing.T) {
	var h Histogram
	for i := 1; i <= 100000; i++ {
		h.Add(int64(i) * 1000)
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := q * 1e8
		if got := float64(h.Quantile(q)); math.Abs(got/want-1) > 0.02 {
			t.Errorf("quantile %v is %v, want about %v", q, time.Duration(got), time.Duration(want))
		}
	}
	var empty Histogram
	if got := empty.Quantile(0.5); got != 0 {
		t.Errorf("nothing counted has median %v, want 0", got)
	}
	empty.Merge(&h)
	if empty.total != h.total || empty.Quantile(0.5) != h.Quantile(0.5) {
		t.Error("a merge into an empty histogram is not the same histogram")
	}
	h.Add(math.MaxInt64)
	h.Add(-5)
}
