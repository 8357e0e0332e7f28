package switchboard

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"carillon/call"
)

type metrics struct {
	live   prometheus.Gauge
	ended  *prometheus.CounterVec
	phases *prometheus.HistogramVec
}

// phases of a call: ring and answer count from the start; ice, dtls and the first packets
// from a leg's first offer; first_audio and first_frame from the click, in the client.
var phases = []string{"ring", "answer", "ice", "dtls", "first_packet_in", "first_packet_out", "first_audio", "first_frame"}

// newMetrics registers them; a nil Registerer leaves them unregistered.
func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		live: f.NewGauge(prometheus.GaugeOpts{Namespace: "carillon", Name: "calls_live", Help: "Live calls that this node owns."}),
		ended: f.NewCounterVec(prometheus.CounterOpts{
			Namespace: "carillon", Name: "calls_ended_total", Help: "Calls that ended, by reason.",
		}, []string{"reason"}),
		phases: f.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "carillon", Name: "call_phase_seconds", Help: "How long the phases of a call took.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 45, 120},
		}, []string{"phase"}),
	}
}

// phase ignores names it does not know: a client must not make labels.
func (m *metrics) phase(name string, d time.Duration) {
	if slices.Contains(phases, name) && d >= 0 {
		m.phases.WithLabelValues(name).Observe(d.Seconds())
	}
}

// watch counts what a transition shows.
func (m *metrics) watch(before, after call.Call) {
	if after.Rings() && !before.Rings() && before.State() == call.Ringing {
		m.phase("ring", after.Age())
	}
	if before.State() == call.Ringing && after.State() == call.Connecting {
		m.phase("answer", after.Age())
	}
	if after.Ended() && !before.Ended() {
		m.ended.WithLabelValues(string(after.Reason())).Inc()
	}
}
