package sfu

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"carillon/udp"
)

// slot is one outgoing stream of a peer, which shows whichever source it is assigned. It
// implements webrtc.TrackLocal, and its SSRC never changes. A slot is in one of these
// states:
//   - It shows nothing: current and target are nil.
//   - It waits: target is set. The next key frame of target makes that the current layer.
//     Until then the slot sends the packets of current, if that is another layer of the
//     same source.
//   - It shows current, and target is nil.
//
// Until it is open it sends nothing, whatever its state.
type slot struct {
	// Fixed at construction.
	peer  *Peer
	kind  webrtc.RTPCodecType
	id    string
	first uint16 // number of the first packet

	// Owned by room.mu.
	mid    string  // of its line; empty: not negotiated
	source *source // what it is assigned; nil: nothing
	early  *layer  // a key frame of this layer was requested before the slot opened

	// Two layers' loops meet under this lock while a switch is under way, and so do the
	// reader of the subscriber's feedback and the tick. Whoever holds it waits for nothing
	// but pion's write.
	mu sync.Mutex

	// As negotiated, by Bind.
	writer   webrtc.TrackLocalWriter // nil: not negotiated
	ssrc     uint32
	rtxSSRC  uint32
	types    [codecs]uint8 // payload types by codec; 0: the client cannot decode it
	rtxTypes [codecs]uint8 // of the RTX copies; 0: no RTX

	isOpen   bool // the peer is connected: what is written leaves
	current  *layer
	target   *layer
	rewriter rewriter
	history  []sent // what left, by its number modulo the length; nil: nothing did
	rtxSeq   uint16 // of the next RTX packet
	stepDown stepDown
	repairs  repairs

	// For sender reports.
	packets    uint32
	octets     uint32
	reported   uint32        // the time in the newest, as receivers refer to it; 0: none was sent
	reportedAt time.Duration // when that was

	// Memory that write and its callers reuse.
	header  rtp.Header
	csrc    [1]uint32
	scratch [udp.MaxPacket]byte
	fetched packet // from a packet buffer
}

// sent is a packet that left, for repair.
type sent struct {
	numbers
	layer    *layer
	ext      uint64        // its number in the layer
	repairs  int           // how often it was sent again
	repaired time.Duration // when it was last
}

func newSlot(p *Peer, kind webrtc.RTPCodecType, n int) *slot {
	return &slot{
		peer: p, kind: kind, id: "slot-" + strconv.Itoa(n),
		// In the lower half: a receiver that loses the first packets could otherwise miss
		// that the numbers wrapped, and could decrypt nothing.
		// https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1
		first:   uint16(rand.Uint32N(1 << 15)),
		repairs: newRepairs(&p.room.sfu.cfg),
	}
}

// ID, StreamID, RID and Kind make a slot a webrtc.TrackLocal. Each slot is a stream of
// its own: what two slots show need not belong together.
func (s *slot) ID() string                { return s.id }
func (s *slot) StreamID() string          { return s.id }
func (s *slot) RID() string               { return "" }
func (s *slot) Kind() webrtc.RTPCodecType { return s.kind }

// Bind is called by pion with what was negotiated. A slot may send any of the codecs: it
// uses that of the source it shows.
func (s *slot) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var chosen webrtc.RTPCodecParameters // what pion is told; the first that we know
	for _, c := range t.CodecParameters() {
		k := codecOf(c.MimeType)
		if k == codecNone || s.types[k] != 0 {
			continue
		}
		s.types[k] = uint8(c.PayloadType)
		for _, x := range t.CodecParameters() {
			if strings.EqualFold(x.MimeType, "video/rtx") && x.SDPFmtpLine == "apt="+strconv.Itoa(int(c.PayloadType)) {
				s.rtxTypes[k] = uint8(x.PayloadType)
			}
		}
		if chosen.MimeType == "" {
			chosen = c
		}
	}
	if chosen.MimeType == "" {
		return chosen, webrtc.ErrUnsupportedCodec
	}
	s.ssrc, s.rtxSSRC = uint32(t.SSRC()), uint32(t.SSRCRetransmission())
	s.writer = t.WriteStream()
	return chosen, nil
}

// Unbind is called by pion when the slot ends.
func (s *slot) Unbind(webrtc.TrackLocalContext) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writer, s.isOpen, s.current, s.target = nil, false, nil, nil
	return nil
}

// open lets packets out. The peer is connected: before that pion drops what is written
// and returns no error.
func (s *slot) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOpen = s.writer != nil
}

