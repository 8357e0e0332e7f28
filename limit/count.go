package limit

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Count is how often one limit has refused something. It bears the key of the configuration
// that sets the limit, so that who sees it rise knows what to change.
type Count struct {
	key string
	n   atomic.Int64
}

// NewCount returns a count of zero. One without a key is never shown.
func NewCount(key string) *Count { return &Count{key: key} }

// Add counts a refusal.
func (c *Count) Add() { c.n.Add(1) }

// Value is how many were counted.
func (c *Count) Value() int64 { return c.n.Load() }

// Register shows counts as [Collector] does. A nil Registerer shows nothing.
func Register(reg prometheus.Registerer, counts ...*Count) {
	if reg != nil {
		reg.MustRegister(Collector(counts...))
	}
}

// Collector shows counts as carillon_limited_total{limit}, those that are zero too. Counts of
// one key are added: one key may set several limits, such as the same one for users and for
// guests.
func Collector(counts ...*Count) prometheus.Collector {
	c := collector{}
	for _, count := range counts {
		if count.key != "" {
			c[count.key] = append(c[count.key], count)
		}
	}
	return c
}

// collector has the counts of each key.
type collector map[string][]*Count

func (c collector) Describe(to chan<- *prometheus.Desc) {
	for key := range c {
		to <- describe(key)
	}
}

func (c collector) Collect(to chan<- prometheus.Metric) {
	for key, counts := range c {
		var n int64
		for _, count := range counts {
			n += count.n.Load()
		}
		to <- prometheus.MustNewConstMetric(describe(key), prometheus.CounterValue, float64(n))
	}
}

// describe makes the description of one key, so that each package may show limits of its own.
func describe(key string) *prometheus.Desc {
	return prometheus.NewDesc("carillon_limited_total", "What was refused because a limit was reached, by the limit's key in the configuration.",
		nil, prometheus.Labels{"limit": key})
}
