package store

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	commits, refused, failed, events prometheus.Counter
	batch                            prometheus.Histogram
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "carillon", Subsystem: "store", Name: name, Help: help})
	}
	return &metrics{
		commits: counter("commits_total", "Commits, each synced to disk once."),
		refused: counter("refused_total", "Writes refused because too many waited."),
		failed:  counter("failed_total", "Writes undone because the disk failed or is full."),
		events:  counter("events_total", "Events written to users' logs."),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "carillon", Subsystem: "store", Name: "batch_writes", Help: "Writes per commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
	}
}

// Register adds the store's metrics to reg.
func (s *Store) Register(reg prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{s.metrics.commits, s.metrics.refused, s.metrics.failed, s.metrics.events, s.metrics.batch} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
