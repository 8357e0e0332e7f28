package sfu

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"carillon/udp"
)

// layer is one incoming stream of a source, with the loop that reads it.
type layer struct {
	// Fixed at construction.
	source  *source
	rank    int    // 0: the lowest, or the only one
	rid     string // empty: no simulcast
	ssrc    uint32
	every   time.Duration // least time between two key-frame requests, but see startEvery
	levelID uint8         // header extension of the audio level; 0: none
	codecs  [128]codec    // by payload type
	buffer  *packetBuffer

	// Owned by loop.
	numbers extender
	packet  packet // reused

	slots atomic.Pointer[[]*slot] // who wants its packets; replaced by Room.listSlotsLocked, never edited
	last  atomic.Int64            // when the newest packet came; 0: none has
	since atomic.Int64            // packets have come without a pause since then

	// Locked by loop once per packet, by the tick and by who requests a key frame.
	mu        sync.Mutex
	losses    losses
	requests  keyFrameRequests
	keyFrame  keyFrame // the newest
	codec     codec    // of the newest packet; codecNone: none has come
	reception reception
	loudness  loudness
	nacks     []uint16 // reused
}

// rids are the simulcast layers that our clients send, the worst first.
var rids = []string{"q", "h", "f"}

// rankOf is the place of a layer in rids. Any other stream has rank 0.
func rankOf(rid string) int { return max(0, slices.Index(rids, rid)) }

func newLayer(src *source, track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) *layer {
	cfg := src.peer.room.sfu.cfg
	l := &layer{source: src, rid: track.RID(), rank: rankOf(track.RID()), ssrc: uint32(track.SSRC())}
	size := cfg.VideoPackets
	if src.kind.audio() {
		size = cfg.AudioPackets
	}
	l.buffer = newPacketBuffer(size)
	l.slots.Store(&[]*slot{})
	l.every = keyFrameEveryHigh
	if l.rid == "q" {
		l.every = keyFrameEveryLow
	}
	parameters := receiver.GetParameters()
	for _, c := range parameters.Codecs {
		if c.PayloadType < 128 {
			l.codecs[c.PayloadType] = codecOf(c.MimeType)
		}
	}
	for _, x := range parameters.HeaderExtensions {
		if x.URI == sdp.AudioLevelURI {
			l.levelID = uint8(x.ID)
		}
	}
	return l
}

// loop reads packets until the peer is closed.
func (l *layer) loop(track *webrtc.TrackRemote) {
	b := make([]byte, udp.MaxPacket)
	sfu := l.source.peer.room.sfu
	for {
		n, _, err := track.Read(b)
		if err != nil && n == 0 { // an error that comes with a packet is about its payload type
			return
		}
		l.receive(b[:n], sfu.now())
	}
}

// receive handles one packet. It does not keep b.
func (l *layer) receive(b []byte, now time.Duration) {
	room := l.source.peer.room
	m := room.sfu.metrics
	p := &l.packet
	payload, ok := parseRTP(b)
	if !ok || !p.read(b, payload, l.codecs[b[1]&0x7f]) {
		m.dropMalformed.Add(1)
		return
	}
	p.ext = l.numbers.extend(binary.BigEndian.Uint16(b[2:]))
	if l.source.muted.Load() {
		l.skip(p, now)
		m.dropMuted.Add(1)
		return
	}
	// This comes before the slots, so that a repair finds what they sent. A packet that is
	// there already is a probe of the bandwidth, for which browsers repeat old packets.
	if !l.buffer.put(p) {
		m.dropDuplicate.Add(1)
		return
	}
	l.note(p, b, now)
	for _, s := range *l.slots.Load() {
		s.forward(l, p, now)
	}
}

// skip counts a packet of a muted source, which is not forwarded, so that no packet is
// missing afterwards.
func (l *layer) skip(p *packet, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losses = losses{started: true, highest: max(l.losses.highest, p.ext)}
	l.keyFrame = keyFrame{} // the buffer lacks a packet since then
	l.reception.got(p.ext, p.ts, p.codec.clock(), now)
}

// note updates what is known of the layer, and asks the sender for what is missing.
func (l *layer) note(p *packet, b []byte, now time.Duration) {
	if time.Duration(l.last.Load())+layerStopped < now {
		l.since.Store(int64(now))
	}
	first := l.last.Swap(int64(now)) == 0
	l.mu.Lock()
	gap, hopeless := l.losses.got(p.ext, now)
	l.codec = p.codec
	if p.key {
		l.requests.came()
		l.keyFrame.got(p, now)
	}
	l.reception.got(p.ext, p.ts, p.codec.clock(), now)
	if level := extension(b, l.levelID); len(level) > 0 {
		l.loudness.got(level[0], now)
	}
	var nack rtcp.Packet
	if gap && !l.source.kind.audio() {
		nack = l.nackLocked(now)
	}
	pli := false
	if !l.source.kind.audio() {
		if hopeless {
			l.requests.want(now, l.every)
		}
		pli = l.source.peer.ready.Load() && l.requests.due(now)
	}
	l.mu.Unlock()
	if first {
		l.source.peer.phase(PhaseFirstIn)
	}
	if nack != nil {
		l.source.peer.writeRTCP(nack)
	}
	if pli {
		l.source.peer.writeRTCP(l.pli())
	}
}

