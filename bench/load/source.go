package load

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// source is what one peer publishes: Opus, and video in one layer or three. The pacer
// drives it; the peer's reader only leaves wishes.
type source struct {
	media Media
	peer  *Peer

	// Owned by the pacer.
	audio      *outgoing
	video      []*outgoing
	nextFrame  time.Time
	nextAudio  time.Time
	talkBegan  time.Time
	nextReport time.Time
	even       []scheduled // packets of the current frame that wait for their time

	again chan *rtcp.TransportLayerNack
	sent  atomic.Uint64 // packets of media
}

// outgoing is one SSRC that we send.
type outgoing struct {
	layer
	ssrc, rtxSSRC uint32
	kind, rtxKind uint8
	clock         uint32
	extensions    []extension
	twcc          uint8

	seq, rtxSeq   uint16
	picture       uint16
	base          time.Time
	carry         float64 // packets owed from frames before
	started       bool
	key           atomic.Bool // wanted
	packets, size uint32
	history       [512]kept // for those who ask again
}

type extension struct {
	id    uint8
	value []byte
}

type kept struct {
	seq    uint16
	packet *rtp.Packet
}

type scheduled struct {
	due    time.Time
	out    *outgoing
	packet *rtp.Packet
}

func randomID() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:])
}

func newSource(m Media) *source {
	return &source{media: m, again: make(chan *rtcp.TransportLayerNack, 64)}
}

// lines are the media sections that publish this source; mids are "0" and "1".
func (s *source) lines() []line {
	s.audio = &outgoing{ssrc: randomID(), clock: 48000}
	lines := []line{{mid: "0", send: true, ssrc: s.audio.ssrc}}
	layers := s.media.layers()
	if len(layers) == 0 {
		return lines
	}
	video := line{mid: "1", video: true, send: true, codec: s.media.Codec}
	for _, l := range layers {
		o := &outgoing{layer: l, ssrc: randomID(), rtxSSRC: randomID(), clock: 90000}
		s.video = append(s.video, o)
		if l.rid != "" {
			video.rids = append(video.rids, l.rid)
		}
	}
	if len(video.rids) == 0 {
		video.ssrc, video.rtx = s.video[0].ssrc, s.video[0].rtxSSRC
	}
	return append(lines, video)
}

// begin takes what the server answered and sets the schedule off.
func (s *source) begin(p *Peer, now time.Time) error {
	s.peer = p
	s.nextFrame, s.nextAudio, s.talkBegan, s.nextReport = now, now, now, now
	lines := p.answer.lines // what a peer also receives comes after its own
	if len(lines) == 0 || lines[0].rejected {
		return &RefusedCodec{"opus"}
	}
	if err := s.audio.accept(lines[0], "opus", "0", now); err != nil || len(s.video) == 0 {
		return err
	}
	if len(lines) < 2 || lines[1].rejected {
		return &RefusedCodec{s.media.Codec}
	}
	if s.media.Simulcast && !lines[1].layers {
		s.video = s.video[len(s.video)-1:] // the server takes one layer only
	}
	for _, o := range s.video {
		if err := o.accept(lines[1], s.media.Codec, "1", now); err != nil {
			return err
		}
	}
	return nil
}

func (o *outgoing) accept(l answerLine, codec, mid string, now time.Time) error {
	kind, rtx, ok := l.typeOf(codec)
	if !ok {
		return &RefusedCodec{codec}
	}
	o.kind, o.rtxKind, o.base, o.started = kind, rtx, now, true
	o.seq, o.rtxSeq, o.picture = uint16(randomID()), uint16(randomID()), uint16(randomID())&0x7fff
	if l.twcc {
		o.twcc = l.ext[uriTWCC]
	}
	if id := l.ext[uriMID]; id != 0 {
		o.extensions = append(o.extensions, extension{id, []byte(mid)})
	}
	if id := l.ext[uriRID]; id != 0 && o.rid != "" {
		o.extensions = append(o.extensions, extension{id, []byte(o.rid)})
	}
	if id := l.ext[uriLevel]; id != 0 && codec == "opus" {
		o.extensions = append(o.extensions, extension{id, []byte{0x80 | 30}}) // speech at -30 dBov
	}
	return nil
}

type RefusedCodec struct{ Codec string }

func (e *RefusedCodec) Error() string { return "the server refuses " + e.Codec }

