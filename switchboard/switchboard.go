// Package switchboard is what a node does with calls: it lets what tabs ask happen to
// calls, wherever those are owned, runs the machines of the calls that this node owns, and
// lets media follow them.
//
//	tab ─ Board ─ do ─┬─ owner on this node ─ call machine ─ store
//	                  ├─ bus, call.<id>: owner on another node
//	                  └─ nobody owns it: claim, then as the first
//
// A call's owner is one goroutine: it stores each transition before anybody hears of it.
// The call's room on the SFU is on the owner's node and follows the machine, never the
// other way round: a leg that the call does not have gets no media.
package switchboard

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/bus"
	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/settings"
	"carillon/sfu"
	"carillon/wire"
)

// Tabs is what calls need of the tabs of all nodes. Package signaling implements it.
type Tabs interface {
	// Tell sends a notification to one tab of a user, on whichever node it is. Of
	// notifications with the same key a slow tab may get only the newest; one without a key
	// is never left out. Neither Tell nor HoldsLeg waits for the tab.
	Tell(user, tab, method string, params any, key string)

	// HoldsLeg is called when a tab gets a leg, again when it is back with a new session,
	// and when it no longer has the leg.
	HoldsLeg(user, tab, leg string, holds bool)

	// Answers pings the connection of a tab and reports whether it answers. One that does
	// not, or that no node has, is over. It takes up to two seconds.
	Answers(ctx context.Context, tab call.Seat) bool

	// ServeChannel speaks the protocol on the data channel of a leg for its tab, until the
	// channel ends.
	ServeChannel(ch sfu.Channel, tab call.Seat)
}

// Deps are the parts that a Board joins together.
type Deps struct {
	Store   Store
	Chat    *chat.Service // decides who may call whom
	Bus     *bus.Bus
	Door    *Door
	Config  call.Config
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: not registered
}

// Board is the switchboard of a node. It is safe for concurrent use. Close it after the
// tabs have gone.
type Board struct {
	// Fixed at construction.
	node          string // new with every start
	store         Store
	chat          *chat.Service
	bus           *bus.Bus
	owners        *owners
	door          *Door
	limits        limits
	log           *slog.Logger
	subscriptions []*bus.Subscription
	ownerLeft     chan struct{} // holds one: a node has left calls behind
	done          chan struct{}

	tabs Tabs // set by Open, before anybody asks

	closing sync.Once
	work    sync.WaitGroup // added to under mu while not closed

	mu     sync.Mutex
	rooms  map[string]*room // of the calls that are owned here
	closed bool
}

// New makes a Board, which does nothing before Open.
func New(deps Deps) (*Board, error) {
	b := &Board{
		node: rand.Text(), store: deps.Store, chat: deps.Chat, bus: deps.Bus, door: deps.Door,
		limits: newLimits(settings.Fill(deps.Config, call.Defaults())), log: deps.Log,
		rooms: map[string]*room{}, ownerLeft: make(chan struct{}, 1), done: make(chan struct{}),
	}
	var err error
	if b.owners, err = newOwners(deps.Store, deps.Config, b.node, b.openRoom, b.log, deps.Metrics); err != nil {
		return nil, fmt.Errorf("open switchboard: %w", err)
	}
	return b, nil
}

// Open lets calls reach tabs, and begins at once to take over calls whose owners are gone.
func (b *Board) Open(tabs Tabs) error {
	b.tabs = tabs
	for subject, handle := range map[string]func(bus.Message){
		ownerSubject(b.node): func(m bus.Message) { _ = m.Reply(nil) }, // others ask whether this node lives
		ownerLeftSubject:     func(bus.Message) { b.sweepSoon() },
	} {
		sub, err := b.bus.Subscribe(subject, handle)
		if err != nil {
			b.unsubscribe()
			return fmt.Errorf("open switchboard: %w", err)
		}
		b.subscriptions = append(b.subscriptions, sub)
	}
	b.run(b.sweep)
	return nil
}

// Close leaves the calls to other nodes, or to this one's successor, and waits until
// their peers are closed. It may be called twice; the Board is of no use afterwards.
func (b *Board) Close() {
	b.closing.Do(func() {
		b.mu.Lock()
		b.closed = true
		b.mu.Unlock()
		close(b.done)
		b.unsubscribe()
		b.owners.Close()
		if err := b.bus.Publish(ownerLeftSubject, nil); err != nil {
			b.log.Warn("leave calls to others", "err", err) // they will look sooner or later
		}
		b.work.Wait()
	})
}

