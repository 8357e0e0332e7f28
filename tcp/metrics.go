package tcp

import "github.com/prometheus/client_golang/prometheus"

// Metrics are those of a Limiter under the name of what it listens for, such as http:
// carillon_http_connections, carillon_http_silent_connections and
// carillon_http_connection_events_total.
func (l *Limiter) Metrics(name string) prometheus.Collector {
	desc := func(metric, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName("carillon", name, metric), help, labels, nil)
	}
	return &collector{
		limiter: l,
		open:    desc("connections", "Open TCP connections."),
		silent:  desc("silent_connections", "Those that have not said what they are for."),
		events:  desc("connection_events_total", "Connections closed because there were too many, and failures to accept, by event.", "event"),
	}
}

// collector is a prometheus.Collector.
type collector struct {
	limiter              *Limiter
	open, silent, events *prometheus.Desc
}

func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.open, c.silent, c.events} {
		to <- d
	}
}

func (c *collector) Collect(to chan<- prometheus.Metric) {
	open, silent := c.limiter.Connections()
	to <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, float64(open))
	to <- prometheus.MustNewConstMetric(c.silent, prometheus.GaugeValue, float64(silent))
	for e := range events {
		to <- prometheus.MustNewConstMetric(c.events, prometheus.CounterValue, float64(c.limiter.Count(e)), e.String())
	}
}
