package sfu

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"carillon/limit"
	"carillon/refusal"
)

// Peer is one leg's PeerConnection. Its methods may be called from any goroutine.
type Peer struct {
	// Fixed at construction.
	room          *Room
	leg           string
	participant   string
	pc            *webrtc.PeerConnection
	notifications *notifications
	arrivals      arrivals
	wg            sync.WaitGroup // loops of this peer

	lastReceived atomic.Int64 // when the newest packet of the client came
	ready        atomic.Bool  // ICE and DTLS are connected
	failed       atomic.Bool
	closed       atomic.Bool

	negotiate sync.Mutex                  // one offer at a time
	chat      atomic.Pointer[chatChannel] // the newest
	lossy     atomic.Pointer[lossyChannel]
	lossyRate limit.Bucket

	phases struct {
		mu      sync.Mutex
		offered time.Duration // of the first offer; zero: none yet
		told    map[string]bool
	}

	// Owned by room.mu.
	active  bool
	sources map[string]*source // by mid
	slots   []*slot            // in the order of the offer's lines
	openAt  time.Duration      // when slots open that were negotiated later; 0: there are none
	wants   []Want             // nil: we choose
	muted   map[SourceKind]bool
}

func newPeer(r *Room, leg, participant string, listener Listener) (*Peer, error) {
	p := &Peer{
		room: r, leg: leg, participant: participant, active: true,
		notifications: newNotifications(listener),
		sources:       make(map[string]*source),
		muted:         make(map[SourceKind]bool),
	}
	p.lossyRate.Limit(limit.Per(time.Second, r.sfu.cfg.LossyPerSecond, time.Second))
	p.arrivals = arrivals{peer: p, recorder: twcc.NewRecorder(1)}
	p.phases.told = make(map[string]bool)
	pc, err := r.sfu.connect(p)
	if err != nil {
		return nil, err
	}
	p.pc = pc
	pc.OnTrack(p.incoming)
	pc.OnDataChannel(p.channel)
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s == webrtc.ICEConnectionStateConnected {
			p.phase(PhaseICE)
		}
	})
	pc.OnConnectionStateChange(p.connection)
	p.wg.Go(p.notifications.loop)
	return p, nil
}

func (p *Peer) connection(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		// Pion may say so a moment before SRTP has its keys; State waits for that moment.
		if p.pc.SCTP().Transport().State() != webrtc.DTLSTransportStateConnected {
			return
		}
		now := p.room.sfu.now()
		p.phase(PhaseDTLS)
		p.lastReceived.Store(int64(now))
		p.failed.Store(false)
		p.ready.Store(true)
		p.notifications.media(MediaUp)
		p.room.mu.Lock()
		p.room.openLocked(p, now)
		p.room.mu.Unlock()
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		// When DTLS fails pion may also close the connection. One that was connected and is
		// closed by the client shows as silence, which the end of a call need not wait for.
		if s == webrtc.PeerConnectionStateClosed && p.ready.Load() {
			return
		}
		p.failed.Store(true)
		p.notifications.media(MediaDown)
	}
}

// bindingRequest is told of each connectivity check; the answer false leaves the
// choice of the candidate pair to pion.
func (p *Peer) bindingRequest(*stun.Message, ice.Candidate, ice.Candidate, *ice.CandidatePair) bool {
	p.lastReceived.Store(int64(p.room.sfu.now()))
	return false
}

// Chromium checks a good connection every 2.5 s. A peer that sends no media shows
// nothing else, and must not count as silent in between.
const checksAndSlack = 6 * time.Second

// live tells whether the client is still there.
func (p *Peer) updateMediaState(now time.Duration) {
	if !p.ready.Load() || p.failed.Load() {
		return
	}
	cfg := &p.room.sfu.cfg
	quiet := now - time.Duration(p.lastReceived.Load())
	silent := cfg.silent()
	if !p.sendsMedia(now) {
		silent = max(silent, checksAndSlack)
	}
	switch {
	case quiet > max(cfg.down(), silent):
		p.notifications.media(MediaDown)
	case quiet > silent:
		p.notifications.media(MediaSilent)
	default:
		p.notifications.media(MediaUp)
	}
}

// speaks says whether media is expected: a source that is not muted sent some lately.
func (p *Peer) sendsMedia(now time.Duration) bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	for _, s := range p.sources {
		for _, l := range s.layers {
			if last := time.Duration(l.last.Load()); !s.muted.Load() && last > 0 && now-last < p.room.sfu.cfg.down() {
				return true
			}
		}
	}
	return false
}

