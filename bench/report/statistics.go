package report

import (
	"math"
	"slices"
)

// Spread is one quantity over several windows. Median is the figure; Min and Max say how far it
// can be trusted.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf leaves out values that are not numbers, such as a ratio to nothing.
func SpreadOf(values []float64) Spread {
	sorted := slices.DeleteFunc(slices.Clone(values), func(v float64) bool {
		return math.IsNaN(v) || math.IsInf(v, 0)
	})
	if len(sorted) == 0 {
		return Spread{}
	}
	slices.Sort(sorted)
	return Spread{Median: medianOfSorted(sorted), Min: sorted[0], Max: sorted[len(sorted)-1]}
}

func medianOfSorted(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// beyondNoise says whether two quantities differ by more than both runs' own spread:
// their ranges do not touch and the medians are 5 % or more apart.
func beyondNoise(before, after Spread) bool {
	if before.Median == 0 {
		return after.Median != 0
	}
	apart := after.Min > before.Max || after.Max < before.Min
	return apart && math.Abs(after.Median/before.Median-1) >= 0.05
}
