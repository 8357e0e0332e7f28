package load

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/pion/rtcp"

	"carillon/bench/packet"
)

// inbound is the receiving half of a peer: the streams that come, and what the peer will
// report about them. The lock of the transport's meter guards all of it.
type inbound struct {
	peer      *Peer
	decrypter *decrypter       // nil until the keys are there
	kinds     [128]payloadKind // by payload type
	twccID    uint8            // of the header extension; 0: not negotiated
	streams   []*receivedStream

	arrivals   arrivals
	began      time.Time                 // when the keys were there
	firstMedia time.Duration             // from then to the first packet of media; 0: none yet
	missing    []rtcp.TransportLayerNack // to be sent at the next tick
	ticks      int                       // of the report loop
	progressAt int64                     // fresh packets at the last call of progress
}

// payloadKind is what a payload type means.
type payloadKind struct {
	video, retransmission, known bool
	clock                        float64 // per second
	nack                         bool    // the server resends what a NACK asks for
}

// receivedStream is one SSRC that the server sends us.
type receivedStream struct {
	ssrc uint32
	payloadKind
	sequence packet.Sequence

	transit float64 // of the last packet, in clock units
	jitter  float64 // RFC 3550, in clock units

	senderReport uint32   // the middle 32 bits of the last one's NTP time
	reportedAt   int64    // when it came
	fresh        int64    // packets that came, each counted once
	expected     int64    // packets that were sent, by their sequence numbers
	reported     [2]int64 // fresh, expected at the last report
}

// beginLocked takes the keys, and from the server's answer what the payload types mean.
func (in *inbound) beginLocked(p *Peer, d *decrypter) {
	in.peer, in.decrypter, in.began = p, d, time.Now()
	for _, section := range p.answer.sections {
		for n, t := range section.types {
			if n < 128 {
				in.kinds[n] = payloadKind{video: t.clock == 90000, retransmission: t.name == "rtx", known: true, clock: float64(max(t.clock, 1)), nack: section.nack}
			}
		}
		if section.twcc && section.ext[uriTWCC] != 0 {
			in.twccID = section.ext[uriTWCC]
		}
	}
}

// streamOf is the stream of a packet, a new one if its payload type is known; else nil.
func (in *inbound) streamOf(h packet.Header) *receivedStream {
	for _, s := range in.streams {
		if s.ssrc == h.SSRC {
			return s
		}
	}
	if !in.kinds[h.PayloadType].known || len(in.streams) >= 256 {
		return nil
	}
	s := &receivedStream{ssrc: h.SSRC, payloadKind: in.kinds[h.PayloadType]}
	in.streams = append(in.streams, s)
	return s
}

// mediaLocked takes one SRTP packet.
func (in *inbound) mediaLocked(m *meter, b []byte, at int64) {
	h, err := packet.ParseHeader(b)
	if err != nil || in.decrypter == nil {
		return
	}
	s := in.streamOf(h)
	if s == nil {
		return
	}
	m.Packets++
	m.Bytes += uint64(len(b))
	v := s.sequence.Add(h.Seq)
	if in.twccID != 0 {
		if x := h.Find(in.twccID); len(x) == 2 {
			in.arrivals.record(binary.BigEndian.Uint16(x), at)
		}
	}
	if s.retransmission {
		in.retransmission(m, b, h, v)
		return
	}
	in.count(m, s, v, h, at)
	if !v.Fresh || in.decrypter.maySkip() && !m.sampledLocked() {
		return
	}
	plain, err := in.decrypter.open(b, h, v.Number)
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
	if in.firstMedia == 0 {
		in.firstMedia = time.Since(in.began)
	}
}

// count follows sequence numbers and jitter, and remembers what to ask for again.
func (in *inbound) count(m *meter, s *receivedStream, v packet.Verdict, h packet.Header, at int64) {
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

// retransmission counts a packet that came again: its first two bytes are the sequence number
// that was lost.
// https://www.rfc-editor.org/rfc/rfc4588#section-4
func (in *inbound) retransmission(m *meter, b []byte, h packet.Header, v packet.Verdict) {
	if !v.Fresh {
		return
	}
	plain, err := in.decrypter.open(b, h, v.Number)
	if err != nil || len(plain) < 2 {
		return // padding that only probes the bandwidth
	}
	for _, s := range in.streams {
		if s.ssrc == in.peer.answer.repairs[h.SSRC] && s.sequence.Started {
			if v := s.sequence.Add(binary.BigEndian.Uint16(plain)); v.Fresh {
				m.Fresh++
				m.Repaired++
				m.Expected += uint64(v.Advance)
				s.fresh++
				s.expected += v.Advance
			}
		}
	}
}

// controlLocked takes one SRTCP packet.
func (in *inbound) controlLocked(b []byte, at int64) {
	if in.decrypter == nil {
		return
	}
	plain, err := in.decrypter.pion.DecryptRTCP(nil, b, nil)
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
			in.peer.publication.requestKeyFrame(r.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, e := range r.FIR {
				in.peer.publication.requestKeyFrame(e.SSRC)
			}
		case *rtcp.TransportLayerNack:
			in.peer.publication.requestRetransmission(r)
		}
	}
}