// wantKeyFrame may be called from any goroutine, also without a source.
func (s *source) wantKeyFrame(ssrc uint32) {
	if s == nil {
		return
	}
	for _, o := range s.video {
		if o.ssrc == ssrc {
			o.key.Store(true)
		}
	}
}

// wantAgain may be called from any goroutine, also without a source. A wish that finds
// the queue full is dropped: it will be made again.
func (s *source) wantAgain(n *rtcp.TransportLayerNack) {
	if s == nil {
		return
	}
	select {
	case s.again <- n:
	default:
	}
}

// frame makes the packets of one picture of one layer.
func (s *source) frame(o *outgoing, now time.Time) []*rtp.Packet {
	// Layers share one time line: the time stamp is the schedule's, not the packet's.
	f := picture{key: o.key.Swap(false) || o.packets == 0, id: o.picture, width: o.width, height: o.height}
	o.picture = (o.picture + 1) & 0x7fff
	o.carry += o.rate / 8 / float64(s.media.FPS) / float64(s.media.Size)
	whole := int(o.carry)
	o.carry -= float64(max(whole, 0))
	size := s.media.Size
	if whole <= 0 { // a layer of less than a packet per frame, or one that pays for its key frame
		whole, size = 1, min(max(int(o.rate/8/float64(s.media.FPS))/4, 64), size)
		o.carry -= float64(size) / float64(s.media.Size)
	}
	if f.key {
		extra := whole // a key frame is larger; the next frames make up for it
		whole += extra
		o.carry -= float64(extra)
	}
	o.carry = max(o.carry, -8)
	packets := make([]*rtp.Packet, whole)
	for i := range packets {
		payload := make([]byte, size)
		if s.media.Codec == "h264" {
			f.h264(payload, i, whole-1)
		} else {
			f.vp8(payload, i == 0)
		}
		packets[i] = o.packet(payload, now)
		packets[i].Marker = i == whole-1
	}
	return packets
}

// sound makes one packet of Opus.
func (s *source) sound(now time.Time) *rtp.Packet {
	payload := make([]byte, s.media.AudioSize)
	opus(payload)
	return s.audio.packet(payload, now)
}

func (o *outgoing) packet(payload []byte, now time.Time) *rtp.Packet {
	p := &rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: o.kind, SequenceNumber: o.seq, SSRC: o.ssrc,
		Timestamp: uint32(int64(now.Sub(o.base)) * int64(o.clock) / int64(time.Second)),
	}, Payload: payload}
	o.seq++
	for _, e := range o.extensions {
		_ = p.SetExtension(e.id, e.value) // ids and sizes were checked when the answer was read
	}
	return p
}

// talking says whether the schedule has a packet of sound at t: every 20 ms of speech,
// and one comfort noise at the beginning of a pause.
func (s *source) talking(t time.Time) (speaks, resumes bool) {
	at := t.Sub(s.talkBegan) % TalkCycle
	speech := TalkCycle - talkPause
	return at < speech+audioFrame, at < audioFrame
}

// repairs makes the packets that the server asked for again.
func (s *source) repairs(n *rtcp.TransportLayerNack) (packets []*rtp.Packet, outs []*outgoing) {
	for _, o := range append([]*outgoing{s.audio}, s.video...) {
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
				if o.rtxKind != 0 && o.rid == "" {
					again.Header = k.packet.Header.Clone()
					again.PayloadType, again.SSRC, again.SequenceNumber = o.rtxKind, o.rtxSSRC, o.rtxSeq
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

// report is the sender report of all our streams.
func (s *source) report(now time.Time) []byte {
	var all []rtcp.Packet
	for _, o := range append([]*outgoing{s.audio}, s.video...) {
		if !o.started {
			continue
		}
		ntp := uint64(now.Unix()+2208988800)<<32 | uint64(now.Nanosecond())<<32/1e9
		all = append(all, &rtcp.SenderReport{
			SSRC: o.ssrc, NTPTime: ntp, PacketCount: o.packets, OctetCount: o.size,
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

// spread gives the publishers of a room different moments for their frames.
func (s *source) offset(i, n int) time.Duration {
	if n <= 1 {
		return 0
	}
	return time.Second/time.Duration(s.media.FPS)*time.Duration(i)/time.Duration(n) + time.Duration(mathrand.Int64N(int64(time.Millisecond)))
}
