package switchboard

import (
	"context"
	"crypto/rand"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/sfu"
)

// Door is the one way for a peer into a room of the SFU: for the leg of a tab, and for a
// session of WHIP or WHEP, which has no tab. What a peer may do in its room is decided
// here and nowhere else, and the SFU never gets an offer for more.
type Door struct {
	media    *sfu.SFU
	mayEnter MayEnter
}

// MayEnter decides who may enter the room of a stream at all.
type MayEnter func(ctx context.Context, who auth.Identity, stream string) error

// Members lets those into the room of a stream who are members of its conversation, or
// whose token lists it if it has none.
func Members(c *chat.Service) MayEnter {
	return func(ctx context.Context, who auth.Identity, stream string) error {
		return c.Within(who.Scope.Conversations).MayEnter(ctx, who.User, stream)
	}
}

// NewDoor is the door to the rooms of an SFU.
func NewDoor(media *sfu.SFU, mayEnter MayEnter) *Door {
	return &Door{media: media, mayEnter: mayEnter}
}

// Rights are what a peer may do in its room. A peer without any does not get in.
type Rights struct {
	Publish bool // send media that others get
	Watch   bool // get what others send
}

// Peer is a PeerConnection that was let into a room, with what it may do there.
type Peer struct {
	*sfu.Peer
	rights Rights // owned by who negotiates
}

// narrowTo lets the peer do from its next offer on what the token of its tab allows now.
func (p *Peer) narrowTo(scope auth.Scope) error {
	p.rights = scopeRights(scope)
	return p.rights.check()
}

func (r Rights) check() error {
	if r == (Rights{}) {
		return refusal.New(refusal.NotAllowed, "You may neither publish nor watch here.")
	}
	return nil
}

// Offer answers an offer of the client, narrowed to what the peer may do.
func (p *Peer) Offer(ctx context.Context, sdp string) (string, error) {
	return p.Peer.Offer(ctx, narrow(sdp, p.rights))
}

// entry is a peer that asks to be let in.
type entry struct {
	room        string // its id on the SFU
	peer        string // a peer of this id that is in the room already is closed
	participant string // as whom the others see it
	payer       limit.Payer
	rights      Rights
	listener    sfu.Listener
}

func (d *Door) enter(e entry) (*Peer, error) {
	if e.participant == "" {
		e.rights = Rights{}
	}
	if err := e.rights.check(); err != nil {
		return nil, err
	}
	peer, err := d.media.Room(e.room).Join(e.peer, e.participant, e.payer, e.listener)
	if err != nil {
		return nil, err
	}
	return &Peer{Peer: peer, rights: e.rights}, nil
}

// leg lets in the peer of a leg. The pass is the machine's word that its user takes part
// in the call: they are a member of its conversation, and hold the leg's secret. The scope is
// that of the tab that offers.
func (d *Door) leg(ctx context.Context, room string, pass call.LegPass, scope auth.Scope, l sfu.Listener) (*Peer, error) {
	payer := limit.PayerOf(ctx)
	payer.User = pass.Tab.User
	return d.enter(entry{
		room: room, peer: pass.Leg, participant: pass.Tab.User, payer: payer,
		rights: scopeRights(scope), listener: l,
	})
}

// streams is the prefix of the rooms that belong to no call, so that none of them is ever a
// call's: nobody listens to a call whom its participants do not see.
const streams = "stream/"

// Publish lets in a session that sends into the room of a stream. It may watch there too
// if its token allows that. Each session is a participant of its own.
func (d *Door) Publish(ctx context.Context, who auth.Identity, stream string, l sfu.Listener) (*Peer, error) {
	rights, err := d.streamRights(ctx, who, stream)
	if err != nil {
		return nil, err
	}
	if !rights.Publish {
		return nil, refusal.New(refusal.NotAllowed, "This token may not publish. Guests never may; a token that lists grants needs the grant publish.")
	}
	return d.stream(ctx, who, stream, rights, l)
}

// Watch lets in a session that only gets what others send into the room of a stream.
func (d *Door) Watch(ctx context.Context, who auth.Identity, stream string, l sfu.Listener) (*Peer, error) {
	rights, err := d.streamRights(ctx, who, stream)
	if err != nil {
		return nil, err
	}
	if !rights.Watch {
		return nil, refusal.New(refusal.NotAllowed, "This token may not watch. A token that lists grants needs the grant watch.")
	}
	return d.stream(ctx, who, stream, Rights{Watch: true}, l)
}

func (d *Door) stream(ctx context.Context, who auth.Identity, name string, rights Rights, l sfu.Listener) (*Peer, error) {
	id := rand.Text()
	payer := limit.Payer{User: who.User, Guest: who.Guest, Address: limit.PayerOf(ctx).Address}
	return d.enter(entry{room: streams + name, peer: id, participant: id, payer: payer, rights: rights, listener: l})
}

// streamRights are those that a verified token gives in the room of a stream, if its bearer
// may enter it at all.
func (d *Door) streamRights(ctx context.Context, who auth.Identity, stream string) (r Rights, err error) {
	if who.User == "" {
		return r, nil
	}
	if err := d.mayEnter(ctx, who, stream); err != nil {
		return r, err
	}
	r = scopeRights(who.Scope)
	r.Publish = r.Publish && !who.Guest
	return r, nil
}

// scopeRights are those that a token leaves its user.
func scopeRights(s auth.Scope) Rights {
	return Rights{Publish: s.Allows("publish"), Watch: s.Allows("watch")}
}
