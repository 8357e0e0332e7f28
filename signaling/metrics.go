package signaling

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	tabs, users         prometheus.Gauge
	framesIn, framesOut prometheus.Counter
	changes             *prometheus.CounterVec
	holes, missed       prometheus.Counter
	dropped             *prometheus.CounterVec
	closes              *prometheus.CounterVec
	refused             *prometheus.CounterVec
	hello               *prometheus.HistogramVec
	requests            *prometheus.HistogramVec
}

// newMetrics registers them; a nil Registerer leaves them unregistered.
func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Namespace: "carillon", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Namespace: "carillon", Name: name, Help: help})
	}
	times := prometheus.ExponentialBuckets(0.0005, 2, 14) // 0.5 ms to 4 s
	return &metrics{
		tabs:      gauge("tabs", "Tabs that have said hello to this node."),
		users:     gauge("users_online", "Users who have a tab on this node."),
		framesIn:  counter("frames_in_total", "Frames read from clients."),
		framesOut: counter("frames_out_total", "Frames written to clients."),
		changes: f.NewCounterVec(prometheus.CounterOpts{Namespace: "carillon", Name: "changes_total",
			Help: "Changes of feeds that this node has committed and told, by type of item."}, []string{"type"}),
		holes:  counter("feed_reads_total", "Times that this node read what was missing in a feed."),
		missed: counter("feed_sweeps_total", "Feeds of which a sweep found that this node had not told all."),
		dropped: f.NewCounterVec(prometheus.CounterOpts{Namespace: "carillon", Name: "frames_dropped_total",
			Help: "Frames a slow tab did not get: ephemeral, merged into a newer one, or with its connection (slow); and changes that were left to a sweep (fan_out)."},
			[]string{"reason"}),
		closes: f.NewCounterVec(prometheus.CounterOpts{Namespace: "carillon", Name: "closes_total",
			Help: "Connections ended, by close code, or by who ended them."}, []string{"code"}),
		refused: f.NewCounterVec(prometheus.CounterOpts{Namespace: "carillon", Name: "refusals_total",
			Help: "Requests refused, by error code."}, []string{"code"}),
		hello: f.NewHistogramVec(prometheus.HistogramOpts{Namespace: "carillon", Name: "hello_seconds",
			Help: "Time of each phase of hello: verify, wait, join, read.", Buckets: times}, []string{"phase"}),
		requests: f.NewHistogramVec(prometheus.HistogramOpts{Namespace: "carillon", Name: "request_seconds",
			Help: "Time to answer a request, by method.", Buckets: times}, []string{"method"}),
	}
}

func closeLabel(code int) string { return strconv.Itoa(code) }
