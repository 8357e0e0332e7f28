// Package limittest reads what limits have refused, in tests.
package limittest

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/limit"
)

// Refused is how often each limit has refused something, by its key, as reg shows it.
func Refused(t testing.TB, reg prometheus.Gatherer) map[string]int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]int{}
	for _, f := range families {
		if f.GetName() != "carillon_limited_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			refused[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
		}
	}
	return refused
}

// RefusedBy is Refused for counts that no registry has.
func RefusedBy(t testing.TB, counts ...*limit.Count) map[string]int {
	t.Helper()
	reg := prometheus.NewRegistry()
	limit.Register(reg, counts...)
	return Refused(t, reg)
}
