package switchboard

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/wire"
)

// startAttempts: the call that stood in the way may end before the start gets there.
const startAttempts = 3

// Asker is a tab that asks, with what its token allows it.
type Asker struct {
	call.Tab
	Scope   auth.Scope
	Until   time.Time  // when the token ends
	Address netip.Addr // of a data channel: that of the WebSocket over which its leg was offered
}

// Start makes a call, or goes to the one that stands in its way.
func (b *Board) Start(ctx context.Context, tab Asker, p wire.CallStart) (wire.CallLeg, error) {
	var none wire.CallLeg
	if err := chat.CheckClientID(p.ClientCallID); err != nil {
		return none, err
	}
	if p.Media != call.Audio && p.Media != call.Video {
		return none, refusal.New(refusal.BadRequest, "media is audio or video.")
	}
	within := b.chat.Within(tab.Scope.Conversations)
	caller, err := within.User(ctx, tab.User, tab.User)
	if err != nil {
		return none, err
	}
	c, err := conversation(ctx, within, caller, p)
	if err != nil {
		return none, err
	}
	in := call.Invitation{
		ClientCallID: p.ClientCallID, Conversation: c.ID, Direct: c.Kind == chat.Direct,
		Media: p.Media, Camera: p.Camera, From: tab.Tab,
	}
	// A call that is there already rings nobody anew, so whom the caller may ring is not asked.
	other, err := b.inTheWay(ctx, in)
	if err != nil {
		return none, err
	}
	for range startAttempts {
		var reply call.Reply
		if other == "" {
			if reply, other, err = b.ring(ctx, within, caller, c, in); err != nil {
				return none, err
			}
			if other == "" {
				return b.handOver(ctx, tab.User, reply), nil
			}
		}
		reply, _, err = b.do(ctx, other, callRequest{Scope: tab.Scope, Fact: call.Fact{
			Kind: call.DoStart, From: tab.Tab, Camera: p.Camera, ClientCallID: p.ClientCallID,
		}})
		if err == nil {
			return b.handOver(ctx, tab.User, reply), nil
		}
		mine := reply.Snapshot.Caller == tab.User && reply.Snapshot.ClientCallID == p.ClientCallID
		if mine || !refusal.Is(err, refusal.CallEnded) {
			return none, err
		}
		other = ""
	}
	return none, refusal.After(time.Second, refusal.Busy, "The call could not be made just now. Try again.")
}

// inTheWay returns the live call to which a start belongs, as the store will decide: one that
// the same start has made, or that of a direct conversation. Empty: there is none.
func (b *Board) inTheWay(ctx context.Context, in call.Invitation) (id string, _ error) {
	live, err := b.store.LiveCalls(ctx, in.From.User)
	if err != nil {
		return "", fmt.Errorf("read live calls: %w", err)
	}
	for _, r := range live {
		again := r.Caller == in.From.User && r.ClientCallID == in.ClientCallID
		if again || in.Direct && r.Conversation == in.Conversation {
			return r.ID, nil
		}
	}
	return "", nil
}

// ring makes a call that rings those whom the caller may ring, and has not rung too often. If
// another call stands in the way it makes none, and returns the id of that.
func (b *Board) ring(ctx context.Context, within *chat.Service, caller chat.User, c chat.Conversation, in call.Invitation) (_ call.Reply, other string, _ error) {
	people, allowed, err := within.MayRing(ctx, caller, c.ID, b.participants)
	if err != nil {
		return call.Reply{}, "", err
	}
	payer := limit.Payer{User: caller.ID, Guest: caller.Guest, Address: limit.PayerOf(ctx).Address}
	rung, err := b.limits.rings(payer, allowed, time.Now())
	if err != nil {
		return call.Reply{}, "", err
	}
	in.ID = rand.Text()
	for _, m := range people {
		notRung := m.ID != caller.ID && !slices.Contains(rung, m.ID)
		in.People = append(in.People, call.Person{User: m.ID, Name: m.Name, Guest: m.Guest, NotRung: notRung})
	}
	reply, other, err := b.owners.Start(ctx, in)
	if other != "" || refusal.Is(err, refusal.StorageFailed) {
		b.limits.notRung(payer, rung, time.Now())
	}
	if err == nil && other == "" {
		b.log.Info("call", "call", in.ID, "user", caller.ID, "media", in.Media)
		b.limits.chargeStart(payer, len(rung), time.Now())
	}
	return reply, other, err
}