// show makes the slot show a layer as soon as a decoder can start there. Nil makes it
// show nothing, from this moment on.
func (s *slot) show(l *layer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case l == nil:
		if s.current != nil {
			clear(s.history) // it would keep the packets of who has left
		}
		s.current, s.target = nil, nil
	case l == s.current:
		s.target = nil
	default:
		if s.current != nil && s.current.source != l.source {
			s.current = nil // the source before may be muted or gone
		}
		s.target = l
	}
}

// shows returns the layers whose packets the slot wants; nil: none.
func (s *slot) shows() (current, target *layer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.target
}

// opened returns whether the slot lets packets out.
func (s *slot) opened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isOpen
}

// decodes returns whether the client can decode what the layer sends.
func (s *slot) decodes(l *layer) bool {
	c := l.codecNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	return c == codecNone || s.types[s.outgoing(c)] != 0
}

// forward sends a packet of a layer, if the slot shows it. It allocates nothing.
func (s *slot) forward(l *layer, p *packet, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen || s.types[s.outgoing(p.codec)] == 0 {
		return
	}
	if s.current != l {
		if s.target != l || !p.key {
			return
		}
		s.beginLocked(l, p, now)
	}
	s.sendLocked(l, p, now)
}

// beginLocked makes p the first packet of a layer that the slot shows from now on.
func (s *slot) beginLocked(l *layer, p *packet, now time.Duration) {
	if s.history == nil {
		// Most of what a slot costs. Many slots are asked for and never show anything.
		s.history = make([]sent, s.peer.room.sfu.cfg.historyOf(s.kind))
	}
	s.current, s.target = l, nil
	s.rewriter.begin(p, now, s.first)
	s.peer.room.dirty.Store(true) // the layer before has this slot on its list
}

// sendLocked sends a packet of the layer that is shown, unless it was sent already.
func (s *slot) sendLocked(l *layer, p *packet, now time.Duration) {
	n, ok := s.rewriter.next(p, now)
	if !ok {
		return
	}
	e := &s.history[n.seq%uint64(len(s.history))]
	if e.seq == n.seq && e.layer == l {
		return // replay was faster than the loop of the layer
	}
	*e = sent{numbers: n, layer: l, ext: p.ext}
	s.repairs.sent(len(p.payload), now)
	if s.write(l, p, n, false) && s.packets == 1 {
		s.peer.phase(PhaseFirstOut)
	}
}

// replay makes a slot that shows nothing yet begin with the newest key frame of its
// target, if that came a moment ago.
func (s *slot) replay(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.target
	if l == nil || s.current != nil || !s.isOpen {
		return
	}
	first, last, ok := l.replayable(now)
	if !ok {
		return
	}
	p := &s.fetched
	for ext := first; ext <= last; ext++ {
		before := p.ts
		if !l.buffer.get(ext, p) || s.types[s.outgoing(p.codec)] == 0 {
			return
		}
		switch {
		case ext == first:
			s.beginLocked(l, p, now)
		case p.ts != before:
			s.rewriter.replay(p)
		}
		s.sendLocked(l, p, now)
	}
}

// outgoing returns the codec in which a packet is sent. To a client that cannot read RED
// only its primary block is sent, as Opus.
func (s *slot) outgoing(c codec) codec {
	if c == codecRED && s.types[codecRED] == 0 {
		return codecOpus
	}
	return c
}

// write sends p under the numbers n, as RTX if again is set. It returns whether p left.
func (s *slot) write(l *layer, p *packet, n numbers, again bool) bool {
	m := s.peer.room.sfu.metrics
	c, payload := s.outgoing(p.codec), p.payload
	if c != p.codec {
		var ok bool
		if payload, ok = redPrimary(payload); !ok {
			m.dropMalformed.Add(1)
			return false
		}
	}
	s.csrc[0] = l.source.id
	s.header = rtp.Header{
		Version: 2, Marker: p.marker, PayloadType: s.types[c], SequenceNumber: uint16(n.seq),
		Timestamp: n.ts, SSRC: s.ssrc, CSRC: s.csrc[:],
	}
	memory := s.scratch[:]
	if again && s.rtxTypes[c] != 0 && s.rtxSSRC != 0 {
		// https://www.rfc-editor.org/rfc/rfc4588#section-4
		binary.BigEndian.PutUint16(memory, uint16(n.seq))
		s.header.SSRC, s.header.PayloadType, s.header.SequenceNumber = s.rtxSSRC, s.rtxTypes[c], s.rtxSeq
		s.rtxSeq++
		size := 2 + copy(memory[2:], payload)
		payload, memory = memory[:size], memory[2:]
	} else if c == codecVP8 {
		payload = memory[:copy(memory, payload)]
	}
	if c == codecVP8 && len(p.payload) > 0 {
		p.vp8.put(memory, n.picture, n.tl0)
	}
	if n, err := s.writer.WriteRTP(&s.header, payload); err != nil || n == 0 {
		m.dropWrite.Add(1)
		return false
	}
	m.packetsOut.Add(1)
	s.packets++
	s.octets += uint32(len(payload))
	return true
}

