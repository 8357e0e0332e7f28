package limit

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
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

// Register shows counts as carillon_limited_total{limit}, those that are zero too. A nil
// Registerer shows nothing.
func Register(reg prometheus.Registerer, counts ...*Count) {
	seen := map[string]bool{}
	for _, c := range counts {
		if c.key == "" || seen[c.key] {
			continue
		}
		seen[c.key] = true
		promauto.With(reg).NewCounterFunc(prometheus.CounterOpts{
			Namespace: "carillon", Name: "limited_total", ConstLabels: prometheus.Labels{"limit": c.key},
			Help: "What was refused because a limit was reached, by the limit's key in the configuration.",
		}, func() float64 { return float64(sum(counts, c.key)) })
	}
}

// sum adds the counts of one key: one key may set several limits, such as the same one for
// users and for guests.
func sum(counts []*Count, key string) (n int64) {
	for _, c := range counts {
		if c.key == key {
			n += c.n.Load()
		}
	}
	return n
}
