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

// Room is a call's media. Its lock is taken when something changes and by the tick, never
// for a packet.
type Room struct {
	// Fixed at construction.
	sfu *SFU
	id  string

	// Set without the lock, also for packets: a slot has switched to another layer, and
	// the layers' lists of slots must be made again.
	dirty atomic.Bool

	mu         sync.Mutex
	gone       bool    // it ended with its last peer; another room may have its id now
	shut       bool    // the SFU is closing
	peers      []*Peer // in the order of joining
	publishers []*Peer // those with sources, in the order of joining; made by assignLocked
	speaker    speaker
}

func newRoom(s *SFU, id string) *Room { return &Room{sfu: s, id: id} }

// Join adds a peer for a leg. A peer that the leg has already is replaced at once: its
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

// join returns the new peer, or the stale one that must be closed before.
func (r *Room) join(leg, participant string, listener Listener) (p, stale *Peer, err error) {
	r.mu.Lock()
	if r.gone {
		// It ended between SFU.Room and Join; another room has taken its place.
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

// remove takes a peer out: its slots and all that show it stop.
func (r *Room) remove(p *Peer) {
	r.mu.Lock()
	if i := slices.Index(r.peers, p); i >= 0 {
		r.peers = slices.Delete(r.peers, i, i+1)
		r.sfu.metrics.peers.Add(-1)
	}
	for _, s := range p.slots {
		s.source = nil
		s.show(nil)
	}
	r.assignLocked(r.sfu.now())
	r.mu.Unlock()
	r.sfu.forget(r)
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

// tick does what is due by time. n counts the ticks: the speaker and feedback are due at
// each second one, reports once a second.
func (r *Room) tick(now time.Duration, n int) {
	second := n%(int(time.Second/tickEvery)) == 0
	r.mu.Lock()
	if n%2 == 0 {
		r.findSpeakerLocked(now)
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

// findSpeakerLocked finds who speaks now, and assigns the slots again when that changed or
// when there are more microphones than slots for them.
func (r *Room) findSpeakerLocked(now time.Duration) {
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
	// With one or two microphones each has a slot, however loud it is.
	if changed || microphones > 2 {
		r.assignLocked(now)
	}
}
