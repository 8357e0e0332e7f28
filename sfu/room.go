package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"carillon/refusal"
)

// Room is a call's media. Its lock is taken by what changes and by the tick, never per
// packet.
type Room struct {
	// Fixed at construction.
	sfu *SFU
	id  string

	dirty atomic.Bool // slots and layers must be matched again

	mu         sync.Mutex
	gone       bool    // ended; another room may have its id
	shut       bool    // the SFU is closing
	peers      []*Peer // in the order they came
	publishers []*Peer // those of peers that have sources; what assignLocked is made with
	speaker    speaker
}

func newRoom(s *SFU, id string) *Room { return &Room{sfu: s, id: id} }

// Join adds a leg. A peer that this leg has already is stale and is closed: its
// packets reach nobody any more and its methods are refused.
func (r *Room) Join(leg, participant string, listener Listener) (*Peer, error) {
	for {
		p, stale, err := r.join(leg, participant, listener)
		if stale == nil {
			return p, err
		}
		_ = stale.Close()
		// The room may have ended with its only peer.
		r = r.sfu.Room(r.id)
	}
}

func (r *Room) join(leg, participant string, listener Listener) (p, stale *Peer, err error) {
	r.mu.Lock()
	if r.gone {
		// It ended between Room and Join; the next one has taken its place.
		r.mu.Unlock()
		return r.sfu.Room(r.id).join(leg, participant, listener)
	}
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.peers, func(p *Peer) bool { return p.leg == leg }); i >= 0 {
		return nil, r.peers[i], nil
	}
	if len(r.peers) >= r.sfu.cfg.RoomPeers {
		return nil, nil, refusal.New(refusal.Busy, "This call is full: it has %d participants.", len(r.peers))
	}
	if r.shut {
		return nil, nil, errShutdown
	}
	p, err = newPeer(r, leg, participant, listener)
	if err != nil {
		return nil, nil, err
	}
	r.peers = append(r.peers, p)
	r.sfu.metrics.peers.Add(1)
	if r.speaker.participant != "" {
		p.notifications.setSpeaker(r.speaker.participant)
	}
	return p, nil, nil
}

// remove takes a peer out and stops all that shows it.
func (r *Room) remove(p *Peer) {
	r.mu.Lock()
	if i := slices.Index(r.peers, p); i >= 0 {
		r.peers = slices.Delete(r.peers, i, i+1)
		r.sfu.metrics.peers.Add(-1)
	}
	for _, s := range p.slots {
		s.source = nil
		s.aim(nil)
	}
	r.assignLocked(r.sfu.now())
	r.mu.Unlock()
	r.sfu.leave(r)
}

func (r *Room) close() {
	r.mu.Lock()
	r.shut = true
	peers := slices.Clone(r.peers)
	r.mu.Unlock()
	for _, p := range peers {
		_ = p.Close()
	}
}

// assignLocked decides for every slot what it shows. It is the only place that does.
func (r *Room) assignLocked(now time.Duration) {
	// In a large room nearly everybody only watches.
	r.publishers = r.publishers[:0]
	for _, p := range r.peers {
		if len(p.sources) > 0 {
			r.publishers = append(r.publishers, p)
		}
	}
	for _, p := range r.peers {
		r.assignKindLocked(p, webrtc.RTPCodecTypeAudio, now)
		r.assignKindLocked(p, webrtc.RTPCodecTypeVideo, now)
		p.notifySlotsLocked()
	}
	r.listSlotsLocked()
	for _, p := range r.peers {
		for _, s := range p.slots {
			r.startLocked(s, now)
		}
	}
}

func (r *Room) assignKindLocked(p *Peer, kind webrtc.RTPCodecType, now time.Duration) {
	var slots []*slot
	var shown []*source
	for _, s := range p.slots {
		if s.kind == kind {
			slots = append(slots, s)
			shown = append(shown, s.source)
		}
	}
	if len(slots) == 0 {
		return
	}
	candidates := r.candidatesLocked(p, kind, shown, now)
	switch {
	case kind == webrtc.RTPCodecTypeAudio && !p.active:
		// The other leg of this participant plays the sound while the call moves here;
		// the picture is there already, so that the move shows no gap.
		candidates = nil
	case kind == webrtc.RTPCodecTypeAudio:
		rankAudio(candidates)
	case p.wants != nil:
		candidates = rankWanted(candidates, p.wants)
	default:
		rankVideo(candidates)
	}
	for i, src := range assignSlots(shown, sourcesOf(candidates)) {
		slots[i].source = src
		r.chooseLayerLocked(slots[i], now)
	}
}

