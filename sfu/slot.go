package sfu

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"carillon/udp"
)

type interceptorAttributes = interceptor.Attributes

// slot is one outgoing stream of a peer, which shows whichever source it is assigned.
// It is pion's TrackLocal; its SSRC never changes.
type slot struct {
	// Fixed at construction.
	peer *Peer
	kind webrtc.RTPCodecType
	id   string

	// Owned by room.mu.
	mid    string
	source *source // shown or about to be; nil: nothing
	early  *layer  // a key frame of it was requested before the slot was open

	// The loops of two layers meet here while a switch is under way, and so does the
	// reader of repairs. Nobody holds it while waiting for anything but pion's write.
	mu       sync.Mutex
	writer   webrtc.TrackLocalWriter // nil: not negotiated
	isOpen   bool                    // the peer is connected: what is written leaves
	ssrc     uint32
	rtxSSRC  uint32
	types    [codecs]uint8 // payload types; 0: the client cannot decode it
	rtxTypes [codecs]uint8
	current  *layer // shown now
	target   *layer // shown from its next key frame on
	rewriter rewriter
	start    uint16 // first sequence number
	header   rtp.Header
	csrc     [1]uint32
	scratch  [udp.MaxPacket]byte
	history  []sent
	repair   packet // reused
	rtxSeq   uint16
	packets  uint32 // for sender reports
	octets   uint32
	down     stepDown
}

// sent says which packet of which layer left under a number, for repair.
type sent struct {
	numbers
	layer    *layer
	ext      uint64
	repaired time.Duration
}

// repairAgain: a client that asks twice within a round trip has not seen the first copy.
const repairAgain = 20 * time.Millisecond

func newSlot(p *Peer, kind webrtc.RTPCodecType, n int) *slot {
	size := p.room.sfu.cfg.VideoPackets
	if kind == webrtc.RTPCodecTypeAudio {
		size = p.room.sfu.cfg.AudioPackets
	}
	return &slot{
		peer: p, kind: kind, id: "slot-" + strconv.Itoa(n),
		// Low, as RFC 3711 wants it: lost first packets must not cost the roll-over counter.
		start:   uint16(rand.Uint32N(1 << 15)),
		history: make([]sent, size),
	}
}

// ID, StreamID, RID and Kind make a slot a webrtc.TrackLocal. Each slot is a stream of
// its own: what two slots show need not belong together.
func (s *slot) ID() string                { return s.id }
func (s *slot) StreamID() string          { return s.id }
func (s *slot) RID() string               { return "" }
func (s *slot) Kind() webrtc.RTPCodecType { return s.kind }

// Bind takes what was negotiated. A slot may send any of the codecs: it uses the one
// of the source that it shows.
func (s *slot) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first webrtc.RTPCodecParameters
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
		if first.MimeType == "" {
			first = c
		}
	}
	if first.MimeType == "" {
		return first, webrtc.ErrUnsupportedCodec
	}
	s.ssrc, s.rtxSSRC = uint32(t.SSRC()), uint32(t.SSRCRetransmission())
	s.writer = t.WriteStream()
	return first, nil
}

// Unbind ends the slot.
func (s *slot) Unbind(webrtc.TrackLocalContext) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writer, s.isOpen, s.current, s.target = nil, false, nil, nil
	return nil
}

// open lets packets out. It is called when the peer is connected and the slot is
// negotiated; before that whatever is written would be lost without a word.
func (s *slot) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOpen = s.writer != nil
}

// aim makes the slot show a layer as soon as a decoder can start there; nil: nothing,
// from this moment on.
func (s *slot) aim(l *layer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case l == nil:
		s.current, s.target = nil, nil
	case l == s.current:
		s.target = nil
	default:
		if s.current != nil && s.current.source != l.source {
			s.current = nil // whom it showed may be muted or gone
		}
		s.target = l
	}
}

// shows are the layers whose packets the slot wants.
func (s *slot) shows() (current, target *layer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.target
}

func (s *slot) opened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isOpen
}