func (b *Board) unsubscribe() {
	for _, sub := range b.subscriptions {
		sub.Close()
	}
}

// run runs f in a goroutine that Close waits for; not at all once the Board is closed.
func (b *Board) run(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.work.Go(f)
	return true
}

// Answer takes the ring of a call for a tab, which gets the leg.
func (b *Board) Answer(ctx context.Context, tab call.Seat, p wire.CallAnswer) (wire.CallLeg, error) {
	return b.grant(ctx, p.Call, call.Fact{Kind: call.DoAnswer, From: tab, Camera: p.Camera})
}

// Move hands the user's part in a call to the tab that asks.
func (b *Board) Move(ctx context.Context, tab call.Seat, p wire.CallMove) (wire.CallLeg, error) {
	return b.grant(ctx, p.Call, call.Fact{Kind: call.DoMove, From: tab})
}

// Resume gives a leg to a tab that proves by the leg's secret that its page hosted it.
// While a connection holds the leg, that one is asked: if it answers, its page lives, and
// the tab that wants to resume is a copy of it.
func (b *Board) Resume(ctx context.Context, tab call.Seat, p wire.LegRef) (wire.CallLeg, error) {
	resume := callRequest{Fact: legFact(call.DoResume, tab, p)}
	reply, _, err := b.do(ctx, p.Call, resume)
	if holder := reply.HeldBy; refusal.Is(err, refusal.LegInUse) && holder.Session != "" && !b.tabs.Answers(ctx, holder) {
		if _, _, err = b.do(ctx, p.Call, callRequest{Fact: call.Fact{Kind: call.TabGone, From: holder}}); err == nil {
			reply, _, err = b.do(ctx, p.Call, resume)
		}
	}
	if err != nil {
		return wire.CallLeg{}, err
	}
	return b.granted(ctx, tab.User, reply), nil
}

// Ringing notes that the tab shows the ring.
func (b *Board) Ringing(ctx context.Context, tab call.Seat, p wire.CallRef) (wire.Empty, error) {
	return b.plain(ctx, p.Call, call.Fact{Kind: call.DoRinging, From: tab})
}

// Decline refuses the call for the whole user.
func (b *Board) Decline(ctx context.Context, tab call.Seat, p wire.CallRef) (wire.Empty, error) {
	return b.plain(ctx, p.Call, call.Fact{Kind: call.DoDecline, From: tab})
}

// Leave takes the user out of the call; it cancels while no one has answered.
func (b *Board) Leave(ctx context.Context, tab call.Seat, p wire.CallRef) (wire.Empty, error) {
	return b.plain(ctx, p.Call, call.Fact{Kind: call.DoLeave, From: tab})
}

// Suspend notes that the page of a leg goes away, perhaps to come back.
func (b *Board) Suspend(ctx context.Context, tab call.Seat, p wire.LegRef) error {
	_, err := b.plain(ctx, p.Call, legFact(call.DoSuspend, tab, p))
	return err
}

func legFact(kind call.FactKind, tab call.Seat, p wire.LegRef) call.Fact {
	return call.Fact{Kind: kind, From: tab, Leg: p.Leg, Secret: p.Secret}
}

// startAttempts: the call that stood in the way may end before the start gets there.
const startAttempts = 3

// Start makes a call, or goes to the one that stands in its way.
func (b *Board) Start(ctx context.Context, tab call.Seat, p wire.CallStart) (wire.CallLeg, error) {
	var none wire.CallLeg
	if n := len(p.ClientCallID); n == 0 || n > 64 {
		return none, refusal.New(refusal.BadRequest, "client_call_id has 1 to 64 characters.")
	}
	if p.Media != call.Audio && p.Media != call.Video {
		return none, refusal.New(refusal.BadRequest, "media is audio or video.")
	}
	conversation, err := b.conversation(ctx, tab.User, p)
	if err != nil {
		return none, err
	}
	in := call.Invitation{
		ClientCallID: p.ClientCallID, Conversation: conversation.ID, Direct: conversation.Kind == chat.Direct,
		Media: p.Media, Camera: p.Camera, From: tab,
	}
	for _, m := range conversation.Members {
		in.People = append(in.People, call.Person{User: m.ID, Name: m.Name})
	}
	for range startAttempts {
		in.ID = rand.Text()
		reply, other, err := b.owners.Start(ctx, in)
		if err != nil {
			return none, err
		}
		if other == "" {
			b.log.Info("call", "call", in.ID, "user", tab.User, "media", p.Media)
			return b.granted(ctx, tab.User, reply), nil
		}
		reply, _, err = b.do(ctx, other, callRequest{Fact: call.Fact{
			Kind: call.DoStart, From: tab, Camera: p.Camera, ClientCallID: p.ClientCallID,
		}})
		if err == nil {
			return b.granted(ctx, tab.User, reply), nil
		}
		mine := reply.Snapshot.Caller == tab.User && reply.Snapshot.ClientCallID == p.ClientCallID
		if mine || !refusal.Is(err, refusal.CallEnded) {
			return none, err
		}
	}
	return none, refusal.After(time.Second, refusal.Busy, "The call could not be made just now. Try again.")
}

