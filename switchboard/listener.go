package switchboard

import (
	"sync"
	"time"

	"carillon/call"
	"carillon/sfu"
	"carillon/wire"
)

// listener is notified by the SFU of one peer of a leg. Notifications of a peer that has
// been replaced are dropped.
type listener struct {
	leg *leg

	mu   sync.Mutex
	peer *Peer
}

var _ sfu.Listener = (*listener)(nil)

func (n *listener) setPeer(p *Peer) { n.mu.Lock(); n.peer = p; n.mu.Unlock() }

// pass returns what the leg may do now, unless the peer has been replaced. What must not
// come after the end of the peer is done in do, under the room's lock.
func (n *listener) pass(do func(l *leg)) (call.LegPass, bool) {
	n.mu.Lock()
	peer := n.peer
	n.mu.Unlock()
	l := n.leg
	l.room.mu.Lock()
	defer l.room.mu.Unlock()
	if l.ended || peer == nil || l.peer != peer {
		return call.LegPass{}, false
	}
	if do != nil {
		do(l)
	}
	return l.pass, true
}

// Media tells the call. MediaSilent counts as loss too.
func (n *listener) Media(state sfu.MediaState) {
	n.pass(func(l *leg) {
		l.mediaUp = state == sfu.MediaUp
		l.room.board.owners.Media(l.room.id, l.id, l.mediaUp)
	})
}

// Slots tells the tab.
func (n *listener) Slots(slots []sfu.Slot) {
	note := wire.Slots{Call: n.leg.room.id, Slots: []wire.Slot{}}
	for _, s := range slots {
		note.Slots = append(note.Slots, wire.Slot{MID: s.MID, Participant: s.Participant, Source: wire.Source(s.Source), ID: s.ID})
	}
	n.pass(func(l *leg) {
		l.slots = &note
		l.tellSlotsLocked()
	})
}

// Speaker tells the tab.
func (n *listener) Speaker(participant string) {
	if p, current := n.pass(nil); current {
		note := wire.Speaker{Call: n.leg.room.id, User: participant}
		n.leg.room.board.tabs.Tell(p.Tab.User, p.Tab.TabID, wire.NoteSpeaker, note, "speaker "+n.leg.id)
	}
}

// Phase records a time for the statistics.
func (n *listener) Phase(name string, took time.Duration) {
	n.leg.room.board.owners.Phase(name, took)
}

// Channel serves the leg's data channel, the second way in for its tab.
func (n *listener) Channel(ch sfu.Channel) {
	p, current := n.pass(nil)
	board := n.leg.room.board
	if !current || !board.run(func() { board.tabs.ServeChannel(ch, p.Tab) }) {
		_ = ch.Close()
	}
}
