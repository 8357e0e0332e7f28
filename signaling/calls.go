package signaling

import (
	"context"
	"crypto/rand"
	"encoding/json"
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
	"carillon/switchboard"
	"carillon/wire"
)

// callDesk is the call part of a node: it lets what tabs ask happen to calls, wherever
// those are owned, and keeps the rooms of those that are owned here.
//
//	tab ─ handle ─ do ─┬─ exchange (owned here) ─ machine ─ store
//	                   ├─ bus, call.<id> (owned by another node)
//	                   └─ nobody answers: claim, then as the first
type callDesk struct {
	// Fixed at construction.
	server   *Server
	store    switchboard.Store
	exchange *switchboard.Exchange
	media    *sfu.SFU
	limits   callLimits
	log      *slog.Logger
	ears     []*bus.Subscription
	orphans  chan struct{} // holds one: a node has left calls behind
	work     sync.WaitGroup

	mu     sync.Mutex
	rooms  map[string]*callRoom // of the calls that are owned here
	closed bool
}

// CallDeps is what a node needs beside the rest to have calls.
type CallDeps struct {
	Store  switchboard.Store
	SFU    *sfu.SFU
	Config call.Config
}

// newCallDesk begins at once to take over calls whose owners are gone.
func newCallDesk(s *Server, deps CallDeps, reg prometheus.Registerer) (*callDesk, error) {
	d := &callDesk{
		server: s, store: deps.Store, media: deps.SFU, limits: newCallLimits(settings.Fill(deps.Config, call.Defaults())), log: s.log,
		rooms: map[string]*callRoom{}, orphans: make(chan struct{}, 1),
	}
	var err error
	if d.exchange, err = switchboard.NewExchange(deps.Store, deps.Config, s.node, d.openRoom, s.log, reg); err != nil {
		return nil, fmt.Errorf("open exchange: %w", err)
	}
	for subject, handle := range map[string]func(bus.Message){
		ownerSubject(s.node): func(m bus.Message) { _ = m.Reply(nil) }, // others ask whether this node lives
		orphansSubject:       func(bus.Message) { d.wake() },
	} {
		ear, err := s.bus.Subscribe(subject, handle)
		if err != nil {
			d.deafen()
			return nil, fmt.Errorf("open exchange: %w", err)
		}
		d.ears = append(d.ears, ear)
	}
	s.work.Go(d.sweep)
	return d, nil
}

// close leaves the calls to other nodes, or to this one's successor, and waits until
// their peers are closed.
func (d *callDesk) close() {
	d.deafen()
	d.exchange.Close()
	if err := d.server.bus.Publish(orphansSubject, nil); err != nil {
		d.log.Warn("leave calls to others", "err", err) // they will look sooner or later
	}
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.work.Wait()
}

func (d *callDesk) deafen() {
	for _, ear := range d.ears {
		ear.Close()
	}
}

// run runs f in a goroutine that close waits for; not at all once the desk is closed.
func (d *callDesk) run(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.work.Go(f)
	return true
}

// handle is the table of the requests about calls.
func (d *callDesk) handle(ctx context.Context, from origin, method string, data json.RawMessage) (any, error) {
	if method == wire.NoteLegSuspend {
		return with(data, func(p wire.LegRef) (any, error) { return d.suspend(ctx, from, p) })
	}
	if err := d.limits.request(from.User.ID, method, time.Now()); err != nil {
		return nil, err
	}
	switch method {
	case wire.MethodCallStart:
		return with(data, func(p wire.CallStart) (any, error) { return d.start(ctx, from, p) })
	case wire.MethodCallAnswer:
		return with(data, func(p wire.CallAnswer) (any, error) {
			return d.grant(ctx, p.Call, call.Fact{Kind: call.DoAnswer, From: seatOf(from), Camera: p.Camera})
		})
	case wire.MethodCallMove:
		return with(data, func(p wire.CallMove) (any, error) {
			return d.grant(ctx, p.Call, call.Fact{Kind: call.DoMove, From: seatOf(from)})
		})
	case wire.MethodCallResume:
		return with(data, func(p wire.LegRef) (any, error) { return d.grant(ctx, p.Call, legFact(call.DoResume, from, p)) })
	case wire.MethodCallRinging:
		return with(data, func(p wire.CallRef) (any, error) { return d.plain(ctx, from, p.Call, call.DoRinging) })
	case wire.MethodCallDecline:
		return with(data, func(p wire.CallRef) (any, error) { return d.plain(ctx, from, p.Call, call.DoDecline) })
	case wire.MethodCallLeave:
		return with(data, func(p wire.CallRef) (any, error) { return d.plain(ctx, from, p.Call, call.DoLeave) })
	case wire.MethodCallState:
		return with(data, func(p wire.CallStateSet) (any, error) { return d.set(ctx, from, p) })
	case wire.MethodLegOffer:
		return with(data, func(p wire.LegOffer) (any, error) { return d.offer(ctx, from, p) })
	case wire.MethodLegPhase:
		return with(data, func(p wire.LegPhase) (any, error) { return d.phase(ctx, from, p) })
	}
	return nil, refusal.New(refusal.UnknownMethod, "There is no such method here.")
}

