package sfu

import (
	"slices"
	"time"

	"github.com/pion/webrtc/v4"
)

// assignLocked decides for each slot of the room what it shows. Nothing else does.
func (r *Room) assignLocked(now time.Duration) {
	// In a large room most peers only watch: each slot is compared with publishers only.
	clear(r.publishers) // else those who left would be kept
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

// assignKindLocked assigns the audio or the video slots of a peer.
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
		// The call is moving here and the other leg of this participant plays the sound.
		// The picture is shown already, so that the move has no gap.
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

// candidatesLocked returns the sources that p may be shown, in the order of joining.
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

// loudnessLocked is smoothed, from 0 (silence, or video) to 127. Room.mu is held.
func (s *source) loudnessLocked(now time.Duration) float64 {
	if !s.kind.audio() || len(s.layers) == 0 || s.muted.Load() {
		return 0
	}
	return s.layers[0].loudnessNow(now)
}

// chooseLayerLocked makes a slot show the layer of its source that fits now.
func (r *Room) chooseLayerLocked(s *slot, now time.Duration) {
	if s.source == nil {
		s.show(nil)
		return
	}
	layers := s.source.layers
	facts := make([]layerFacts, len(layers))
	current, target := s.shows()
	at := -1 // index of current
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
	s.show(chosen)
	r.dirty.Store(true)
}

// startLocked is for a video slot that waits for a key frame: it replays one that came a
// moment ago, or requests one. The slot is on the list of its target already, so that no
// packet is lost between what is replayed and what comes next.
func (r *Room) startLocked(s *slot, now time.Duration) {
	_, target := s.shows()
	if target == nil || s.kind != webrtc.RTPCodecTypeVideo {
		return
	}
	if !s.opened() {
		// The key frame may come before the slot opens, and is replayed then.
		if target != s.early {
			s.early = target
			target.requestKeyFrame(now, target.every)
		}
		return
	}
	s.early = nil
	if !s.decodes(target) {
		return // a key frame would not help
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

// openLocked opens all slots of a peer that is connected.
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

// listSlotsLocked gives each layer the list of the slots that want its packets.
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
