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
	"carillon/sfu/consent"
)

// Peer is one leg's PeerConnection. Its methods may be called from any goroutine.
type Peer struct {
	// Fixed at construction.
	room          *Room // changes until the peer is in it
	leg           string
	participant   string
	payer         limit.Payer   // whose quota it counts against
	joined        time.Duration // when, as SFU.now counts
	pc            *webrtc.PeerConnection
	notifications *notifications
	arrivals      arrivals
	wg            sync.WaitGroup // the loops of this peer

	// Written by pion's callbacks and by the readers of packets.
	lastReceived atomic.Int64 // when the newest packet of the client came, as SFU.now counts
	ready        atomic.Bool  // ICE and DTLS have been connected: packets arrive and leave
	failed       atomic.Bool  // the connection has failed, or half an offer was applied

	closed atomic.Bool // by Close

	negotiation sync.Mutex                  // held while an offer is answered
	consent     atomic.Pointer[consent.Leg] // of the ICE session that the newest answer began; nil: none

	// Of the data channels.
	chat      atomic.Pointer[chatChannel] // the newest; nil: none was opened
	lossy     atomic.Pointer[lossyChannel]
	lossyRate limit.Bucket

	phases struct {
		mu       sync.Mutex
		offered  time.Duration   // when the first offer came; 0: none yet
		reported map[string]bool // by name
	}

	// Owned by room.mu.
	holding holding             // what it has of the quotas
	late    bool                // it was not connected in time, and is about to be closed
	active  bool                // see SetActive
	sources map[string]*source  // by mid
	slots   []*slot             // in the order of the offer's lines
	openAt  time.Duration       // when slots open that were negotiated later; 0: there are none
	wants   []Want              // see Watch; nil: the room chooses
	muted   map[SourceKind]bool // see Mute; also of sources that are not there yet
}

// newPeer returns a peer that is in no room yet, also with an error.
func newPeer(r *Room, leg, participant string, payer limit.Payer, listener Listener) (*Peer, error) {
	p := &Peer{
		room: r, leg: leg, participant: participant, payer: payer, joined: r.sfu.now(), active: true,
		notifications: newNotifications(listener),
		sources:       make(map[string]*source),
		muted:         make(map[SourceKind]bool),
	}
	p.lossyRate.Limit(limit.Per(time.Second, r.sfu.cfg.LossyPerSecond, time.Second))
	p.arrivals = arrivals{peer: p, recorder: twcc.NewRecorder(1)}
	p.phases.reported = make(map[string]bool)
	pc, err := r.sfu.newPeerConnection(p)
	if err != nil {
		return p, err
	}
	p.pc = pc
	pc.OnTrack(p.incoming)
	pc.OnDataChannel(p.openChannel)
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s == webrtc.ICEConnectionStateConnected {
			p.phase(PhaseICE)
		}
	})
	pc.OnConnectionStateChange(p.connectionChanged)
	p.wg.Go(p.notifications.loop)
	return p, nil
}