func with[P any](data json.RawMessage, run func(P) (any, error)) (any, error) {
	p, err := params[P](data)
	if err != nil {
		return nil, err
	}
	return run(p)
}

func seatOf(from origin) call.Seat {
	return call.Seat{User: from.User.ID, Session: from.Session, Where: from.Where}
}

func legFact(kind call.FactKind, from origin, p wire.LegRef) call.Fact {
	return call.Fact{Kind: kind, From: seatOf(from), Leg: p.Leg, Secret: p.Secret}
}

// startAttempts: the call that stood in the way may end before the start gets there.
const startAttempts = 3

// start makes a call, or goes to the one that stands in its way.
func (d *callDesk) start(ctx context.Context, from origin, p wire.CallStart) (any, error) {
	if n := len(p.ClientCallID); n == 0 || n > 64 {
		return nil, refusal.New(refusal.BadRequest, "client_call_id has 1 to 64 characters.")
	}
	if p.Media != call.Audio && p.Media != call.Video {
		return nil, refusal.New(refusal.BadRequest, "media is audio or video.")
	}
	conversation, err := d.conversation(ctx, from, p)
	if err != nil {
		return nil, err
	}
	in := call.Invitation{
		ClientCallID: p.ClientCallID, Conversation: conversation.ID, Direct: conversation.Kind == chat.Direct,
		Media: p.Media, Camera: p.Camera, From: seatOf(from),
	}
	for _, m := range conversation.Members {
		in.People = append(in.People, call.Person{User: m.ID, Name: m.Name})
	}
	for range startAttempts {
		in.ID = rand.Text()
		reply, other, err := d.exchange.Start(ctx, in)
		if err != nil {
			return nil, err
		}
		if other == "" {
			d.log.Info("call", "call", in.ID, "user", from.User.ID, "media", p.Media)
			return d.granted(ctx, from.User.ID, reply), nil
		}
		reply, _, err = d.do(ctx, other, callRequest{Fact: call.Fact{
			Kind: call.DoStart, From: seatOf(from), Camera: p.Camera, ClientCallID: p.ClientCallID,
		}})
		if err == nil {
			return d.granted(ctx, from.User.ID, reply), nil
		}
		mine := reply.Snapshot.Caller == from.User.ID && reply.Snapshot.ClientCallID == p.ClientCallID
		if mine || !refusal.Is(err, refusal.CallEnded) {
			return nil, err
		}
	}
	return nil, refusal.After(time.Second, refusal.Busy, "The call could not be made just now. Try again.")
}

// conversation is where membership, and thereby who may call whom, is decided.
func (d *callDesk) conversation(ctx context.Context, from origin, p wire.CallStart) (chat.Conversation, error) {
	switch {
	case p.Conversation != "":
		return d.server.chat.Conversation(ctx, from.User.ID, p.Conversation)
	case p.To == from.User.ID:
		return chat.Conversation{}, refusal.New(refusal.BadRequest, "You cannot call yourself.")
	case p.To != "":
		return d.server.chat.DirectWith(ctx, from.User, p.To)
	}
	return chat.Conversation{}, refusal.New(refusal.BadRequest, "Name a conversation, or a user in to.")
}

// grant is a request that hands a leg to the tab that makes it.
func (d *callDesk) grant(ctx context.Context, id string, f call.Fact) (any, error) {
	reply, _, err := d.do(ctx, id, callRequest{Fact: f})
	if err != nil {
		return nil, err
	}
	return d.granted(ctx, f.From.User, reply), nil
}

// granted holds the user's other calls: one live microphone per user.
func (d *callDesk) granted(ctx context.Context, user string, r call.Reply) wire.CallLeg {
	d.holdOthers(ctx, user, r)
	return wire.CallLeg{Call: r.Snapshot, Leg: r.Leg, Secret: r.Secret, Merged: r.Merged, Moved: r.Moved}
}

func (d *callDesk) plain(ctx context.Context, from origin, id string, kind call.FactKind) (any, error) {
	_, _, err := d.do(ctx, id, callRequest{Fact: call.Fact{Kind: kind, From: seatOf(from)}})
	return wire.Empty{}, err
}

func (d *callDesk) set(ctx context.Context, from origin, p wire.CallStateSet) (any, error) {
	reply, _, err := d.do(ctx, p.Call, callRequest{Fact: call.Fact{
		Kind: call.DoSet, From: seatOf(from),
		Set: call.Set{Microphone: p.Microphone, Camera: p.Camera, Held: p.Held, HandRaised: p.HandRaised},
	}})
	if err == nil && p.Held != nil {
		d.holdOthers(ctx, from.User.ID, reply)
	}
	return wire.Empty{}, err
}

func (d *callDesk) suspend(ctx context.Context, from origin, p wire.LegRef) (any, error) {
	_, _, err := d.do(ctx, p.Call, callRequest{Fact: legFact(call.DoSuspend, from, p)})
	return nil, err
}

