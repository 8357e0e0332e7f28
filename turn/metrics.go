//go:build linux

package turn

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/limit"
)

// metrics collects what the loops and streams count. No label names a user.
type metrics struct {
	server *Server
	reg    prometheus.Registerer

	bindings, unauthorized, forbidden atomic.Int64

	relays      *prometheus.GaugeVec
	relaysTotal *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	endings     *prometheus.CounterVec
	packets     *prometheus.Desc
	bytes       *prometheus.Desc
	dropped     *prometheus.Desc
	calls       *prometheus.Desc
	requests    *prometheus.Desc
	connections prometheus.Collector
	limited     prometheus.Collector
}

func newMetrics(s *Server) *metrics {
	return &metrics{
		server: s,
		relays: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carillon_turn_relays", Help: "Live relays."}, []string{"transport"}),
		relaysTotal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_turn_relays_total", Help: "Relays opened."}, []string{"transport"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_turn_refused_total", Help: "Allocations refused, by STUN error code."}, []string{"code"}),
		endings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_turn_connections_closed_total", Help: "TCP and TLS connections ended, by reason."}, []string{"transport", "reason"}),
		packets: prometheus.NewDesc("carillon_turn_packets_total", "Packets relayed.", []string{"direction"}, nil),
		bytes:   prometheus.NewDesc("carillon_turn_bytes_total", "Payload bytes relayed.", []string{"direction"}, nil),
		dropped: prometheus.NewDesc("carillon_turn_dropped_total", "Packets and answers dropped, by reason.", []string{"reason"}, nil),
		calls:   prometheus.NewDesc("carillon_turn_system_calls_total", "Batched reads and writes of UDP sockets.", []string{"kind"}, nil),
		requests: prometheus.NewDesc("carillon_turn_requests_total",
			"Binding requests answered, requests with wrong credentials, peers refused.", []string{"kind"}, nil),
		connections: s.connections.Metrics("turn"),
		limited:     limit.Collector(s.counts.counts()...),
	}
}

func (m *metrics) opened(transport string) {
	m.relays.WithLabelValues(transport).Inc()
	m.relaysTotal.WithLabelValues(transport).Inc()
}

func (m *metrics) endedRelay(transport string) { m.relays.WithLabelValues(transport).Dec() }

func (m *metrics) refused(code int) { m.refusals.WithLabelValues(strconv.Itoa(code)).Inc() }

func (m *metrics) closed(transport, reason string) {
	m.endings.WithLabelValues(transport, reason).Inc()
}

func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, v := range []prometheus.Collector{m.relays, m.relaysTotal, m.refusals, m.endings, m.connections, m.limited} {
		v.Describe(to)
	}
	for _, d := range []*prometheus.Desc{m.packets, m.bytes, m.dropped, m.calls, m.requests} {
		to <- d
	}
}

func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, v := range []prometheus.Collector{m.relays, m.relaysTotal, m.refusals, m.endings, m.connections, m.limited} {
		v.Collect(to)
	}
	counter := func(d *prometheus.Desc, value int64, label string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), label)
	}
	sum := m.server.sum
	counter(m.packets, sum(func(t *traffic) *atomic.Int64 { return &t.toPeers }), "to_peers")
	counter(m.packets, sum(func(t *traffic) *atomic.Int64 { return &t.toClients }), "to_clients")
	counter(m.bytes, sum(func(t *traffic) *atomic.Int64 { return &t.toPeersBytes }), "to_peers")
	counter(m.bytes, sum(func(t *traffic) *atomic.Int64 { return &t.toClientsBytes }), "to_clients")
	counter(m.calls, sum(func(t *traffic) *atomic.Int64 { return &t.reads }), "read")
	counter(m.calls, sum(func(t *traffic) *atomic.Int64 { return &t.writes }), "write")
	for r := range dropReasons {
		counter(m.dropped, sum(func(t *traffic) *atomic.Int64 { return &t.dropped[r] }), r.String())
	}
	counter(m.requests, m.bindings.Load(), "binding")
	counter(m.requests, m.unauthorized.Load(), "unauthorized")
	counter(m.requests, m.forbidden.Load(), "forbidden_peer")
}

// sum adds one count of all loops and streams.
func (s *Server) sum(of func(*traffic) *atomic.Int64) int64 {
	total := of(&s.streams).Load()
	for _, l := range s.loops {
		total += of(&l.stats).Load()
	}
	return total
}
