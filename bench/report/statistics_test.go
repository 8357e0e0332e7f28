package report

import (
	"math"
	"testing"
)

func TestSpread(t *testing.T) {
	if got := SpreadOf([]float64{3, 1, 2, math.NaN()}); got != (Spread{2, 1, 3}) {
		t.Errorf("got %+v", got)
	}
	if got := SpreadOf([]float64{4, 1, 2, 3}); got.Median != 2.5 {
		t.Errorf("median of four is %v, want 2.5", got.Median)
	}
	if got := SpreadOf(nil); got != (Spread{}) {
		t.Errorf("nothing gives %+v", got)
	}
}

func TestBeyondNoiseNeedsRangesApart(t *testing.T) {
	for _, c := range []struct {
		before, after Spread
		want          bool
	}{
		{Spread{5, 4, 6}, Spread{6, 5, 7}, false},
		{Spread{5, 4.9, 5.1}, Spread{6, 5.9, 6.1}, true},
		{Spread{5, 4.99, 5.01}, Spread{5.1, 5.09, 5.11}, false},
	} {
		if got := beyondNoise(c.before, c.after); got != c.want {
			t.Errorf("%+v to %+v: %v, want %v", c.before, c.after, got, c.want)
		}
	}
}