// conversation is where membership, and thereby who may call whom, is decided.
func (b *Board) conversation(ctx context.Context, caller string, p wire.CallStart) (chat.Conversation, error) {
	switch {
	case p.Conversation != "":
		return b.chat.Conversation(ctx, caller, p.Conversation)
	case p.To == caller:
		return chat.Conversation{}, refusal.New(refusal.BadRequest, "You cannot call yourself.")
	case p.To != "":
		user, err := b.chat.User(ctx, caller, caller)
		if err != nil {
			return chat.Conversation{}, err
		}
		return b.chat.DirectWith(ctx, user, p.To)
	}
	return chat.Conversation{}, refusal.New(refusal.BadRequest, "Name a conversation, or a user in to.")
}

// grant is a request that hands a leg to the tab that makes it.
func (b *Board) grant(ctx context.Context, id string, f call.Fact) (wire.CallLeg, error) {
	reply, _, err := b.do(ctx, id, callRequest{Fact: f})
	if err != nil {
		return wire.CallLeg{}, err
	}
	return b.granted(ctx, f.From.User, reply), nil
}

// granted holds the user's other calls: one live microphone per user.
func (b *Board) granted(ctx context.Context, user string, r call.Reply) wire.CallLeg {
	b.holdOthers(ctx, user, r)
	return wire.CallLeg{Call: r.Snapshot, Leg: r.Leg, Secret: r.Secret, Merged: r.Merged, Moved: r.Moved}
}

func (b *Board) plain(ctx context.Context, id string, f call.Fact) (wire.Empty, error) {
	_, _, err := b.do(ctx, id, callRequest{Fact: f})
	return wire.Empty{}, err
}

// SetState changes what the user sends and shows in a call: mute, camera, hold, hand.
func (b *Board) SetState(ctx context.Context, tab call.Seat, p wire.CallStateSet) (wire.Empty, error) {
	reply, _, err := b.do(ctx, p.Call, callRequest{Fact: call.Fact{
		Kind: call.DoSet, From: tab,
		Set: call.Set{Microphone: p.Microphone, Camera: p.Camera, Held: p.Held, HandRaised: p.HandRaised},
	}})
	if err == nil && p.Held != nil {
		b.holdOthers(ctx, tab.User, reply)
	}
	return wire.Empty{}, err
}

// Offer negotiates the PeerConnection of a leg.
func (b *Board) Offer(ctx context.Context, tab call.Seat, p wire.LegOffer) (wire.LegAnswer, error) {
	if p.SDP == "" {
		return wire.LegAnswer{}, refusal.New(refusal.BadSDP, "The offer is empty.")
	}
	_, answer, err := b.do(ctx, p.Call, callRequest{Fact: legFact(call.DoOffer, tab, p.LegRef), SDP: p.SDP})
	return wire.LegAnswer{SDP: answer}, err
}

// clientPhases are the ones that only the client sees.
var clientPhases = []string{"first_audio", "first_frame"}

// Phase records a time that the tab measured.
func (b *Board) Phase(ctx context.Context, tab call.Seat, p wire.LegPhase) (wire.Empty, error) {
	var none wire.Empty
	took := time.Duration(p.MS) * time.Millisecond
	if !slices.Contains(clientPhases, p.Phase) || took < 0 || took > 2*time.Minute {
		return none, refusal.New(refusal.BadRequest, "phase is one of %q, with ms up to 120000.", clientPhases)
	}
	if _, err := b.plain(ctx, p.Call, legFact(call.DoPhase, tab, p.LegRef)); err != nil {
		return none, err
	}
	b.owners.Phase(p.Phase, took)
	return none, nil
}

// Live returns the calls of a user that have not ended, as of now.
func (b *Board) Live(ctx context.Context, user string) ([]call.Snapshot, error) {
	records, err := b.store.LiveCalls(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("read live calls: %w", err)
	}
	var snapshots []call.Snapshot
	for _, r := range records {
		snapshots = append(snapshots, b.owners.Now(r))
	}
	return snapshots, nil
}