// conversation is where membership is decided.
func conversation(ctx context.Context, within *chat.Service, caller chat.User, p wire.CallStart) (chat.Conversation, error) {
	switch {
	case p.Conversation != "":
		return within.Conversation(ctx, caller.ID, p.Conversation)
	case p.To == caller.ID:
		return chat.Conversation{}, refusal.New(refusal.BadRequest, "You cannot call yourself.")
	case p.To != "":
		return within.DirectWith(ctx, caller, p.To)
	}
	return chat.Conversation{}, refusal.New(refusal.BadRequest, "Name a conversation, or a user in to.")
}

// Answer takes the ring of a call for a tab, which gets the leg. An offer that comes with it
// is answered with it. If that fails the leg is granted all the same: the client offers by
// itself then, and is told what is wrong.
func (b *Board) Answer(ctx context.Context, tab Asker, p wire.CallAnswer) (wire.CallLeg, error) {
	leg, err := b.grant(ctx, tab, p.Call, call.Fact{Kind: call.DoAnswer, From: tab.Tab, Camera: p.Camera})
	if err != nil || p.SDP == "" {
		return leg, err
	}
	ref := wire.LegRef{Call: p.Call, Leg: leg.Leg, Secret: leg.Secret}
	answer, err := b.Offer(ctx, tab, wire.LegOffer{LegRef: ref, SDP: p.SDP})
	if _, refused := refusal.Of(err); err != nil && !refused {
		b.log.Error("answer the offer that came with call.answer", "call", p.Call, "user", tab.User, "err", err)
	}
	leg.SDP = answer.SDP
	return leg, nil
}

// Move hands the user's part in a call to the tab that asks.
func (b *Board) Move(ctx context.Context, tab Asker, p wire.CallMove) (wire.CallLeg, error) {
	return b.grant(ctx, tab, p.Call, call.Fact{Kind: call.DoMove, From: tab.Tab})
}

// Resume gives a leg to a tab that proves by the leg's secret that its page hosted it.
// While the leg is bound to another connection, that one is asked: if it answers, its page
// lives, and the tab that wants to resume is a copy of it.
func (b *Board) Resume(ctx context.Context, tab Asker, p wire.LegRef) (wire.CallLeg, error) {
	resume := callRequest{Scope: tab.Scope, Fact: legFact(call.DoResume, tab, p)}
	reply, _, err := b.do(ctx, p.Call, resume)
	if holder := reply.BoundTo; refusal.Is(err, refusal.LegInUse) && holder.Session != "" && !b.tabs.Answers(ctx, holder) {
		if _, _, err = b.do(ctx, p.Call, callRequest{Fact: call.Fact{Kind: call.TabGone, From: holder}}); err == nil {
			reply, _, err = b.do(ctx, p.Call, resume)
		}
	}
	if err != nil {
		return wire.CallLeg{}, err
	}
	return b.handOver(ctx, tab.User, reply), nil
}

// grant is a request that hands a leg to the tab that makes it.
func (b *Board) grant(ctx context.Context, tab Asker, id string, f call.Fact) (wire.CallLeg, error) {
	reply, _, err := b.do(ctx, id, callRequest{Scope: tab.Scope, Fact: f})
	if err != nil {
		return wire.CallLeg{}, err
	}
	return b.handOver(ctx, f.From.User, reply), nil
}

