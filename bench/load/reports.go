package load

import (
	"time"

	"github.com/pion/rtcp"
)

// A peer reports like a browser: transport feedback ten times a second, a receiver report once
// a second, and what is missing at the next tick. The SSRC of a pure receiver is 1.
const (
	reportInterval      = 20 * time.Millisecond
	feedbackTicks       = 5   // ticks between two transport feedbacks
	receiverReportTicks = 50  // between two receiver reports
	consentTicks        = 100 // between two connectivity checks
	receiverSSRC        = 1

	// Peers connect together, but must not report together: the ticks of each are so far ahead
	// of those of the peer before. It has no factor in common with the numbers above, so
	// reports spread evenly.
	reportStride = 37
)

// dueLocked returns the RTCP packets to send now, unencrypted, and whether the consent is to
// be renewed. While no media runs only the consent goes out: another target is being measured.
func (in *inbound) dueLocked(now int64, running bool) (out [][]byte, consent bool) {
	if in.decrypter == nil {
		return nil, false
	}
	in.ticks++
	consent = in.ticks%consentTicks == 0
	if !running {
		in.missing, in.arrivals.base = in.missing[:0], in.arrivals.next
		return nil, consent
	}
	for _, n := range in.missing {
		n.SenderSSRC = receiverSSRC
		if b, err := n.Marshal(); err == nil {
			out = append(out, b)
		}
	}
	in.missing = in.missing[:0]
	if in.ticks%feedbackTicks == 0 && in.twccID != 0 && len(in.streams) > 0 {
		if b := in.arrivals.feedback(nil, receiverSSRC, in.streams[0].ssrc); len(b) > 0 {
			out = append(out, b)
		}
	}
	if in.ticks%receiverReportTicks == 0 && len(in.streams) > 0 {
		if b := in.receiverReport(now); b != nil {
			out = append(out, b)
		}
	}
	return out, consent
}

// receiverReport is one report block for each of up to 31 streams; nil: it cannot be written.
func (in *inbound) receiverReport(now int64) []byte {
	report := rtcp.ReceiverReport{SSRC: receiverSSRC}
	for _, s := range in.streams {
		if s.retransmission || len(report.Reports) == 31 {
			continue
		}
		r := rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: uint32(s.sequence.Highest), Jitter: uint32(s.jitter)}
		fresh, expected := s.fresh-s.reported[0], s.expected-s.reported[1]
		s.reported = [2]int64{s.fresh, s.expected}
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

// report sends the reports that are due. The generator's report loop calls it.
func (p *Peer) report(now int64, running bool) {
	if p.ice == nil {
		return // a peer with keys sends none
	}
	m := p.transport.meter()
	m.mu.Lock()
	out, consent := p.inbound.dueLocked(now, running)
	m.mu.Unlock()
	for _, b := range out {
		p.sendRTCP(b)
	}
	if consent {
		p.renewConsent()
	}
}