// holdOthers puts the calls on hold that the user came to before this one, unless this is
// on hold itself. One that cannot be is left: the user hears it, and that is better than
// no call.
func (b *Board) holdOthers(ctx context.Context, user string, this call.Reply) {
	if this.Since == 0 {
		return
	}
	id := this.Snapshot.ID
	b.each(ctx, user, id, call.Fact{Kind: call.Hold, From: call.Seat{User: user}, OtherCall: id, Since: this.Since})
}

// each lets a fact happen to all live calls in which the user has a leg. A hold and the
// end of a tab go to those that ring as well: the user may be answering them just now.
func (b *Board) each(ctx context.Context, user, except string, f call.Fact) {
	records, err := b.store.LiveCalls(ctx, user)
	if err != nil {
		b.log.Error("read live calls", "user", user, "err", err)
		return
	}
	for _, r := range records {
		ringsToo := f.Kind == call.Hold || f.Kind == call.TabGone
		hasLeg := func(p call.ParticipantView) bool { return p.User == user && p.Leg != nil }
		if r.ID != except && (ringsToo || slices.ContainsFunc(r.Snapshot.Participants, hasLeg)) {
			b.tell(ctx, r.ID, f)
		}
	}
}

// tell lets a fact happen to a call that nobody waits for. The end of a tab is told until
// the call has it, because a leg whose tab has gone would be waited for.
func (b *Board) tell(ctx context.Context, id string, f call.Fact) {
	for {
		_, _, err := b.do(ctx, id, callRequest{Fact: f})
		refused, known := refusal.Of(err)
		switch {
		case err == nil, refused.Code == refusal.CallEnded, refused.Code == refusal.NotAllowed:
			return
		case !known || refused.Retry == 0 || f.Kind != call.TabGone:
			b.log.Warn("tell call", "call", id, "fact", f.Kind, "err", err)
			return
		}
		select {
		case <-time.After(refused.Retry):
		case <-ctx.Done():
			b.log.Warn("tell call", "call", id, "fact", f.Kind, "err", err)
			return
		}
	}
}

// TabBack is called at hello: the tab has a new session. It does not wait, since a call
// that hears of the new session by a request first knows as much.
func (b *Board) TabBack(tab call.Seat) {
	b.run(func() {
		ctx, cancel := context.WithTimeout(context.Background(), requestTime)
		defer cancel()
		b.each(ctx, tab.User, "", call.Fact{Kind: call.TabBack, From: tab})
	})
}

// TabGone is called when a tab's session has ended, whatever the reason, and again after a
// request of it that was executed meanwhile.
func (b *Board) TabGone(ctx context.Context, tab call.Seat) {
	b.each(ctx, tab.User, "", call.Fact{Kind: call.TabGone, From: tab})
}

// SignedOut is called, before TabGone, when the session was ended by sign-out.
func (b *Board) SignedOut(ctx context.Context, tab call.Seat) {
	b.each(ctx, tab.User, "", call.Fact{Kind: call.Remove, From: tab})
}

// sweepEvery is how long a call may be without an owner and without anybody asking, when
// its node died without a word.
const sweepEvery = 5 * time.Second

// sweep takes over the calls whose owners are gone.
func (b *Board) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		b.sweepOnce()
		select {
		case <-b.done:
			return
		case <-ticker.C:
		case <-b.ownerLeft:
		}
	}
}

func (b *Board) sweepSoon() {
	select {
	case b.ownerLeft <- struct{}{}:
	default: // it will look anyway
	}
}

func (b *Board) sweepOnce() {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	records, err := b.store.AllLive(ctx)
	if err != nil {
		b.log.Error("look for calls without an owner", "err", err)
		return
	}
	lives := map[string]bool{b.node: true}
	for _, r := range records {
		owner, known := lives[r.Owner]
		if !known {
			_, err := b.bus.Request(ctx, ownerSubject(r.Owner), nil)
			owner = !errors.Is(err, bus.ErrNoResponders)
			lives[r.Owner] = owner
		}
		if owner {
			continue
		}
		if _, _, err := b.do(ctx, r.ID, callRequest{Fact: call.Fact{Kind: call.Tick}}); err != nil {
			b.log.Warn("take call over", "call", r.ID, "err", err)
		}
	}
}

// ownerLeftSubject is where a node says that it has left calls behind.
const ownerLeftSubject = "owner_left"

func ownerSubject(node string) string { return "owner." + node }
