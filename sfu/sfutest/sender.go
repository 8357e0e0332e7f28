package sfutest

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Sender is one outgoing stream: a webrtc.TrackLocal that makes its own packets.
type Sender struct {
	// Fixed before the first offer.
	id, rid     string
	kind        webrtc.RTPCodecType
	client      *Client
	transceiver *webrtc.RTPTransceiver

	PLIs, Nacks, Feedback, Reports atomic.Int32 // received so far
	Keys                           atomic.Int32 // key frames sent so far
	Off                            atomic.Bool  // sends nothing while set

	mu sync.Mutex

	// As negotiated, by Bind.
	out     webrtc.TrackLocalWriter // nil: not negotiated, or ended
	ssrc    uint32
	rtxSSRC uint32
	pt      uint8
	red     uint8            // payload type of RED; 0: none
	ext     map[string]uint8 // ids of header extensions by URI

	// Of the newest packet.
	seq     uint16
	rtxSeq  uint16
	ts      uint32
	picture uint16

	key  bool            // the next frame is a key frame
	kept map[uint16]kept // the newest packets by sequence number, for repair
}

// kept is a packet that can be sent again.
type kept struct {
	header  rtp.Header
	payload []byte
}

func newSender(id, rid string, kind webrtc.RTPCodecType, c *Client) *Sender {
	return &Sender{
		id: id, rid: rid, kind: kind, client: c, key: true, kept: make(map[uint16]kept),
		seq: uint16(rand.Uint32()), ts: rand.Uint32(), picture: uint16(rand.Uint32N(1 << 15)),
	}
}

func (s *Sender) ID() string                { return s.id }
func (s *Sender) RID() string               { return s.rid }
func (s *Sender) StreamID() string          { return "client" }
func (s *Sender) Kind() webrtc.RTPCodecType { return s.kind }

func (s *Sender) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ext = make(map[string]uint8)
	for _, x := range t.HeaderExtensions() {
		s.ext[x.URI] = uint8(x.ID)
	}
	for _, c := range t.CodecParameters() {
		switch c.MimeType {
		case "audio/red":
			s.red = uint8(c.PayloadType)
		case webrtc.MimeTypeRTX:
		default:
			s.pt, s.ssrc, s.rtxSSRC, s.out = uint8(c.PayloadType), uint32(t.SSRC()), uint32(t.SSRCRetransmission()), t.WriteStream()
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

func (s *Sender) Unbind(webrtc.TrackLocalContext) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = nil
	return nil
}

// Audio sends one packet of 20 ms at a level in -dBov.
func (s *Sender) Audio(level uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts += 960
	payload := make([]byte, 80)
	pt := s.pt
	if s.client.cfg.RED && s.red != 0 {
		// One older block of 4 bytes, then the primary.
		payload = append([]byte{0x80 | s.pt, 960 << 2 >> 8 & 0xff, 960 << 2 & 0xff, 4, s.pt, 1, 2, 3, 4}, payload...)
		pt = s.red
	}
	h := s.headerLocked(pt)
	if id := s.ext[sdp.AudioLevelURI]; id != 0 {
		_ = h.SetExtension(id, []byte{level & 0x7f})
	}
	s.sendLocked(h, payload)
}

// Frame sends one frame of this many packets; a key frame when the server asked.
func (s *Sender) Frame(packets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts += 3000
	s.picture = (s.picture + 1) & 0x7fff
	key := s.key
	s.key = false
	if key {
		s.Keys.Add(1)
	}
	for i := range packets {
		payload := make([]byte, 1100)
		if s.client.cfg.H264 {
			switch {
			case key && i == 0:
				payload[0] = 24 // STAP-A with a parameter set of 4 bytes
				copy(payload[1:], []byte{0, 4, 7, 0, 0, 0})
				payload = payload[:7]
			case i == 0 || key && i == 1:
				payload[0], payload[1] = 28, 0x80|1
			default:
				payload[0], payload[1] = 28, 1
			}
		} else {
			payload[0], payload[1] = 0x80, 0xc0
			if i == 0 {
				payload[0] |= 0x10
			}
			binary.BigEndian.PutUint16(payload[2:], s.picture|0x8000)
			payload[4] = uint8(s.picture)
			payload[5] = 1
			if key {
				payload[5] = 0
			}
		}
		h := s.headerLocked(s.pt)
		h.Marker = i == packets-1
		s.sendLocked(h, payload)
	}
}

func (s *Sender) headerLocked(pt uint8) *rtp.Header {
	s.seq++
	h := &rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: s.seq, Timestamp: s.ts, SSRC: s.ssrc}
	if id := s.ext[sdp.SDESMidURI]; id != 0 && s.transceiver != nil {
		_ = h.SetExtension(id, []byte(s.transceiver.Mid()))
	}
	if id := s.ext[sdp.SDESRTPStreamIDURI]; id != 0 && s.rid != "" {
		_ = h.SetExtension(id, []byte(s.rid))
	}
	return h
}

func (s *Sender) sendLocked(h *rtp.Header, payload []byte) {
	if s.out == nil || s.Off.Load() {
		return
	}
	if id := s.ext[sdp.TransportCCURI]; id != 0 {
		n := uint16(s.client.twcc.Add(1))
		_ = h.SetExtension(id, binary.BigEndian.AppendUint16(nil, n))
	}
	s.kept[h.SequenceNumber] = kept{*h, payload}
	delete(s.kept, h.SequenceNumber-500)
	_, _ = s.out.WriteRTP(h, payload)
}

// Skip makes packets of this stream that are lost on the way to the server.
func (s *Sender) Skip(packets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range packets {
		h := s.headerLocked(s.pt)
		s.kept[h.SequenceNumber] = kept{*h, make([]byte, 100)}
	}
}

// Again sends a packet of the past once more, as browsers do to probe the bandwidth.
func (s *Sender) Again(back uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.againLocked(s.seq - back)
}

// againLocked repeats a packet, as RTX where that was negotiated. Layers of a
// simulcast camera repeat the packet itself.
func (s *Sender) againLocked(seq uint16) {
	k, ok := s.kept[seq]
	if !ok || s.out == nil {
		return
	}
	if s.rtxSSRC == 0 || s.rid != "" || s.kind == webrtc.RTPCodecTypeAudio {
		_, _ = s.out.WriteRTP(&k.header, k.payload)
		return
	}
	s.rtxSeq++
	h := k.header
	h.SSRC, h.PayloadType, h.SequenceNumber = s.rtxSSRC, 48, s.rtxSeq
	_, _ = s.out.WriteRTP(&h, append(binary.BigEndian.AppendUint16(nil, seq), k.payload...))
}

func (s *Sender) feedback(sender *webrtc.RTPSender) {
	read := sender.ReadRTCP
	if s.rid != "" {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return sender.ReadSimulcastRTCP(s.rid) }
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication:
				s.PLIs.Add(1)
				s.mu.Lock()
				s.key = true
				s.mu.Unlock()
			case *rtcp.TransportLayerNack:
				s.mu.Lock()
				for _, pair := range p.Nacks {
					pair.Range(func(seq uint16) bool {
						s.Nacks.Add(1)
						s.againLocked(seq)
						return true
					})
				}
				s.mu.Unlock()
			case *rtcp.TransportLayerCC:
				s.Feedback.Add(1)
			case *rtcp.ReceiverReport:
				s.Reports.Add(1)
			}
		}
	}
}
