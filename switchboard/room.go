package switchboard

import (
	"context"
	"strings"
	"sync"
	"time"

	"carillon/bus"
	"carillon/call"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/wire"
)

// room is what a call that is owned here has outside its machine: its media and its
// ear on the bus. It follows the machine, never the other way round: a leg that the call
// does not have gets no media.
type room struct {
	// Fixed at construction.
	board *Board
	id    string
	ear   *bus.Subscription

	mu     sync.Mutex
	legs   map[string]*leg
	closed bool
}

// leg is one leg of the call with its peer.
type leg struct {
	// Fixed at construction.
	room *room
	id   string

	turn chan struct{} // holds one: who has it negotiates

	// Under the room's mu.
	pass    call.LegPass
	peer    *sfu.Peer   // none before the first offer
	session string      // of the SDP: which PeerConnection of the client the peer belongs to
	up      bool        // what was told last of the peer's media
	slots   *wire.Slots // what was told last of the peer's slots
	over    bool
}

// openRoom begins to listen for requests to a call, and comes back when all nodes know.
func (b *Board) openRoom(id string) (Room, error) {
	r := &room{board: b, id: id, legs: map[string]*leg{}}
	var err error
	if r.ear, err = b.bus.Subscribe(callSubject(id), func(m bus.Message) { b.answer(id, m) }); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	if err := b.bus.Flush(ctx); err != nil {
		r.ear.Close()
		return nil, err
	}
	b.mu.Lock()
	b.rooms[id] = r
	b.mu.Unlock()
	return r, nil
}

// room of a call that is owned here.
func (b *Board) room(id string) *room {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rooms[id]
}

// Follow lets each leg do what the call allows, and ends the others.
func (r *room) Follow(passes []call.LegPass, ended []call.LegEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	there := map[string]bool{}
	for _, p := range passes {
		there[p.Leg] = true
		l := r.legs[p.Leg]
		if l == nil {
			l = &leg{room: r, id: p.Leg, turn: make(chan struct{}, 1)}
			r.legs[p.Leg] = l
		}
		l.followLocked(p)
	}
	for id, l := range r.legs {
		if !there[id] {
			r.dropLocked(l)
		}
	}
	for _, e := range ended {
		end := wire.LegEnd{Call: r.id, Leg: e.Leg, Reason: e.Reason}
		r.board.tabs.Tell(e.Seat.User, e.Seat.Tab, wire.NoteLegEnd, end, "")
		r.board.tabs.HoldsLeg(e.Seat.User, e.Seat.Tab, e.Leg, false)
	}
}

func (l *leg) followLocked(p call.LegPass) {
	was := l.pass
	l.pass = p
	if p.Seat != was.Seat && p.Seat.Session != "" {
		l.room.board.tabs.HoldsLeg(p.Seat.User, p.Seat.Tab, l.id, true)
		l.tellSlotsLocked() // what came while its connection was broken went nowhere
	}
	if l.peer != nil {
		l.admitLocked()
	}
}