// resend answers a NACK from the packet buffer.
func (s *slot) resend(pairs []rtcp.NackPair, now time.Duration) {
	m := s.peer.room.sfu.metrics
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer == nil || s.history == nil {
		return
	}
	for _, pair := range pairs {
		pair.Range(func(seq uint16) bool {
			m.nacksIn.Add(1)
			ext := s.rewriter.seq - uint64(uint16(s.rewriter.seq)-seq)
			e := &s.history[ext%uint64(len(s.history))]
			if e.layer == nil || e.seq != ext {
				return true
			}
			if e.layer.source.muted.Load() || !e.layer.buffer.get(e.ext, &s.fetched) {
				m.dropUnrepairable.Add(1)
				return true
			}
			if !s.repairs.allow(e, len(s.fetched.payload), now) {
				m.dropRepairLimit.Add(1)
				return true
			}
			if s.write(e.layer, &s.fetched, e.numbers, true) {
				m.repairs.Add(1)
			}
			return true
		})
	}
}

// readRTCP reads what the subscriber says about this stream, until the peer is closed.
func (s *slot) readRTCP(sender *webrtc.RTPSender) {
	sfu := s.peer.room.sfu
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			s.handleRTCP(p, sfu.now())
		}
	}
}

// handleRTCP acts on one RTCP packet of the subscriber, if it is about this stream.
func (s *slot) handleRTCP(p rtcp.Packet, now time.Duration) {
	switch p := p.(type) {
	case *rtcp.TransportLayerNack:
		if p.MediaSSRC == s.ssrc {
			s.resend(p.Nacks, now)
		}
	case *rtcp.PictureLossIndication:
		s.requestKeyFrame(p.MediaSSRC, now)
	case *rtcp.FullIntraRequest:
		for _, f := range p.FIR {
			s.requestKeyFrame(f.SSRC, now)
		}
	case *rtcp.ReceiverReport:
		s.noteReports(p.Reports, now)
	}
}

// requestKeyFrame passes a request of the subscriber on to the layer that is shown.
func (s *slot) requestKeyFrame(ssrc uint32, now time.Duration) {
	if current, _ := s.shows(); ssrc == s.ssrc && current != nil && s.kind == webrtc.RTPCodecTypeVideo {
		s.peer.room.sfu.metrics.plisIn.Add(1)
		current.requestKeyFrame(now, current.every)
	}
}

// noteReports takes the loss that the subscriber reports, and how far away it is.
func (s *slot) noteReports(reports []rtcp.ReceptionReport, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range reports {
		if r.SSRC != s.ssrc {
			continue
		}
		if r.LastSenderReport != 0 && r.LastSenderReport == s.reported {
			s.repairs.roundTrip(now - s.reportedAt - time.Duration(r.Delay)*time.Second/65536)
		}
		if s.current != nil {
			s.stepDown.report(float64(r.FractionLost)/256, s.current.rank, now)
		}
	}
}

// report returns the sender report of the stream. Not ok: the slot shows nothing, or has
// sent nothing yet.
func (s *slot) report(now time.Duration, wall time.Time) (rtcp.Packet, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.rewriter.started || s.packets == 0 {
		return nil, false
	}
	clock := int64(90_000)
	if s.kind == webrtc.RTPCodecTypeAudio {
		clock = 48_000
	}
	at := ntp(wall)
	s.reported, s.reportedAt = uint32(at>>16), now
	return &rtcp.SenderReport{
		SSRC:        s.ssrc,
		NTPTime:     at,
		RTPTime:     s.rewriter.ts + uint32((now-s.rewriter.at).Microseconds()*clock/1_000_000),
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}, true
}

// highest returns the highest rank of a layer that the slot may show.
func (s *slot) highest(now time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stepDown.highest(now)
}
