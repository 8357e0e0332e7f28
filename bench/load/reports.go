package load

import (
	"time"

	"github.com/pion/rtcp"
)

// A peer reports like a browser: transport feedback ten times a second, receiver
// reports once, and what is missing at once. The SSRC of a pure receiver is 1.
const (
	reportTick     = 20 * time.Millisecond
	feedbackRounds = 5   // ticks between two transport feedbacks
	receiverRounds = 50  // between two receiver reports
	consentRounds  = 100 // between two connectivity checks
	receiverSSRC   = 1

	// Peers come in a bunch, but their reports must not: each begins its rounds so far from
	// the one before. It has no factor in common with the rounds above, so they spread evenly.
	reportStride = 37
)

// due collects what to send now, and returns it unencrypted. While no media runs, nothing
// but our consent goes out: somebody else is being measured. Called with the meter's lock held.
func (in *inbound) due(m *meter, now int64, running bool) (out [][]byte, consent bool) {
	if in.open == nil {
		return nil, false
	}
	in.rounds++
	consent = in.rounds%consentRounds == 0
	if !running {
		in.missing, in.arrivals.base = in.missing[:0], in.arrivals.next
		return nil, consent
	}
	for _, n := range in.missing {
		n.SenderSSRC = receiverSSRC
		if b, err := n.Marshal(); err == nil {
			out = append(out, b)
			m.NACKs++
		}
	}
	in.missing = in.missing[:0]
	if in.rounds%feedbackRounds == 0 && in.twccID != 0 && len(in.streams) > 0 {
		if b := in.arrivals.feedback(nil, receiverSSRC, in.streams[0].ssrc); len(b) > 0 {
			out = append(out, b)
		}
	}
	if in.rounds%receiverRounds == 0 && len(in.streams) > 0 {
		if b := in.receiverReport(now); b != nil {
			out = append(out, b)
		}
	}
	return out, consent
}

func (in *inbound) receiverReport(now int64) []byte {
	report := rtcp.ReceiverReport{SSRC: receiverSSRC}
	for _, s := range in.streams {
		if s.repair || len(report.Reports) == 31 {
			continue
		}
		r := rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: uint32(s.track.Highest), Jitter: uint32(s.jitter)}
		fresh, expected := s.fresh-s.before[0], s.expected-s.before[1]
		s.before = [2]int64{s.fresh, s.expected}
		if lost := expected - fresh; lost > 0 && expected > 0 {
			r.FractionLost = uint8(min(lost*256/expected, 255))
		}
		r.TotalLost = uint32(max(s.expected-s.fresh, 0)) & 0x7fffff
		if s.reportedAt != 0 {
			r.LastSenderReport = s.senderReport
			r.Delay = uint32((now - s.reportedAt) * 65536 / int64(time.Second))
		}
		report.Reports = append(report.Reports, r)
	}
	b, err := report.Marshal()
	if err != nil {
		return nil
	}
	return b
}

// report sends what the peer owes. Called by the load's ticker.
func (p *Peer) report(now int64, running bool) {
	if p.ice == nil {
		return // a peer of the floor
	}
	m := p.wire.meter()
	m.mu.Lock()
	out, consent := p.in.due(m, now, running)
	m.mu.Unlock()
	for _, b := range out {
		p.sendRTCP(b)
	}
	if consent {
		p.keepAlive()
	}
}