// phase reports a phase once, and only the first time: packets call it.
func (p *Peer) phase(name string) {
	p.phases.mu.Lock()
	defer p.phases.mu.Unlock()
	if p.phases.told[name] || p.phases.offered == 0 {
		return
	}
	p.phases.told[name] = true
	p.notifications.phase(name, p.room.sfu.now()-p.phases.offered)
}

// incoming is called by pion for each stream that arrives.
func (p *Peer) incoming(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	r := p.room
	r.mu.Lock()
	src := p.sources[p.midOf(receiver)]
	if src == nil || p.closed.Load() || len(src.layers) >= 3 {
		r.mu.Unlock()
		return
	}
	l := newLayer(src, track, receiver)
	at := 0
	for at < len(src.layers) && src.layers[at].rank <= l.rank {
		at++
	}
	layers := append([]*layer{}, src.layers[:at]...)
	src.layers = append(append(layers, l), src.layers[at:]...)
	r.assignLocked(r.sfu.now())
	// Only now, when the slots are listed: the first packet begins a key frame.
	p.wg.Go(func() { l.loop(track) })
	p.wg.Go(func() { l.reports(receiver) })
	r.mu.Unlock()
}

func (p *Peer) midOf(receiver *webrtc.RTPReceiver) string {
	for _, t := range p.pc.GetTransceivers() {
		if t.Receiver() == receiver {
			return t.Mid()
		}
	}
	return ""
}

// Mute says whether a source is muted. When it returns, nothing of a muted source is
// forwarded any more. It may come before the source does.
func (p *Peer) Mute(kind SourceKind, muted bool) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.muted[kind] = muted
	for _, s := range p.sources {
		if s.kind == kind {
			s.muted.Store(muted)
		}
	}
	p.room.assignLocked(p.room.sfu.now())
}

// SetActive says whether the leg is the one that its participant is heard and seen by.
// A leg that a call is moving to is connected first and becomes active then.
func (p *Peer) SetActive(active bool) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.active = active
	p.room.assignLocked(p.room.sfu.now())
}

// Watch says which sources the leg wants on its video slots, most wanted first. Nil
// leaves the choice to us: screens, the speaker, then who was there first.
func (p *Peer) Watch(wants []Want) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if len(wants) > 4*p.room.sfu.cfg.VideoSlots {
		wants = wants[:4*p.room.sfu.cfg.VideoSlots]
	}
	p.wants = wants
	p.room.assignLocked(p.room.sfu.now())
}

func (p *Peer) notifySlotsLocked() {
	slots := make([]Slot, 0, len(p.slots))
	for _, s := range p.slots {
		if s.mid == "" {
			continue
		}
		told := Slot{MID: s.mid}
		if s.source != nil {
			told.Participant, told.Source, told.ID = s.source.peer.participant, s.source.kind, s.source.id
		}
		slots = append(slots, told)
	}
	if len(slots) > 0 {
		p.notifications.setSlots(slots)
	}
}

// tickLocked collects what must be written to this client now.
func (p *Peer) tickLocked(now time.Duration, wall time.Time, feedback, reports bool) []rtcp.Packet {
	if !p.ready.Load() {
		return nil
	}
	var out []rtcp.Packet
	var received []rtcp.ReceptionReport
	if feedback {
		out = append(out, p.arrivals.feedback()...)
	}
	for _, s := range p.sources {
		for _, l := range s.layers {
			out, received = l.tick(now, reports, out, received)
		}
	}
	if !reports {
		return out
	}
	if len(received) > 0 {
		out = append(out, &rtcp.ReceiverReport{SSRC: 1, Reports: received})
	}
	for _, s := range p.slots {
		if r, ok := s.report(now, wall); ok {
			out = append(out, r)
		}
	}
	return out
}

// writeRTCP sends packets to the client. What cannot be sent is repeated by the tick
// or outdated by it.
func (p *Peer) writeRTCP(packets ...rtcp.Packet) {
	if len(packets) > 0 && p.ready.Load() {
		_ = p.pc.WriteRTCP(packets)
	}
}

// Close ends the peer. When it returns nothing of it is forwarded and its methods are
// refused; its goroutines end soon after, and SFU.Close waits for them, so that Close
// may be called from a method of Leg. Closing twice is fine.
func (p *Peer) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	close(p.notifications.done)
	p.room.remove(p)
	p.room.sfu.wg.Go(func() {
		if err := p.pc.GracefulClose(); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
			p.room.sfu.log.Debug("close peer connection", "leg", p.leg, "err", err)
		}
		p.wg.Wait()
	})
	return nil
}

var errStale = refusal.New(refusal.LegUnknown, "This leg of the call is over. Join again.")
