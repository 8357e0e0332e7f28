package sfu

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/limit"
	"carillon/udp"
)

// metrics counts with atomics, and is a prometheus.Collector.
type metrics struct {
	sfu *SFU

	packetsIn, packetsOut      atomic.Uint64
	repairs, nacksIn, nacksOut atomic.Uint64
	plisIn, plisOut            atomic.Uint64

	dropMuted, dropDuplicate, dropMalformed, dropWrite, dropLossy, dropUnrepairable, dropRepairLimit atomic.Uint64
}

var (
	peersDesc      = prometheus.NewDesc("carillon_sfu_peers", "Peers in rooms.", nil, nil)
	connectingDesc = prometheus.NewDesc("carillon_sfu_connecting_peers", "Those of the peers that have not been connected yet.", nil, nil)
	slotsDesc      = prometheus.NewDesc("carillon_sfu_slots", "Slots that the peers have asked for.", nil, nil)
	roomsDesc      = prometheus.NewDesc("carillon_sfu_rooms", "Rooms with peers.", nil, nil)
	packetsDesc    = prometheus.NewDesc("carillon_sfu_packets_total", "RTP packets from publishers and to subscribers.", []string{"direction"}, nil)
	droppedDesc    = prometheus.NewDesc("carillon_sfu_dropped_total", "Packets and messages that were not forwarded.", []string{"reason"}, nil)
	nacksDesc      = prometheus.NewDesc("carillon_sfu_nacks_total", "Packets asked for again, by subscribers (in) and of publishers (out).", []string{"direction"}, nil)
	plisDesc       = prometheus.NewDesc("carillon_sfu_plis_total", "Key-frame requests, by subscribers (in) and of publishers (out).", []string{"direction"}, nil)
	repairsDesc    = prometheus.NewDesc("carillon_sfu_repairs_total", "Packets sent again.", nil, nil)
	datagramDesc   = prometheus.NewDesc("carillon_udp_packets_total", "Datagrams on the media port.", []string{"direction"}, nil)
	bytesDesc      = prometheus.NewDesc("carillon_udp_bytes_total", "Bytes in datagrams on the media port.", []string{"direction"}, nil)
	batchDesc      = prometheus.NewDesc("carillon_udp_send_batch", "Packets per system call that sent some.", nil, nil)
	consentDesc    = prometheus.NewDesc("carillon_sfu_consent_total", "What came of asking addresses whether they want a leg's media.", []string{"event"}, nil)
)

func newMetrics(s *SFU, reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{sfu: s}
	if reg == nil {
		return m, nil
	}
	limit.Register(reg, s.quotas.counts()...)
	if s.streams != nil {
		if err := reg.Register(s.streams.Metrics("sfu_tcp")); err != nil {
			return m, err
		}
	}
	return m, reg.Register(m)
}

func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		peersDesc, connectingDesc, slotsDesc, roomsDesc, packetsDesc, droppedDesc, nacksDesc, plisDesc, repairsDesc, consentDesc, datagramDesc, bytesDesc, batchDesc,
	} {
		ch <- d
	}
}

func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	m.sfu.mu.Lock()
	rooms := len(m.sfu.rooms)
	m.sfu.mu.Unlock()
	gauge(roomsDesc, float64(rooms))
	q := m.sfu.quotas
	gauge(peersDesc, float64(q.peers.Taken()))
	gauge(connectingDesc, float64(q.connecting.Taken()))
	gauge(slotsDesc, float64(q.slots.Taken()))
	count(packetsDesc, m.packetsIn.Load(), "in")
	count(packetsDesc, m.packetsOut.Load(), "out")
	count(nacksDesc, m.nacksIn.Load(), "in")
	count(nacksDesc, m.nacksOut.Load(), "out")
	count(plisDesc, m.plisIn.Load(), "in")
	count(plisDesc, m.plisOut.Load(), "out")
	count(repairsDesc, m.repairs.Load())
	c := m.sfu.gate.Counts()
	for event, n := range map[string]uint64{
		"check": c.Checks, "answer": c.Answers, "held": c.Held, "refused": c.Refused, "lapsed": c.Lapsed, "moved": c.Moved,
	} {
		count(consentDesc, n, event)
	}
	u := m.sfu.conn.Stats()
	for reason, n := range map[string]uint64{
		"muted": m.dropMuted.Load(), "duplicate": m.dropDuplicate.Load(), "malformed": m.dropMalformed.Load(),
		"write": m.dropWrite.Load(), "lossy": m.dropLossy.Load(), "unrepairable": m.dropUnrepairable.Load(), "repair_limit": m.dropRepairLimit.Load(), "no_consent": c.Withheld,
		"queue_full": u.DropQueueFull, "kernel": u.DropKernel, "too_large": u.DropTooLarge,
	} {
		count(droppedDesc, n, reason)
	}
	count(datagramDesc, u.PacketsIn, "in")
	count(datagramDesc, u.PacketsOut, "out")
	count(bytesDesc, u.BytesIn, "in")
	count(bytesDesc, u.BytesOut, "out")
	buckets, sum := make(map[float64]uint64), uint64(0)
	for i, bound := range udp.BatchBounds {
		sum += u.Batches[i]
		buckets[float64(bound)] = sum
	}
	ch <- prometheus.MustNewConstHistogram(batchDesc, u.SendCalls, float64(u.PacketsOut), buckets)
}