// connectionChanged is called by pion, from a goroutine of its own.
func (p *Peer) connectionChanged(s webrtc.PeerConnectionState) {
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
		p.room.sfu.quotas.giveConnecting(p.payer, &p.holding)
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

// lateLocked returns whether the peer should have been connected by now, the first time that
// it is true.
func (p *Peer) lateLocked(now time.Duration) bool {
	if p.holding.connected || p.late || now-p.joined < p.room.sfu.cfg.connect() {
		return false
	}
	p.late = true
	return true
}

// expire tells the listener that there is no media, and closes the peer.
func (p *Peer) expire() {
	p.failed.Store(true)
	last := func(l Listener) {
		l.Media(MediaDown)
		_ = p.Close()
	}
	if !p.notifications.add(last) { // it listens to nothing any more
		_ = p.Close()
	}
}

// bindingRequest is called by pion for each connectivity check of the client. It returns
// false, which leaves the choice of the candidate pair to pion.
func (p *Peer) bindingRequest(*stun.Message, ice.Candidate, ice.Candidate, *ice.CandidatePair) bool {
	p.lastReceived.Store(int64(p.room.sfu.now()))
	return false
}

// silentWithoutMedia is the time without packets after which a peer that sends no media
// is silent. Only connectivity checks come from it, in Chromium one every 2.5 s.
const silentWithoutMedia = 6 * time.Second

// updateMediaState notifies the listener when the client fell silent or came back.
func (p *Peer) updateMediaState(now time.Duration) {
	if !p.ready.Load() || p.failed.Load() {
		return
	}
	cfg := &p.room.sfu.cfg
	quiet := now - time.Duration(p.lastReceived.Load())
	silent := cfg.silent()
	if !p.sendsMedia(now) {
		silent = max(silent, silentWithoutMedia)
	}
	switch {
	case quiet > max(cfg.down(), silent), p.consent.Load().Withheld() && p.receives():
		p.notifications.media(MediaDown)
	case quiet > silent:
		p.notifications.media(MediaSilent)
	default:
		p.notifications.media(MediaUp)
	}
}

// sendsMedia returns whether media is expected from the client: one of its sources is
// not muted and sent packets lately.
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

// receives returns whether the client gets more of us than feedback: it has asked for slots
// or for chat. There are publishers, such as FFmpeg, that answer no check once they are
// connected; they miss nothing when their consent has ended.
func (p *Peer) receives() bool {
	if p.chat.Load() != nil {
		return true
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	return len(p.slots) > 0
}

// phase notifies the listener of a phase, the first time it is called with that name.
func (p *Peer) phase(name string) {
	p.phases.mu.Lock()
	defer p.phases.mu.Unlock()
	if p.phases.reported[name] || p.phases.offered == 0 {
		return
	}
	p.phases.reported[name] = true
	p.notifications.phase(name, p.room.sfu.now()-p.phases.offered)
}

// incoming is called by pion for each stream that arrives.
func (p *Peer) incoming(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	r := p.room
	r.mu.Lock()
	src := p.sources[p.midOf(receiver)]
	if src == nil || p.closed.Load() || len(src.layers) >= len(rids) {
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
	p.wg.Go(func() { l.readRTCP(receiver) })
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

// Mute sets whether a source is muted. When it returns, nothing of a muted source is
// forwarded any more. It may be called before the source exists.
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

// SetActive sets whether the sources of this leg are shown to others, and whether the
// leg plays sound. Of two legs of a participant one is active: while a call moves, the
// new leg is connected first and becomes active then. A peer is active at first.
func (p *Peer) SetActive(active bool) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.active = active
	p.room.assignLocked(p.room.sfu.now())
}

// Watch sets which sources the leg wants in its video slots, most wanted first. Nil
// leaves the choice to the room: screens, then the speaker, then who joined first.
func (p *Peer) Watch(wants []Want) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if len(wants) > 4*p.room.sfu.cfg.VideoSlots {
		wants = wants[:4*p.room.sfu.cfg.VideoSlots]
	}
	p.wants = wants
	p.room.assignLocked(p.room.sfu.now())
}

// notifySlotsLocked notifies the listener of what the slots show now.
func (p *Peer) notifySlotsLocked() {
	slots := make([]Slot, 0, len(p.slots))
	for _, s := range p.slots {
		if s.mid == "" {
			continue
		}
		shown := Slot{MID: s.mid}
		if s.source != nil {
			shown.Participant, shown.Source, shown.ID = s.source.peer.participant, s.source.kind, s.source.id
		}
		slots = append(slots, shown)
	}
	if len(slots) > 0 {
		p.notifications.setSlots(slots)
	}
}

// tickLocked returns the RTCP packets that are due for this client now. Feedback is due
// at some ticks, reports once a second.
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

// writeRTCP sends packets to the client. One that cannot be sent is dropped: the next
// tick repeats it or makes it obsolete.
func (p *Peer) writeRTCP(packets ...rtcp.Packet) {
	if len(packets) > 0 && p.ready.Load() {
		_ = p.pc.WriteRTCP(packets)
	}
}

// discard ends a peer that never was in a room.
func (p *Peer) discard() {
	close(p.notifications.done)
	_ = p.pc.Close()
	p.wg.Wait()
}

// Closed reports whether the peer has ended, be it because it was not connected in time.
func (p *Peer) Closed() bool { return p.closed.Load() }

// Close ends the peer. When it returns nothing of the peer is forwarded and its methods
// are refused. Its goroutines end soon after: SFU.Close waits for them and Close does
// not, so that a method of Listener may call it. Closing twice is fine.
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