// candidatesLocked are the sources that p may be shown, in the order of joining.
func (r *Room) candidatesLocked(p *Peer, kind webrtc.RTPCodecType, shown []*source, now time.Duration) []candidate {
	var c []candidate
	for _, other := range r.publishers {
		if other.participant == p.participant || !other.active {
			continue
		}
		for _, src := range other.sources {
			if src.kind.audio() != (kind == webrtc.RTPCodecTypeAudio) || src.muted.Load() || len(src.layers) == 0 {
				continue
			}
			c = append(c, candidate{
				source:   src,
				shown:    slices.Contains(shown, src),
				loudness: src.loudnessLocked(now),
				speaking: other.participant == r.speaker.participant,
			})
		}
	}
	return c
}

func (s *source) loudnessLocked(now time.Duration) float64 {
	if !s.kind.audio() || len(s.layers) == 0 || s.muted.Load() {
		return 0
	}
	return s.layers[0].loudness(now)
}

// chooseLayerLocked aims a slot at the layer of its source that fits now.
func (r *Room) chooseLayerLocked(s *slot, now time.Duration) {
	if s.source == nil {
		s.aim(nil)
		return
	}
	layers := s.source.layers
	facts := make([]layerFacts, len(layers))
	current, target := s.shows()
	at := -1
	for i, l := range layers {
		facts[i] = l.facts()
		if l == current {
			at = i
		}
	}
	chosen := layers[chooseLayer(facts, at, s.highest(now), now)]
	if chosen == current && target == nil {
		return
	}
	s.aim(chosen)
	r.dirty.Store(true)
}

// startLocked gives a video slot that waits for a key frame what it can begin with, or
// asks for that. The slot is on the list of its target, so that no packet is lost between
// what is replayed and what comes next.
func (r *Room) startLocked(s *slot, now time.Duration) {
	if s.kind != webrtc.RTPCodecTypeVideo {
		return
	}
	if !s.opened() {
		// Until the slot is open the key frame may have come, and then it is replayed.
		if _, target := s.shows(); target != nil && target != s.early {
			s.early = target
			target.requestKeyFrame(now, target.every)
		}
		return
	}
	s.replay(now)
	switch current, target := s.shows(); {
	case target == nil:
	case current == nil:
		target.requestKeyFrame(now, startEvery)
	default:
		target.requestKeyFrame(now, target.every)
	}
}

// openLocked opens the slots of a peer that is connected.
func (r *Room) openLocked(p *Peer, now time.Duration) {
	if p.closed.Load() {
		return
	}
	p.openAt = 0
	for _, s := range p.slots {
		s.open()
		r.startLocked(s, now)
	}
}

// listSlotsLocked gives each layer the list of slots that want its packets.
func (r *Room) listSlotsLocked() {
	r.dirty.Store(false)
	lists := make(map[*layer][]*slot)
	for _, p := range r.peers {
		for _, s := range p.slots {
			current, target := s.shows()
			if current != nil {
				lists[current] = append(lists[current], s)
			}
			if target != nil {
				lists[target] = append(lists[target], s)
			}
		}
	}
	for _, p := range r.peers {
		for _, src := range p.sources {
			for _, l := range src.layers {
				if list := lists[l]; !slices.Equal(list, *l.slots.Load()) {
					l.slots.Store(&list)
				}
			}
		}
	}
}

// tick does what time brings. n counts the ticks.
func (r *Room) tick(now time.Duration, n int) {
	second := n%(int(time.Second/tickEvery)) == 0
	r.mu.Lock()
	if n%2 == 0 {
		r.listenLocked(now)
	}
	for _, p := range r.peers {
		for _, s := range p.slots {
			if s.source != nil && s.kind == webrtc.RTPCodecTypeVideo {
				r.chooseLayerLocked(s, now)
			}
		}
	}
	if r.dirty.Load() {
		r.listSlotsLocked()
	}
	for _, p := range r.peers {
		if p.openAt > 0 && now >= p.openAt {
			r.openLocked(p, now)
			continue
		}
		for _, s := range p.slots {
			r.startLocked(s, now)
		}
	}
	peers := slices.Clone(r.peers)
	outgoing := make([][]rtcp.Packet, len(peers))
	wall := time.Now()
	for i, p := range peers {
		outgoing[i] = p.tickLocked(now, wall, n%2 == 0, second)
	}
	r.mu.Unlock()
	for i, p := range peers {
		p.updateMediaState(now)
		p.writeRTCP(outgoing[i]...)
	}
}

// listenLocked finds the speaker, and gives the slots to whoever is louder now.
func (r *Room) listenLocked(now time.Duration) {
	var voices []voice
	microphones := 0
	for _, p := range r.peers {
		for _, src := range p.sources {
			if p.active && src.kind == Microphone {
				microphones++
				voices = append(voices, voice{p.participant, src.loudnessLocked(now)})
			}
		}
	}
	changed := r.speaker.next(voices, now)
	if changed {
		for _, p := range r.peers {
			p.notifications.setSpeaker(r.speaker.participant)
		}
	}
	// With few microphones everyone has a slot, whatever the loudness.
	if changed || microphones > 2 {
		r.assignLocked(now)
	}
}
