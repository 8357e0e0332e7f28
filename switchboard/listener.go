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

func (l *listener) setPeer(p *Peer) { l.mu.Lock(); l.peer = p; l.mu.Unlock() }

// pass returns what the leg may do now, unless the peer has been replaced. What must not
// come after the end of the peer is done in do, under the room's lock.
func (l *listener) pass(do func(l *leg)) (call.LegPass, bool) {
	l.mu.Lock()
	peer := l.peer
	l.mu.Unlock()
	leg := l.leg
	leg.room.mu.Lock()
	defer leg.room.mu.Unlock()
	if leg.ended || peer == nil || leg.peer != peer {
		return call.LegPass{}, false
	}
	if do != nil {
		do(leg)
	}
	return leg.pass, true
}

// Media tells the call. MediaSilent counts as loss too.
func (l *listener) Media(state sfu.MediaState) {
	l.pass(func(leg *leg) {
		leg.mediaUp = state == sfu.MediaUp
		leg.room.board.owners.Media(leg.room.id, leg.id, leg.mediaUp)
	})
}

// Slots tells the tab.
func (l *listener) Slots(slots []sfu.Slot) {
	note := wire.Slots{Call: l.leg.room.id, Slots: []wire.Slot{}}
	for _, s := range slots {
		note.Slots = append(note.Slots, wire.Slot{MID: s.MID, Participant: s.Participant, Source: wire.Source(s.Source), ID: s.ID})
	}
	l.pass(func(leg *leg) {
		leg.slots = &note
		leg.tellSlotsLocked()
	})
}

// Speaker tells the tab.
func (l *listener) Speaker(participant string) {
	if p, current := l.pass(nil); current {
		note := wire.Speaker{Call: l.leg.room.id, User: participant}
		l.leg.room.board.tabs.Tell(p.Tab.User, p.Tab.TabID, wire.NoteSpeaker, note, "speaker "+l.leg.id)
	}
}

// Phase records a time for the statistics.
func (l *listener) Phase(name string, took time.Duration) {
	l.leg.room.board.owners.Phase(name, took)
}

// Channel serves the leg's data channel, the second way in for its tab.
func (l *listener) Channel(ch sfu.Channel) {
	var asker Asker
	p, current := l.pass(func(leg *leg) { asker.Scope, asker.Until, asker.Address = leg.scope, leg.until, leg.address })
	asker.Tab = p.Tab
	board := l.leg.room.board
	if !current || !board.run(func() { board.tabs.ServeChannel(ch, asker) }) {
		_ = ch.Close()
	}
}
