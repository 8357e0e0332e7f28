package switchboard

import (
	"context"
	"net/netip"
	"time"

	"carillon/auth"
	"carillon/call"
	"carillon/limit"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/wire"
)

// leg is one leg of a call with its peer on the SFU.
type leg struct {
	// Fixed at construction.
	room        *room
	id          string
	negotiating chan struct{} // holds one: whoever put it there negotiates

	// Under the room's mu.
	pass           call.LegPass
	scope          auth.Scope  // of the tab that made the last offer
	until          time.Time   // when the token of that tab ended, as far as was known then
	address        netip.Addr  // and of its WebSocket, see limit.Payer
	peer           *Peer       // none before the first offer
	peerConnection string      // the client's end of the peer, as its SDP names it
	mediaUp        bool        // what the call was told last of the peer's media
	slots          *wire.Slots // what the tab was told last of the peer's slots
	ended          bool        // the call no longer has the leg
}

// followLocked takes over what the call allows the leg now.
func (l *leg) followLocked(p call.LegPass) {
	before := l.pass
	l.pass = p
	if p.Tab != before.Tab && p.Tab.Session != "" {
		l.room.board.tabs.HostsLeg(p.Tab.User, p.Tab.TabID, l.id, true)
		l.tellSlotsLocked() // what was told while its connection was broken is lost
	}
	if l.peer != nil {
		l.admitLocked()
	}
}

// tellSlotsLocked tells the leg's tab, over its WebSocket or over its data channel while
// it has none. One way keeps them in order.
func (l *leg) tellSlotsLocked() {
	if l.slots != nil {
		to := l.pass.Tab
		l.room.board.tabs.Tell(to.User, to.TabID, wire.NoteSlots, *l.slots, "slots "+l.id)
	}
}

// admitLocked tells the peer what may be forwarded.
func (l *leg) admitLocked() {
	l.peer.Mute(sfu.Microphone, !l.pass.Microphone)
	l.peer.Mute(sfu.Camera, !l.pass.Camera)
	// Nobody may share a screen yet: else a second audio line would speak for who is muted.
	l.peer.Mute(sfu.Screen, true)
	l.peer.Mute(sfu.ScreenAudio, true)
	l.peer.SetActive(l.pass.Active)
}

// offer negotiates a leg's PeerConnection: the first time, for more slots, or for an ICE
// restart. A leg's offers are answered one at a time.
func (r *room) offer(ctx context.Context, id string, request callRequest) (string, error) {
	r.mu.Lock()
	l := r.legs[id]
	r.mu.Unlock()
	if l == nil {
		return "", call.ErrLegUnknown
	}
	select {
	case l.negotiating <- struct{}{}:
		defer func() { <-l.negotiating }()
	case <-ctx.Done():
		return "", refusal.After(time.Second, refusal.Busy, "The offer before this one is not answered yet.")
	}
	peer, fresh, err := l.peerFor(ctx, request)
	if err != nil {
		return "", err
	}
	answer, err := peer.Offer(ctx, request.SDP)
	if err != nil {
		if fresh {
			l.giveUp(peer)
		}
		return "", err
	}
	// A page that suspended and came back with the same PeerConnection has told the call
	// that its media is gone; the peer never noticed.
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.peer == peer && l.mediaUp {
		r.board.owners.Media(r.id, id, true)
	}
	return answer, nil
}

// peerFor returns the peer that an offer is for. A page that was loaded again has a new
// PeerConnection, and needs a new peer; the old one is closed first. So does a page whose
// peer was not connected in time.
func (l *leg) peerFor(ctx context.Context, request callRequest) (peer *Peer, fresh bool, err error) {
	r, scope, peerConnection := l.room, request.Scope, peerConnectionOf(request.SDP)
	r.mu.Lock()
	old := l.peer
	l.scope, l.until, l.address = scope, request.Until, limit.PayerOf(ctx).Address
	if old != nil && l.peerConnection == peerConnection && !old.Closed() {
		r.mu.Unlock()
		return old, false, old.narrowTo(scope)
	}
	l.peer, l.mediaUp, l.slots = nil, false, nil
	pass := l.pass
	if old != nil {
		r.board.owners.Media(r.id, l.id, false)
	}
	r.mu.Unlock()
	if old != nil {
		r.closePeer(old)
	}
	listener := &listener{leg: l}
	if peer, err = r.board.door.leg(ctx, r.id, pass, scope, listener); err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	if l.ended {
		r.mu.Unlock()
		r.closePeer(peer)
		return nil, false, call.ErrLegUnknown
	}
	l.peer, l.peerConnection = peer, peerConnection
	l.admitLocked()
	r.mu.Unlock()
	listener.setPeer(peer)
	return peer, true, nil
}

// giveUp closes a peer whose first offer was refused.
func (l *leg) giveUp(peer *Peer) {
	r := l.room
	r.mu.Lock()
	current := l.peer == peer
	if current {
		l.peer, l.peerConnection = nil, ""
	}
	r.mu.Unlock()
	if current {
		r.closePeer(peer)
	}
}