// handOver makes the answer that hands a leg to a tab, and puts the user's other calls on
// hold: one live microphone per user.
func (b *Board) handOver(ctx context.Context, user string, r call.Reply) wire.CallLeg {
	b.holdOthers(ctx, user, r)
	return wire.CallLeg{Call: r.Snapshot.For(user), Leg: r.Leg, Secret: r.Secret, Merged: r.Merged, Moved: r.Moved}
}

// Ringing notes that the tab shows the ring.
func (b *Board) Ringing(ctx context.Context, tab Asker, p wire.CallRef) (wire.Empty, error) {
	return b.ask(ctx, tab, p.Call, call.Fact{Kind: call.DoRinging, From: tab.Tab})
}

// Decline refuses the call for the whole user.
func (b *Board) Decline(ctx context.Context, tab Asker, p wire.CallRef) (wire.Empty, error) {
	return b.ask(ctx, tab, p.Call, call.Fact{Kind: call.DoDecline, From: tab.Tab})
}

// Leave takes the user out of the call; it cancels while no one has answered.
func (b *Board) Leave(ctx context.Context, tab Asker, p wire.CallRef) (wire.Empty, error) {
	return b.ask(ctx, tab, p.Call, call.Fact{Kind: call.DoLeave, From: tab.Tab})
}

// ask is a request whose answer says nothing but that it was done.
func (b *Board) ask(ctx context.Context, tab Asker, id string, f call.Fact) (wire.Empty, error) {
	_, _, err := b.do(ctx, id, callRequest{Scope: tab.Scope, Fact: f})
	return wire.Empty{}, err
}

// Suspend notes that the page of a leg goes away, perhaps to come back.
func (b *Board) Suspend(ctx context.Context, tab Asker, p wire.LegRef) error {
	_, err := b.ask(ctx, tab, p.Call, legFact(call.DoSuspend, tab, p))
	return err
}

func legFact(kind call.FactKind, tab Asker, p wire.LegRef) call.Fact {
	return call.Fact{Kind: kind, From: tab.Tab, Leg: p.Leg, Secret: p.Secret}
}

// SetState changes what the user sends and shows in a call: mute, camera, hold, hand.
func (b *Board) SetState(ctx context.Context, tab Asker, p wire.CallStateSet) (wire.Empty, error) {
	reply, _, err := b.do(ctx, p.Call, callRequest{Scope: tab.Scope, Fact: call.Fact{
		Kind: call.DoSet, From: tab.Tab,
		Set: call.Set{Microphone: p.Microphone, Camera: p.Camera, Held: p.Held, HandRaised: p.HandRaised},
	}})
	if err == nil && p.Held != nil {
		b.holdOthers(ctx, tab.User, reply)
	}
	return wire.Empty{}, err
}

// Offer negotiates the PeerConnection of a leg.
func (b *Board) Offer(ctx context.Context, tab Asker, p wire.LegOffer) (wire.LegAnswer, error) {
	if p.SDP == "" {
		return wire.LegAnswer{}, refusal.New(refusal.BadSDP, "The offer is empty.")
	}
	_, answer, err := b.do(ctx, p.Call, callRequest{
		Scope: tab.Scope, Until: tab.Until, Fact: legFact(call.DoOffer, tab, p.LegRef), SDP: p.SDP,
	})
	return wire.LegAnswer{SDP: answer}, err
}

// clientPhases are the ones that only the client sees.
var clientPhases = []string{"first_audio", "first_frame"}

// Phase records a time that the tab measured.
func (b *Board) Phase(ctx context.Context, tab Asker, p wire.LegPhase) (wire.Empty, error) {
	var none wire.Empty
	took := time.Duration(p.MS) * time.Millisecond
	if !slices.Contains(clientPhases, p.Phase) || took < 0 || took > 2*time.Minute {
		return none, refusal.New(refusal.BadRequest, "phase is one of %q, with ms up to 120000.", clientPhases)
	}
	if _, err := b.ask(ctx, tab, p.Call, legFact(call.DoPhase, tab, p.LegRef)); err != nil {
		return none, err
	}
	b.owners.Phase(p.Phase, took)
	return none, nil
}