func (d *callDesk) offer(ctx context.Context, from origin, p wire.LegOffer) (any, error) {
	if p.SDP == "" {
		return nil, refusal.New(refusal.BadSDP, "The offer is empty.")
	}
	_, answer, err := d.do(ctx, p.Call, callRequest{Fact: legFact(call.DoOffer, from, p.LegRef), SDP: p.SDP})
	return wire.LegAnswer{SDP: answer}, err
}

// clientPhases are the ones that only the client sees.
var clientPhases = []string{"first_audio", "first_frame"}

func (d *callDesk) phase(ctx context.Context, from origin, p wire.LegPhase) (any, error) {
	took := time.Duration(p.MS) * time.Millisecond
	if !slices.Contains(clientPhases, p.Phase) || took < 0 || took > 2*time.Minute {
		return nil, refusal.New(refusal.BadRequest, "phase is one of %q, with ms up to 120000.", clientPhases)
	}
	if _, _, err := d.do(ctx, p.Call, callRequest{Fact: legFact(call.DoPhase, from, p.LegRef)}); err != nil {
		return nil, err
	}
	d.exchange.Phase(p.Phase, took)
	return wire.Empty{}, nil
}

// live returns the calls of a user that have not ended, as of now.
func (d *callDesk) live(ctx context.Context, user string) ([]call.Snapshot, error) {
	records, err := d.store.LiveCalls(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("read live calls: %w", err)
	}
	var snapshots []call.Snapshot
	for _, r := range records {
		snapshots = append(snapshots, d.exchange.Now(r))
	}
	return snapshots, nil
}

// holdOthers puts the calls on hold that the user came to before this one, unless this is
// on hold itself. One that cannot be is left: the user hears it, and that is better than
// no call.
func (d *callDesk) holdOthers(ctx context.Context, user string, this call.Reply) {
	if this.Since == 0 {
		return
	}
	id := this.Snapshot.ID
	d.each(ctx, user, id, call.Fact{Kind: call.Hold, From: call.Seat{User: user}, OtherCall: id, Since: this.Since})
}

// each lets a fact happen to all live calls in which the user has a leg, and a hold to
// those that ring as well: the user may be answering them just now.
func (d *callDesk) each(ctx context.Context, user, except string, f call.Fact) {
	records, err := d.store.LiveCalls(ctx, user)
	if err != nil {
		d.log.Error("read live calls", "user", user, "err", err)
		return
	}
	for _, r := range records {
		has := f.Kind == call.Hold || slices.ContainsFunc(r.Snapshot.Participants, func(p call.ParticipantView) bool { return p.User == user && p.Leg != nil })
		if r.ID == except || !has {
			continue
		}
		_, _, err := d.do(ctx, r.ID, callRequest{Fact: f})
		if err != nil && !refusal.Is(err, refusal.CallEnded) && !refusal.Is(err, refusal.NotAllowed) {
			d.log.Warn("tell call", "call", r.ID, "fact", f.Kind, "err", err)
		}
	}
}

func (d *callDesk) tabBack(ctx context.Context, from origin) {
	d.each(ctx, from.User.ID, "", call.Fact{Kind: call.TabBack, From: seatOf(from)})
}

func (d *callDesk) tabGone(ctx context.Context, from origin) {
	d.each(ctx, from.User.ID, "", call.Fact{Kind: call.TabGone, From: seatOf(from)})
}

func (d *callDesk) signedOut(ctx context.Context, from origin) {
	d.each(ctx, from.User.ID, "", call.Fact{Kind: call.Remove, From: seatOf(from)})
}

// sweepEvery is how long a call may be without an owner and without anybody asking, when
// its node died without a word.
const sweepEvery = 5 * time.Second

// sweep takes over the calls whose owners are gone.
func (d *callDesk) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		d.sweepOnce()
		select {
		case <-d.server.done:
			return
		case <-ticker.C:
		case <-d.orphans:
		}
	}
}

func (d *callDesk) wake() {
	select {
	case d.orphans <- struct{}{}:
	default: // it will look anyway
	}
}

func (d *callDesk) sweepOnce() {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	records, err := d.store.AllLive(ctx)
	if err != nil {
		d.log.Error("look for calls without owner", "err", err)
		return
	}
	lives := map[string]bool{d.server.node: true}
	for _, r := range records {
		owner, known := lives[r.Owner]
		if !known {
			_, err := d.server.bus.Request(ctx, ownerSubject(r.Owner), nil)
			owner = !errors.Is(err, bus.ErrNoResponders)
			lives[r.Owner] = owner
		}
		if owner {
			continue
		}
		if _, _, err := d.do(ctx, r.ID, callRequest{Fact: call.Fact{Kind: call.Tick}}); err != nil {
			d.log.Warn("take call over", "call", r.ID, "err", err)
		}
	}
}

// orphansSubject is where a node says that it has left calls behind.
const orphansSubject = "orphans"

func ownerSubject(node string) string { return "owner." + node }