// tellSlotsLocked tells the leg's tab, over its WebSocket or over its data channel while
// it has none. One way keeps them in order.
func (l *leg) tellSlotsLocked() {
	if l.slots != nil {
		to := l.pass.Seat
		l.room.board.tabs.Tell(to.User, to.Tab, wire.NoteSlots, *l.slots, "slots "+l.id)
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

// dropLocked ends a leg and its media.
func (r *room) dropLocked(l *leg) {
	delete(r.legs, l.id)
	l.over = true
	if l.peer != nil {
		r.closePeer(l.peer)
		l.peer = nil
	}
}

func (r *room) closePeer(peer *sfu.Peer) {
	if err := peer.Close(); err != nil {
		r.board.log.Warn("close peer", "call", r.id, "err", err)
	}
}

// Close ends the media of the call here.
func (r *room) Close() {
	r.ear.Close()
	b := r.board
	b.mu.Lock()
	if b.rooms[r.id] == r {
		delete(b.rooms, r.id)
	}
	b.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, l := range r.legs {
		r.dropLocked(l)
	}
}

var errLegOver = refusal.New(refusal.LegUnknown, "This tab's part in the call is over. Start again, or move the call here.")

// offer negotiates a leg's PeerConnection: the first time, for more slots, or for an ICE
// restart. A leg's offers are answered one at a time.
func (r *room) offer(ctx context.Context, id, sdp string) (string, error) {
	r.mu.Lock()
	l := r.legs[id]
	r.mu.Unlock()
	if l == nil {
		return "", errLegOver
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return "", refusal.After(time.Second, refusal.Busy, "The offer before this one is not answered yet.")
	}
	peer, fresh, err := l.peerFor(sdp)
	if err != nil {
		return "", err
	}
	answer, err := peer.Offer(ctx, sdp)
	if err != nil {
		if fresh {
			l.lose(peer)
		}
		return "", err
	}
	// A page that suspended and came back with the same PeerConnection has told the call
	// that its media is gone; the peer never noticed.
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.peer == peer && l.up {
		r.board.exchange.Media(r.id, id, true)
	}
	return answer, nil
}

// peerFor returns the peer that an offer is for. A page that was loaded again has a new
// PeerConnection, and needs a new peer; the old one is closed first.
func (l *leg) peerFor(sdp string) (peer *sfu.Peer, fresh bool, err error) {
	r, session := l.room, sdpSession(sdp)
	r.mu.Lock()
	old := l.peer
	if old != nil && l.session == session {
		r.mu.Unlock()
		return old, false, nil
	}
	l.peer, l.up, l.slots = nil, false, nil
	user := l.pass.Seat.User
	if old != nil {
		r.board.exchange.Media(r.id, l.id, false)
	}
	r.mu.Unlock()
	if old != nil {
		r.closePeer(old)
	}
	ear := &ear{leg: l}
	if peer, err = r.board.media.Room(r.id).Join(l.id, user, ear); err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	if l.over {
		r.mu.Unlock()
		r.closePeer(peer)
		return nil, false, errLegOver
	}
	l.peer, l.session = peer, session
	l.admitLocked()
	r.mu.Unlock()
	ear.listen(peer)
	return peer, true, nil
}

// lose gives up a peer whose first offer was refused.
func (l *leg) lose(peer *sfu.Peer) {
	r := l.room
	r.mu.Lock()
	mine := l.peer == peer
	if mine {
		l.peer, l.session = nil, ""
	}
	r.mu.Unlock()
	if mine {
		r.closePeer(peer)
	}
}

// sdpSession returns what names the client's PeerConnection in all of its offers.
//
// "[...] The <sess-id> [...] MUST be representable by a 64-bit signed integer [...]. [In
// subsequent offers] the fields of the "o=" line MUST stay the same except for the
// <session-version> field"
// https://www.rfc-editor.org/rfc/rfc8829#section-5.2.1 and #section-5.2.2
func sdpSession(sdp string) string {
	_, rest, found := strings.Cut(sdp, "o=")
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return ""
	}
	return fields[0] + " " + fields[1]
}

// ear hears what the SFU has to say of one peer. After its leg has another peer it is
// deaf.
type ear struct {
	leg *leg

	mu   sync.Mutex
	peer *sfu.Peer
}

func (e *ear) listen(p *sfu.Peer) { e.mu.Lock(); e.peer = p; e.mu.Unlock() }

// pass returns what the leg is now, unless this is not its peer any more. It does what
// must not come after the end of the peer under the room's lock.
func (e *ear) pass(do func(l *leg)) (call.LegPass, bool) {
	e.mu.Lock()
	peer := e.peer
	e.mu.Unlock()
	l := e.leg
	l.room.mu.Lock()
	defer l.room.mu.Unlock()
	if l.over || peer == nil || l.peer != peer {
		return call.LegPass{}, false
	}
	if do != nil {
		do(l)
	}
	return l.pass, true
}

// Media tells the call; two seconds of silence count as loss.
func (e *ear) Media(state sfu.MediaState) {
	e.pass(func(l *leg) {
		l.up = state == sfu.MediaUp
		l.room.board.exchange.Media(l.room.id, l.id, l.up)
	})
}

func (e *ear) Slots(slots []sfu.Slot) {
	note := wire.Slots{Call: e.leg.room.id, Slots: []wire.Slot{}}
	for _, s := range slots {
		note.Slots = append(note.Slots, wire.Slot{MID: s.MID, Participant: s.Participant, Source: wire.Source(s.Source), ID: s.ID})
	}
	e.pass(func(l *leg) {
		l.slots = &note
		l.tellSlotsLocked()
	})
}

func (e *ear) Speaker(participant string) {
	if p, mine := e.pass(nil); mine {
		note := wire.Speaker{Call: e.leg.room.id, User: participant}
		e.leg.room.board.tabs.Tell(p.Seat.User, p.Seat.Tab, wire.NoteSpeaker, note, "speaker "+e.leg.id)
	}
}

func (e *ear) Phase(name string, took time.Duration) { e.leg.room.board.exchange.Phase(name, took) }

// Channel is the second way in for the leg's tab.
func (e *ear) Channel(ch sfu.Channel) {
	p, mine := e.pass(nil)
	board := e.leg.room.board
	if !mine || !board.run(func() { board.tabs.ServeChannel(ch, p.Seat) }) {
		_ = ch.Close()
	}
}
