package switchboard

import (
	"errors"
	"sync"
	"time"

	"carillon/bus"
	"carillon/call"
	"carillon/wire"
)

// room is what a call that this node owns has outside its machine: its media, and its
// subscription to requests of other nodes. It follows the machine, never the other way
// round: a leg that the call does not have gets no media.
type room struct {
	// Fixed at construction.
	board    *Board
	id       string
	requests *bus.Subscription

	mu   sync.Mutex
	legs map[string]*leg
}

// settleTime is how long a subscription may take to reach the other nodes.
const settleTime = time.Second

// openRoom subscribes to requests to a call, and comes back when all nodes know. Without the bus
// they learn of it later, and the tabs here go on.
func (b *Board) openRoom(id string) (follower, error) {
	r := &room{board: b, id: id, legs: map[string]*leg{}}
	var err error
	if r.requests, err = b.bus.Subscribe(callSubject(id), func(m bus.Message) { b.answer(id, m) }); err != nil {
		return nil, err
	}
	ctx, cancel := b.timeout(settleTime)
	defer cancel()
	if err := b.bus.Flush(ctx); err != nil && !errors.Is(err, bus.ErrDown) {
		b.log.Warn("tell the bus of a call", "call", id, "err", err)
	}
	b.mu.Lock()
	b.rooms[id] = r
	b.mu.Unlock()
	return r, nil
}

// room returns the one of a call that is owned here, else nil.
func (b *Board) room(id string) *room {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rooms[id]
}

// Follow lets each leg do what the call allows, and ends the others.
func (r *room) Follow(passes []call.LegPass, ended []call.LegEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	present := map[string]bool{}
	for _, p := range passes {
		present[p.Leg] = true
		l := r.legs[p.Leg]
		if l == nil {
			l = &leg{room: r, id: p.Leg, negotiating: make(chan struct{}, 1)}
			r.legs[p.Leg] = l
		}
		l.followLocked(p)
	}
	for id, l := range r.legs {
		if !present[id] {
			r.dropLocked(l)
		}
	}
	for _, e := range ended {
		end := wire.LegEnd{Call: r.id, Leg: e.Leg, Reason: e.Reason}
		r.board.tabs.Tell(e.Tab.User, e.Tab.TabID, wire.NoteLegEnd, end, "")
		r.board.tabs.HostsLeg(e.Tab.User, e.Tab.TabID, e.Leg, false)
	}
}

// hosts are the tabs that have a leg.
func (r *room) hosts() (all []call.Tab) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.legs {
		all = append(all, l.pass.Tab)
	}
	return all
}

// dropLocked ends a leg and its media.
func (r *room) dropLocked(l *leg) {
	delete(r.legs, l.id)
	l.ended = true
	if l.peer != nil {
		r.closePeer(l.peer)
		l.peer = nil
	}
}

func (r *room) closePeer(peer *Peer) {
	if err := peer.Close(); err != nil {
		r.board.log.Warn("close peer", "call", r.id, "err", err)
	}
}

// Close ends the media of the call here.
func (r *room) Close() {
	r.requests.Close()
	b := r.board
	b.mu.Lock()
	if b.rooms[r.id] == r {
		delete(b.rooms, r.id)
	}
	b.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.legs {
		r.dropLocked(l)
	}
}
