package bench

import (
	"math"
	"testing"
	"time"
)

func TestHistogramQuantilesAreWithinTwoPercent(t *testing.T) {
	var h histogram
	for i := 1; i <= 100000; i++ {
		h.add(int64(i) * 1000)
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := q * 1e8
		if got := float64(h.quantile(q)); math.Abs(got/want-1) > 0.02 {
			t.Errorf("quantile %v is %v, want about %v", q, time.Duration(got), time.Duration(want))
		}
	}
	var empty histogram
	if got := empty.quantile(0.5); got != 0 {
		t.Errorf("nothing counted has median %v, want 0", got)
	}
	empty.merge(&h)
	if empty.total != h.total || empty.quantile(0.5) != h.quantile(0.5) {
		t.Error("a merge into an empty histogram is not the same histogram")
	}
	h.add(math.MaxInt64)
	h.add(-5)
}

func TestTrackerCountsAcrossTheRollOver(t *testing.T) {
	for _, start := range []uint16{0, 32767, 32768, 65535} {
		var tr tracker
		tr.add(start)
		if v := tr.add(start + 3); v.advance != 3 || !v.fresh {
			t.Errorf("from %d by 3: %+v", start, v)
		}
		if v := tr.add(start + 1); v.advance != 0 || !v.fresh {
			t.Errorf("a late packet after %d: %+v", start, v)
		}
		if v := tr.add(start + 1); v.fresh {
			t.Errorf("a repeated packet after %d counts as new: %+v", start, v)
		}
		if v := tr.add(start); v.fresh {
			t.Errorf("the first packet %d again counts as new: %+v", start, v)
		}
		if v := tr.add(start - 1); v.fresh {
			t.Errorf("a packet from before the start %d counts: %+v", start, v)
		}
		if v := tr.add(start + 4); v.number != int64(start)+4 {
			t.Errorf("number after %d is %d", start, v.number)
		}
		if v := tr.add(start + 20000); !v.anew || v.advance != 1 {
			t.Errorf("a stream that begins anew after %d: %+v", start, v)
		}
	}
}

func TestSpread(t *testing.T) {
	if got := spreadOf([]float64{3, 1, 2, math.NaN()}); got != (spread{2, 1, 3}) {
		t.Errorf("got %+v", got)
	}
	if got := spreadOf([]float64{4, 1, 2, 3}); got.Median != 2.5 {
		t.Errorf("median of four is %v, want 2.5", got.Median)
	}
	if got := spreadOf(nil); got != (spread{}) {
		t.Errorf("nothing gives %+v", got)
	}
}

func TestBeyondNoiseNeedsRangesApart(t *testing.T) {
	for _, c := range []struct {
		before, after spread
		want          bool
	}{
		{spread{5, 4, 6}, spread{6, 5, 7}, false},
		{spread{5, 4.9, 5.1}, spread{6, 5.9, 6.1}, true},
		{spread{5, 4.99, 5.01}, spread{5.1, 5.09, 5.11}, false},
	} {
		if got := beyondNoise(c.before, c.after); got != c.want {
			t.Errorf("%+v to %+v: %v, want %v", c.before, c.after, got, c.want)
		}
	}
}
