package load

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/pion/rtcp"

	"carillon/bench/packet"
)

// inbound is the receiving half of a peer: its streams, what it owes the server in
// reports, and the time stamps it finds. All of it is guarded by the lock of the
// wire's meter.
type inbound struct {
	peer    *Peer
	open    *opener // nil until the keys are there
	kinds   [128]kind
	twccID  uint8
	streams []*stream

	arrivals arrivals
	began    time.Time
	first    time.Duration // from keys to the first packet of media; 0: none yet
	missing  []rtcp.TransportLayerNack
	rounds   int
	counted  int64 // packets at the last look at progress
}

// kind is what a payload type means.
type kind struct {
	video, repair, known bool
	clock                float64
	nack                 bool
}

// stream is one SSRC that the server sends us.
type stream struct {
	ssrc uint32
	kind
	track packet.Tracker

	transit float64 // of the last packet, in clock units
	jitter  float64 // RFC 3550, in clock units

	senderReport uint32 // middle bits of the last one's NTP time
	reportedAt   int64
	fresh        int64 // packets
	expected     int64
	before       [2]int64 // fresh, expected at the last report
}

func (in *inbound) begin(p *Peer, open *opener) {
	in.peer, in.open, in.began = p, open, time.Now()
	for _, l := range p.answer.lines {
		for n, t := range l.types {
			if n < 128 {
				in.kinds[n] = kind{video: t.clock == 90000, repair: t.name == "rtx", known: true, clock: float64(max(t.clock, 1)), nack: l.nack}
			}
		}
		if l.twcc && l.ext[uriTWCC] != 0 {
			in.twccID = l.ext[uriTWCC]
		}
	}
}

func (in *inbound) find(h packet.Header) *stream {
	for _, s := range in.streams {
		if s.ssrc == h.SSRC {
			return s
		}
	}
	if !in.kinds[h.PayloadType].known || len(in.streams) >= 256 {
		return nil
	}
	s := &stream{ssrc: h.SSRC, kind: in.kinds[h.PayloadType]}
	in.streams = append(in.streams, s)
	return s
}

// media takes one SRTP packet.
func (in *inbound) media(m *meter, b []byte, at int64) {
	h, err := packet.ParseHeader(b)
	if err != nil || in.open == nil {
		return
	}
	s := in.find(h)
	if s == nil {
		return
	}
	m.Packets++
	m.Bytes += uint64(len(b))
	v := s.track.Add(h.Seq)
	if in.twccID != 0 {
		if x := h.Find(in.twccID); len(x) == 2 {
			in.arrivals.record(binary.BigEndian.Uint16(x), at)
		}
	}
	if s.repair {
		in.repair(m, b, h, v)
		return
	}
	in.count(m, s, v, h, at)
	if !v.Fresh || in.open.sampled() && !m.wants() {
		return
	}
	plain, err := in.open.open(b, h, v.Number)
	if err != nil {
		m.Undecryptable++
		return
	}
	m.Opened++
	sent, ok := readStamp(plain)
	if !ok {
		m.Unstamped++
		return
	}
	m.latency.Add(at - sent)
	if in.first == 0 {
		in.first = time.Since(in.began)
	}
}

func (in *inbound) count(m *meter, s *stream, v packet.Verdict, h packet.Header, at int64) {
	if v.Restarted {
		m.Restarts++
	}
	m.Expected += uint64(v.Advance)
	s.expected += v.Advance
	if !v.Fresh {
		return
	}
	m.Fresh++
	s.fresh++
	// https://www.rfc-editor.org/rfc/rfc3550#appendix-A.8
	transit := float64(at)*s.clock/1e9 - float64(h.Timestamp)
	if s.transit != 0 && v.Advance == 1 {
		if d := math.Abs(transit - s.transit); d < s.clock { // a step of a second is a switch, not jitter
			s.jitter += (d - s.jitter) / 16
		}
	}
	s.transit = transit
	if s.nack && s.video && v.Advance > 1 && v.Advance < 64 {
		lost := make([]uint16, 0, v.Advance-1)
		for n := v.Number - v.Advance + 1; n < v.Number; n++ {
			lost = append(lost, uint16(n))
		}
		in.missing = append(in.missing, rtcp.TransportLayerNack{MediaSSRC: s.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(lost)})
	}
}

// repair takes a retransmission: the first two bytes are the number that was lost.
// https://www.rfc-editor.org/rfc/rfc4588#section-4
func (in *inbound) repair(m *meter, b []byte, h packet.Header, v packet.Verdict) {
	if !v.Fresh {
		return
	}
	plain, err := in.open.open(b, h, v.Number)
	if err != nil || len(plain) < 2 {
		return // padding that only probes the way
	}
	for _, s := range in.streams {
		if s.ssrc == in.peer.answer.repairs[h.SSRC] && s.track.Started {
			if v := s.track.Add(binary.BigEndian.Uint16(plain)); v.Fresh {
				m.Fresh++
				m.Repaired++
				m.Expected += uint64(v.Advance)
				s.fresh++
				s.expected += v.Advance
			}
		}
	}
}

// control takes one SRTCP packet.
func (in *inbound) control(b []byte, at int64) {
	if in.open == nil {
		return
	}
	plain, err := in.open.ctx.DecryptRTCP(nil, b, nil)
	if err != nil {
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		return
	}
	for _, packet := range packets {
		switch r := packet.(type) {
		case *rtcp.SenderReport:
			for _, s := range in.streams {
				if s.ssrc == r.SSRC {
					s.senderReport, s.reportedAt = uint32(r.NTPTime>>16), at
				}
			}
		case *rtcp.PictureLossIndication:
			in.peer.source.wantKeyFrame(r.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, e := range r.FIR {
				in.peer.source.wantKeyFrame(e.SSRC)
			}
		case *rtcp.TransportLayerNack:
			in.peer.source.wantAgain(r)
		}
	}
}
