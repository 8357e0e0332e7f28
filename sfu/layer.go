package sfu

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"carillon/udp"
)

// layer is one stream of a source, and the loop that reads it.
type layer struct {
	// Fixed at construction.
	source  *source
	rank    int // 0: the lowest, or the only one
	rid     string
	ssrc    uint32
	every   time.Duration // least time between two key-frame requests, but see startEvery
	levelID uint8         // header extension of the audio level; 0: none
	codecs  [128]codec
	buffer  *packetBuffer

	// Owned by loop.
	numbers extender
	packet  packet
	ask     []uint16

	slots atomic.Pointer[[]*slot] // replaced by room.relist, never edited
	last  atomic.Int64            // time of the newest packet
	since atomic.Int64            // it flows without a pause since then

	// Held once per packet by loop, and by the tick.
	mu        sync.Mutex
	losses    losses
	requests  keyFrameRequests
	keyFrame  keyFrame // the newest
	reception reception
	loud      loudness
}

// rankOf orders the RIDs that our clients send; any other single stream is rank 0.
func rankOf(rid string) int { return max(0, slices.Index([]string{"q", "h", "f"}, rid)) }

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

// loop reads until the peer is closed.
func (l *layer) loop(track *webrtc.TrackRemote) {
	b := make([]byte, udp.MaxPacket)
	sfu := l.source.peer.room.sfu
	for {
		n, _, err := track.Read(b)
		if err != nil && n == 0 {
			return
		}
		l.receive(b[:n], sfu.now())
	}
}

// receive handles one packet, and keeps b no longer than the call.
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
		l.muted(p, now)
		m.dropMuted.Add(1)
		return
	}
	// Before the slots see it, so that a repair finds what was sent. It also tells
	// repeated packets, with which browsers probe the bandwidth, from true repairs.
	if !l.buffer.put(p) {
		m.dropDuplicate.Add(1)
		return
	}
	l.note(p, b, now)
	for _, s := range *l.slots.Load() {
		s.forward(l, p, now)
	}
}

// muted keeps count of what is not forwarded, so that no gap appears afterwards.
func (l *layer) muted(p *packet, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losses = losses{started: true, highest: max(l.losses.highest, p.ext)}
	l.keyFrame = keyFrame{} // the packets since then have a gap now
	l.reception.got(p.ext, p.ts, p.codec.clock(), now)
}

// note updates what the layer knows about itself and asks for what is missing.
func (l *layer) note(p *packet, b []byte, now time.Duration) {
	if time.Duration(l.last.Load())+layerStopped < now {
		l.since.Store(int64(now))
	}
	first := l.last.Swap(int64(now)) == 0
	l.mu.Lock()
	gap, hopeless := l.losses.got(p.ext, now)
	if p.key {
		l.requests.came()
		l.keyFrame.got(p, now)
	}
	l.reception.got(p.ext, p.ts, p.codec.clock(), now)
	if level := extension(b, l.levelID); len(level) > 0 {
		l.loud.got(level[0], now)
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

// nackLocked asks for what is due; nil: nothing.
func (l *layer) nackLocked(now time.Duration) rtcp.Packet {
	ask, gaveUp := l.losses.due(now, l.ask[:0])
	l.ask = ask
	if gaveUp {
		l.requests.want(now, l.every)
	}
	if len(ask) == 0 {
		return nil
	}
	l.source.peer.room.sfu.metrics.nacksOut.Add(uint64(len(ask)))
	return &rtcp.TransportLayerNack{MediaSSRC: l.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(ask)}
}

func (l *layer) pli() rtcp.Packet {
	l.source.peer.room.sfu.metrics.plisOut.Add(1)
	return &rtcp.PictureLossIndication{MediaSSRC: l.ssrc}
}

// requestKeyFrame asks the sender for a key frame, or notes to do so when every has
// passed since the request before. Nothing is asked before the first packet: that one
// begins a key frame, or else shows that one must be asked for.
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

// got notes a packet at which a decoder can start. Of two in one frame the first counts.
func (k *keyFrame) got(p *packet, now time.Duration) {
	if p.ext > k.ext && (k.ext == 0 || p.ts != k.ts) {
		*k = keyFrame{ext: p.ext, ts: p.ts, at: now}
	}
}

const (
	// replayTime is how old a key frame may be for a slot that shows nothing yet to begin
	// with it: the packets since then leave at once.
	replayTime = startEvery
	// replayPackets bounds that burst.
	replayPackets = 150
)

// replayable returns the numbers of the packets with which a slot can begin at once: from
// the newest key frame to the newest packet. Not ok: it is too long ago, or one is missing.
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

// tick appends what the sender must be told now. Reports are due once a second.
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

// reports reads the sender's reports until the peer is closed.
func (l *layer) reports(receiver *webrtc.RTPReceiver) {
	read := receiver.ReadRTCP
	if l.rid != "" {
		read = func() ([]rtcp.Packet, interceptorAttributes, error) { return receiver.ReadSimulcastRTCP(l.rid) }
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

func (l *layer) facts() layerFacts {
	return layerFacts{rank: l.rank, last: time.Duration(l.last.Load()), since: time.Duration(l.since.Load())}
}

func (l *layer) loudness(now time.Duration) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loud.now(now)
}
