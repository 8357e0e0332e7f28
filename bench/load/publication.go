package load

import (
	"encoding/binary"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// publication is what one peer publishes: Opus, and video in one layer or three. The pacer
// asks it for packets; the peer's receiving half only leaves requests with it.
type publication struct {
	media Media
	peer  *Peer

	// Owned by the pacer, from the moment at which it is added there.
	audio      *sentStream
	video      []*sentStream
	nextFrame  time.Time
	nextAudio  time.Time
	talkBegan  time.Time
	nextReport time.Time
	scheduled  []scheduledPacket // packets of the current frame that wait for their time

	nacks chan *rtcp.TransportLayerNack
	sent  atomic.Uint64 // packets of media
}

type scheduledPacket struct {
	due    time.Time
	out    *sentStream
	packet *rtp.Packet
}

func newPublication(m Media) *publication {
	return &publication{media: m, nacks: make(chan *rtcp.TransportLayerNack, 64)}
}

// sections are the media sections that send this publication; mids are "0" and "1".
func (s *publication) sections() []section {
	s.audio = &sentStream{ssrc: randomID(), clock: 48000}
	sections := []section{{mid: "0", send: true, ssrc: s.audio.ssrc}}
	layers := s.media.layers()
	if len(layers) == 0 {
		return sections
	}
	video := section{mid: "1", video: true, send: true, codec: s.media.Codec}
	for _, l := range layers {
		o := &sentStream{layer: l, ssrc: randomID(), rtxSSRC: randomID(), clock: 90000}
		s.video = append(s.video, o)
		if l.rid != "" {
			video.rids = append(video.rids, l.rid)
		}
	}
	if len(video.rids) == 0 {
		video.ssrc, video.rtx = s.video[0].ssrc, s.video[0].rtxSSRC
	}
	return append(sections, video)
}

// begin takes the payload types and extensions of the server's answer, and starts the schedule.
func (s *publication) begin(p *Peer, now time.Time) error {
	s.peer = p
	s.nextFrame, s.nextAudio, s.talkBegan, s.nextReport = now, now, now, now
	sections := p.answer.sections // those in which the peer receives come after its own
	if len(sections) == 0 || sections[0].rejected {
		return &RefusedCodec{"opus"}
	}
	if err := s.audio.accept(sections[0], "opus", "0", now); err != nil || len(s.video) == 0 {
		return err
	}
	if len(sections) < 2 || sections[1].rejected {
		return &RefusedCodec{s.media.Codec}
	}
	if s.media.Simulcast && !sections[1].simulcast {
		s.video = s.video[len(s.video)-1:] // the server takes one layer only
	}
	for _, o := range s.video {
		if err := o.accept(sections[1], s.media.Codec, "1", now); err != nil {
			return err
		}
	}
	return nil
}

// RefusedCodec is the answer of a server that takes the peer without one of its codecs.
type RefusedCodec struct{ Codec string }

func (e *RefusedCodec) Error() string { return "the server refuses " + e.Codec }

// requestKeyFrame may be called from any goroutine, and on nil.
func (s *publication) requestKeyFrame(ssrc uint32) {
	if s == nil {
		return
	}
	for _, o := range s.video {
		if o.ssrc == ssrc {
			o.keyFrameWanted.Store(true)
		}
	}
}

// requestRetransmission may be called from any goroutine, and on nil. A request that finds the
// queue full is dropped, and the server will ask again.
func (s *publication) requestRetransmission(n *rtcp.TransportLayerNack) {
	if s == nil {
		return
	}
	select {
	case s.nacks <- n:
	default:
	}
}

// newFrame makes the packets of one video frame of one layer.
func (s *publication) newFrame(o *sentStream, now time.Time) []*rtp.Packet {
	// All layers of a frame have the time stamp of the schedule.
	f := frame{key: o.keyFrameWanted.Swap(false) || o.packets == 0, id: o.picture, width: o.width, height: o.height}
	o.picture = (o.picture + 1) & 0x7fff
	o.owed += o.rate / 8 / float64(s.media.FPS) / float64(s.media.Size)
	whole := int(o.owed)
	o.owed -= float64(max(whole, 0))
	size := s.media.Size
	if whole <= 0 { // a layer of less than a packet per frame, or one whose last key frame was too large
		whole, size = 1, min(max(int(o.rate/8/float64(s.media.FPS))/4, 64), size)
		o.owed -= float64(size) / float64(s.media.Size)
	}
	if f.key {
		extra := whole // a key frame is twice as large, and the next frames are smaller
		whole += extra
		o.owed -= float64(extra)
	}
	o.owed = max(o.owed, -8)
	packets := make([]*rtp.Packet, whole)
	for i := range packets {
		payload := make([]byte, size)
		if s.media.Codec == "h264" {
			f.h264(payload, i, whole-1)
		} else {
			f.vp8(payload, i == 0)
		}
		packets[i] = o.newPacket(payload, now)
		packets[i].Marker = i == whole-1
	}
	return packets
}

// newSound makes one packet of Opus.
func (s *publication) newSound(now time.Time) *rtp.Packet {
	payload := make([]byte, s.media.AudioSize)
	opus(payload)
	return s.audio.newPacket(payload, now)
}

// talks says whether a packet of sound is due at t: every 20 ms of speech, and one of comfort
// noise at the beginning of a pause.
func (s *publication) talks(t time.Time) (speaks, resumes bool) {
	at := t.Sub(s.talkBegan) % TalkCycle
	speech := TalkCycle - talkPause
	return at < speech+audioFrame, at < audioFrame
}

// retransmissions makes the packets that the server asked for, as RFC 4588 says.
func (s *publication) retransmissions(n *rtcp.TransportLayerNack) (packets []*rtp.Packet, outs []*sentStream) {
	for _, o := range append([]*sentStream{s.audio}, s.video...) {
		if o.ssrc != n.MediaSSRC {
			continue
		}
		for _, pair := range n.Nacks {
			pair.Range(func(seq uint16) bool {
				k := o.history[seq%uint16(len(o.history))]
				if k.packet == nil || k.seq != seq {
					return true
				}
				again := *k.packet
				if o.rtxPayloadType != 0 && o.rid == "" {
					again.Header = k.packet.Header.Clone()
					again.PayloadType, again.SSRC, again.SequenceNumber = o.rtxPayloadType, o.rtxSSRC, o.rtxSeq
					o.rtxSeq++
					again.Payload = append(binary.BigEndian.AppendUint16(nil, seq), k.packet.Payload...)
				}
				packets, outs = append(packets, &again), append(outs, o)
				return true
			})
		}
	}
	return packets, outs
}

// senderReport is one compound packet for all streams of the publication; nil: none has begun.
func (s *publication) senderReport(now time.Time) []byte {
	var all []rtcp.Packet
	for _, o := range append([]*sentStream{s.audio}, s.video...) {
		if !o.started {
			continue
		}
		ntp := uint64(now.Unix()+2208988800)<<32 | uint64(now.Nanosecond())<<32/1e9
		all = append(all, &rtcp.SenderReport{
			SSRC: o.ssrc, NTPTime: ntp, PacketCount: o.packets, OctetCount: o.octets,
			RTPTime: uint32(int64(now.Sub(o.base)) * int64(o.clock) / int64(time.Second)),
		})
	}
	if len(all) == 0 {
		return nil
	}
	all = append(all, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: s.audio.ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "bench"}},
	}}})
	b, err := rtcp.Marshal(all)
	if err != nil {
		return nil
	}
	return b
}

// offset gives the publishers of a room different moments for their frames.
func (s *publication) offset(i, n int) time.Duration {
	if n <= 1 {
		return 0
	}
	return time.Second/time.Duration(s.media.FPS)*time.Duration(i)/time.Duration(n) + time.Duration(mathrand.Int64N(int64(time.Millisecond)))
}
