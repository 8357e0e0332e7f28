package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Comparison is one row of one target beside the same row of another, of one run.
type Comparison struct {
	Path        string  `json:"path"`
	Shape       string  `json:"shape"`
	Subscribers int     `json:"subscribers"`
	A           string  `json:"a"`
	B           string  `json:"b"`
	CPU         float64 `json:"cpu_ratio"` // A's cost divided by B's; 0: unknown
	P50         float64 `json:"p50_ratio"`
	P99         float64 `json:"p99_ratio"`
	Memory      float64 `json:"memory_ratio"`
}

// Compare puts every target beside the last one named.
func Compare(rows []Row, targets []string) (all []Comparison) {
	if len(targets) < 2 {
		return nil
	}
	b := targets[len(targets)-1]
	for _, x := range rows {
		for _, y := range rows {
			if x.Target == b || y.Target != b || x.Path != y.Path || x.Shape != y.Shape || x.Subscribers != y.Subscribers {
				continue
			}
			all = append(all, Comparison{
				Path: x.Path, Shape: x.Shape, Subscribers: x.Subscribers, A: x.Target, B: y.Target,
				CPU: share(x.CPU, y.CPU), P50: share(x.Latency.P50, y.Latency.P50), P99: share(x.Latency.P99, y.Latency.P99),
				Memory: share(x.MemoryPerPeer, y.MemoryPerPeer),
			})
		}
	}
	return all
}

func share(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Difference is a quantity of a row that differs from an earlier run by more than the noise of
// both.
type Difference struct {
	Row           string
	What          string
	Before, After float64
}

// ReadBaseline reads the report of an earlier run.
func ReadBaseline(file string) (*Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	var before Report
	if err := json.Unmarshal(b, &before); err != nil {
		return nil, fmt.Errorf("read the baseline %s: %w", file, err)
	}
	if len(before.Rows) == 0 {
		return nil, fmt.Errorf("the baseline %s has no rows", file)
	}
	return &before, nil
}

// Differences compares with an earlier run. The ratio to the floor is compared where both runs
// have it of the same: it is what two runs of a noisy machine share.
func (r *Report) Differences(before *Report) (all []Difference) {
	for _, a := range r.Rows {
		for _, b := range before.Rows {
			if a.Path != b.Path || a.Shape != b.Shape || a.Target != b.Target || a.Subscribers != b.Subscribers {
				continue
			}
			add := func(what string, x, y Spread) {
				if beyondNoise(x, y) {
					all = append(all, Difference{a.name(), what, x.Median, y.Median})
				}
			}
			if a.Ratio > 0 && b.Ratio > 0 && a.RatioOf == b.RatioOf {
				add("ratio to floor", b.RatioSpread, a.RatioSpread)
			} else {
				add("µs per packet", b.CPUSpread, a.CPUSpread)
			}
			add("p99 ms", b.LatencyP99, a.LatencyP99)
			if a.Loss-b.Loss > 0.005 || b.Loss-a.Loss > 0.005 {
				all = append(all, Difference{a.name(), "loss %", b.Loss * 100, a.Loss * 100})
			}
		}
	}
	return all
}

func (r Row) name() string {
	return fmt.Sprintf("%s %s %d %s", r.Path, r.Shape, r.Subscribers, r.Target)
}

// PrintDifferences says what differs from an earlier run.
func PrintDifferences(w io.Writer, all []Difference) {
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing changed beyond noise since the baseline")
		return
	}
	fmt.Fprintln(w, "changed beyond noise since the baseline:")
	for _, m := range all {
		fmt.Fprintf(w, "  %s: %s %.2f → %.2f\n", m.Row, m.What, m.Before, m.After)
	}
}