// nackLocked returns the NACK that is due; nil: none is.
func (l *layer) nackLocked(now time.Duration) rtcp.Packet {
	ask, gaveUp := l.losses.due(now, l.nacks[:0])
	l.nacks = ask
	if gaveUp {
		l.requests.want(now, l.every)
	}
	if len(ask) == 0 {
		return nil
	}
	l.source.peer.room.sfu.metrics.nacksOut.Add(uint64(len(ask)))
	return &rtcp.TransportLayerNack{MediaSSRC: l.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(ask)}
}

// pli returns a key-frame request, and counts it.
func (l *layer) pli() rtcp.Packet {
	l.source.peer.room.sfu.metrics.plisOut.Add(1)
	return &rtcp.PictureLossIndication{MediaSSRC: l.ssrc}
}

// requestKeyFrame asks the sender for a key frame, as soon as every has passed since the
// request before. Before the first packet nothing is sent: that packet begins a key
// frame, or else it shows that the request is needed.
func (l *layer) requestKeyFrame(now, every time.Duration) {
	l.mu.Lock()
	l.requests.want(now, every)
	send := l.last.Load() > 0 && l.source.peer.ready.Load() && l.requests.due(now)
	l.mu.Unlock()
	if send {
		l.source.peer.writeRTCP(l.pli())
	}
}

// keyFrame is where the newest key frame of a layer begins.
type keyFrame struct {
	ext uint64 // number of its first packet; 0: there is none
	ts  uint32
	at  time.Duration // when that packet came
}

// got takes a packet at which a decoder can start. Of two in one frame the first counts.
func (k *keyFrame) got(p *packet, now time.Duration) {
	if p.ext > k.ext && (k.ext == 0 || p.ts != k.ts) {
		*k = keyFrame{ext: p.ext, ts: p.ts, at: now}
	}
}

const (
	// replayTime is how long ago the newest key frame may have come for a slot that shows
	// nothing yet to begin with it. The packets since then are sent at once.
	replayTime = startEvery
	// replayPackets is the most that are sent at once.
	replayPackets = 150
)

// replayable returns the first and the last number of the packets with which a slot can
// begin now: the newest key frame and all since. Not ok: they are too old or too many, or
// one is missing.
func (l *layer) replayable(now time.Duration) (first, last uint64, ok bool) {
	l.mu.Lock()
	k := l.keyFrame
	last = l.losses.highest
	l.mu.Unlock()
	if k.ext == 0 || now-k.at > replayTime || last-k.ext >= replayPackets || !l.buffer.holds(k.ext, last) {
		return 0, 0, false
	}
	return k.ext, last, true
}

// tick appends the NACK and the key-frame request that are due now, and, when reports are
// due, the report of the stream.
func (l *layer) tick(now time.Duration, report bool, to []rtcp.Packet, reports []rtcp.ReceptionReport) ([]rtcp.Packet, []rtcp.ReceptionReport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.source.kind.audio() && !l.source.muted.Load() {
		if nack := l.nackLocked(now); nack != nil {
			to = append(to, nack)
		}
		if l.requests.due(now) {
			to = append(to, l.pli())
		}
	}
	if report {
		if r, ok := l.reception.report(l.ssrc, now); ok {
			reports = append(reports, r)
		}
	}
	return to, reports
}

// readRTCP reads the sender's reports until the peer is closed.
func (l *layer) readRTCP(receiver *webrtc.RTPReceiver) {
	read := receiver.ReadRTCP
	if l.rid != "" {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return receiver.ReadSimulcastRTCP(l.rid) }
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, p := range packets {
			if r, ok := p.(*rtcp.SenderReport); ok && r.SSRC == l.ssrc {
				l.mu.Lock()
				l.reception.sender(r.NTPTime, l.source.peer.room.sfu.now())
				l.mu.Unlock()
			}
		}
	}
}

func (l *layer) codecNow() codec {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.codec
}

// facts is what the choice of a layer depends on.
func (l *layer) facts() layerFacts {
	return layerFacts{rank: l.rank, last: time.Duration(l.last.Load()), since: time.Duration(l.since.Load())}
}

// loudnessNow is smoothed, from 0 (silence) to 127.
func (l *layer) loudnessNow(now time.Duration) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loudness.now(now)
}
