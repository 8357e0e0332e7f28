package sfu

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"carillon/limit"
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

// Join adds a peer for a leg, which counts against the quota of payer until it is closed. A
// peer that the leg has already is replaced at once: its packets reach nobody any more and
// its methods are refused. A peer that is not connected within Config.ConnectSeconds is
// closed, after its listener was told MediaDown.
func (r *Room) Join(leg, participant string, payer limit.Payer, listener Listener) (*Peer, error) {
	if err := r.admits(leg); err != nil {
		return nil, err
	}
	quotas := r.sfu.quotas
	if err := quotas.takePeer(payer); err != nil {
		return nil, err
	}
	// Without the lock of the room: it takes a millisecond, and others may join meanwhile.
	p, err := newPeer(r, leg, participant, payer, listener)
	if err == nil {
		if err = p.enter(); err != nil {
			p.discard()
		}
	}
	if err != nil {
		quotas.giveAll(payer, &p.holding)
		return nil, err
	}
	return p, nil
}

// admits refuses if the room takes no peer of this leg.
func (r *Room) admits(leg string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone || r.peerLocked(leg) != nil {
		return nil // there will be another room, or the old peer makes room for the new one
	}
	return r.admitsLocked()
}

func (r *Room) admitsLocked() error {
	if len(r.peers) >= r.sfu.cfg.RoomPeers {
		return refusal.New(refusal.Busy, "This call is full: it has %d participants.", len(r.peers))
	}
	if r.shut {
		return errShutdown
	}
	return nil
}

// peerLocked returns the peer of a leg; nil: there is none.
func (r *Room) peerLocked(leg string) *Peer {
	if i := slices.IndexFunc(r.peers, func(p *Peer) bool { return p.leg == leg }); i >= 0 {
		return r.peers[i]
	}
	return nil
}

// enter puts a new peer into its room, in the place of one that its leg has already.
func (p *Peer) enter() error {
	for {
		stale, err := p.room.add(p)
		switch {
		case errors.Is(err, errGone):
			p.room = p.room.sfu.Room(p.room.id)
		case stale == nil:
			return err
		default:
			_ = stale.Close() // the room may end with it
		}
	}
}

// errGone is not for users: the room has ended, and another one takes its place.
var errGone = errors.New("the room has ended")

// add adds a new peer, unless its leg has one already: that is stale, and must be closed
// before.
func (r *Room) add(p *Peer) (stale *Peer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return nil, errGone
	}
	if stale := r.peerLocked(p.leg); stale != nil {
		return stale, nil
	}
	if err := r.admitsLocked(); err != nil {
		return nil, err
	}
	r.peers = append(r.peers, p)
	if r.speaker.participant != "" {
		p.notifications.setSpeaker(r.speaker.participant)
	}
	return nil, nil
}

// remove takes a peer out: its slots and all that show it stop.
func (r *Room) remove(p *Peer) {
	r.mu.Lock()
	if i := slices.Index(r.peers, p); i >= 0 {
		r.peers = slices.Delete(r.peers, i, i+1)
		r.sfu.quotas.giveAll(p.payer, &p.holding)
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
	var late []*Peer
	for _, p := range peers {
		if p.lateLocked(now) {
			late = append(late, p)
		}
	}
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
	for _, p := range late {
		p.expire()
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
