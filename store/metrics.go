package store

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	commits, refused, failed, told prometheus.Counter
	batch, step                    prometheus.Histogram
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "carillon", Subsystem: "store", Name: name, Help: help})
	}
	return &metrics{
		commits: counter("commits_total", "Commits, each synced to disk once."),
		refused: counter("refused_total", "Writes refused because too many waited."),
		failed:  counter("failed_total", "Writes undone because the disk failed or is full."),
		told:    counter("changes_total", "Changes handed on to tabs."),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "carillon", Subsystem: "store", Name: "batch_writes", Help: "Writes per commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		step: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "carillon", Subsystem: "store", Name: "step_seconds", Help: "How long each step that removed what was too old kept others from writing.",
			Buckets: []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1},
		}),
	}
}

// Register adds the store's metrics to reg.
func (s *Store) Register(reg prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{s.metrics.commits, s.metrics.refused, s.metrics.failed, s.metrics.told, s.metrics.batch, s.metrics.step} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