// forward sends a packet of a layer, if the slot shows it. It allocates nothing.
func (s *slot) forward(l *layer, p *packet, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen || s.types[s.leaves(p.codec)] == 0 {
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
	s.current, s.target = l, nil
	s.rewriter.begin(p, now, s.start)
	s.peer.room.dirty.Store(true) // the layer before need not call any more
}

// sendLocked sends a packet of the layer that is shown, unless it was sent already.
func (s *slot) sendLocked(l *layer, p *packet, now time.Duration) {
	n, ok := s.rewriter.next(p, now)
	if !ok {
		return
	}
	e := &s.history[n.seq%uint64(len(s.history))]
	if e.seq == n.seq && e.layer == l {
		return // by replay
	}
	*e = sent{numbers: n, layer: l, ext: p.ext}
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
	p := &s.repair
	for ext := first; ext <= last; ext++ {
		before := p.ts
		if !l.buffer.get(ext, p) || s.types[s.leaves(p.codec)] == 0 {
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

// leaves is the codec in which a packet leaves: RED loses its redundancy for who
// cannot read it.
func (s *slot) leaves(c codec) codec {
	if c == codecRED && s.types[codecRED] == 0 {
		return codecOpus
	}
	return c
}

// write sends p under numbers n, as RTX when again is set.
func (s *slot) write(l *layer, p *packet, n numbers, again bool) bool {
	m := s.peer.room.sfu.metrics
	c, payload := s.leaves(p.codec), p.payload
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
	room := s.scratch[:]
	if again && s.rtxTypes[c] != 0 && s.rtxSSRC != 0 {
		// https://www.rfc-editor.org/rfc/rfc4588#section-4
		binary.BigEndian.PutUint16(room, uint16(n.seq))
		s.header.SSRC, s.header.PayloadType, s.header.SequenceNumber = s.rtxSSRC, s.rtxTypes[c], s.rtxSeq
		s.rtxSeq++
		size := 2 + copy(room[2:], payload)
		payload, room = room[:size], room[2:]
	} else if c == codecVP8 {
		payload = room[:copy(room, payload)]
	}
	if c == codecVP8 && len(p.payload) > 0 {
		p.vp8.put(room, n.picture, n.tl0)
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

// resend answers a request for packets by their numbers.
func (s *slot) resend(pairs []rtcp.NackPair, now time.Duration) {
	m := s.peer.room.sfu.metrics
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer == nil {
		return
	}
	for _, pair := range pairs {
		pair.Range(func(seq uint16) bool {
			m.nacksIn.Add(1)
			ext := s.rewriter.seq - uint64(uint16(s.rewriter.seq)-seq)
			e := &s.history[ext%uint64(len(s.history))]
			if e.layer == nil || e.seq != ext || e.repaired > 0 && now-e.repaired < repairAgain {
				return true
			}
			if e.layer.source.muted.Load() || !e.layer.buffer.get(e.ext, &s.repair) {
				m.dropUnrepairable.Add(1)
				return true
			}
			e.repaired = now
			if s.write(e.layer, &s.repair, e.numbers, true) {
				m.repairs.Add(1)
			}
			return true
		})
	}
}

// feedback reads what the subscriber says about this stream, until the peer is closed.
func (s *slot) feedback(sender *webrtc.RTPSender) {
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

// handleRTCP acts on one report of the subscriber; what is not about this stream is ignored.
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
		s.lost(p.Reports, now)
	}
}

func (s *slot) requestKeyFrame(ssrc uint32, now time.Duration) {
	if current, _ := s.shows(); ssrc == s.ssrc && current != nil && s.kind == webrtc.RTPCodecTypeVideo {
		s.peer.room.sfu.metrics.plisIn.Add(1)
		current.requestKeyFrame(now, current.every)
	}
}

func (s *slot) lost(reports []rtcp.ReceptionReport, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range reports {
		if r.SSRC == s.ssrc && s.current != nil {
			s.down.report(float64(r.FractionLost)/256, s.current.rank, now)
		}
	}
}

// report is the sender report of the stream; not ok: nothing was sent lately.
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
	return &rtcp.SenderReport{
		SSRC:        s.ssrc,
		NTPTime:     ntp(wall),
		RTPTime:     s.rewriter.ts + uint32((now-s.rewriter.at).Microseconds()*clock/1_000_000),
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}, true
}

func (s *slot) highest(now time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down.highest(now)
}
