package tcp

import (
	"github.com/prometheus/client_golang/prometheus"

	"carillon/limit"
)

// Metrics are those of a Limiter under the name of what it listens for, such as http:
// carillon_http_connections, carillon_http_silent_connections and
// carillon_http_accept_failures_total, beside carillon_limited_total of its limits.
func (l *Limiter) Metrics(name string) prometheus.Collector {
	desc := func(metric, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName("carillon", name, metric), help, nil, nil)
	}
	return &collector{
		limiter:  l,
		open:     desc("connections", "Open TCP connections."),
		silent:   desc("silent_connections", "Those that have not said what they are for."),
		failures: desc("accept_failures_total", "How often the kernel gave no connection, most often for want of a descriptor."),
		limited:  limit.Collector(l.connections, l.perAddress, l.silents, l.silentsPerAddress),
	}
}

// collector is a prometheus.Collector.
type collector struct {
	limiter                *Limiter
	open, silent, failures *prometheus.Desc
	limited                prometheus.Collector
}

func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.open, c.silent, c.failures} {
		to <- d
	}
	c.limited.Describe(to)
}

func (c *collector) Collect(to chan<- prometheus.Metric) {
	open, silent := c.limiter.Connections()
	to <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, float64(open))
	to <- prometheus.MustNewConstMetric(c.silent, prometheus.GaugeValue, float64(silent))
	to <- prometheus.MustNewConstMetric(c.failures, prometheus.CounterValue, float64(c.limiter.failures.Load()))
	c.limited.Collect(to)
}
