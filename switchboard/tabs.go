package switchboard

import (
	"context"
	"fmt"
	"slices"
	"time"

	"carillon/call"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/wire"
)

// Tabs is what calls need of the tabs of all nodes. Package signaling implements it.
type Tabs interface {
	// Tell sends a notification to one tab of a user, on whichever node it is. Of
	// notifications with the same key a slow tab may get only the newest; one without a key
	// is never left out. Neither Tell nor HostsLeg waits for the tab.
	Tell(user, tab, method string, params any, key string)

	// TellCall tells all tabs of a user of a change of a call. It does not wait.
	TellCall(user string, c wire.CallChange)

	// LiveCalls is called every few seconds with the calls of all nodes that have not ended, so
	// that a node notices what it was not told. It does not wait.
	LiveCalls(all []call.Live)

	// HostsLeg is called when a tab gets a leg, again when it is back with a new session,
	// and when it no longer has the leg.
	HostsLeg(user, tab, leg string, hosts bool)

	// SendAway closes the connection of a tab, if it is here, so that the tab comes back, to another
	// node if there is one.
	SendAway(tab call.Tab)

	// Answers pings the connection of a tab and reports whether it answers. One that does
	// not, or that no node has, is over. It takes up to two and a half seconds.
	Answers(ctx context.Context, tab call.Tab) bool

	// ServeChannel speaks the protocol on the data channel of a leg for its tab, until the
	// channel ends.
	ServeChannel(ch sfu.Channel, tab Asker)
}

// Live returns the calls of a tab's user that have not ended, as of now.
func (b *Board) Live(ctx context.Context, tab Asker) ([]wire.CallChange, error) {
	records, err := b.store.LiveCalls(ctx, tab.User)
	if err != nil {
		return nil, fmt.Errorf("read live calls: %w", err)
	}
	var calls []wire.CallChange
	for _, r := range records {
		if tab.Scope.Covers(r.Conversation) {
			calls = append(calls, wire.CallChange{Call: b.owners.Now(r).For(tab.User)})
		}
	}
	return calls, nil
}

// Get returns a call of a tab's user, live or ended, as of now.
func (b *Board) Get(ctx context.Context, tab Asker, p wire.CallRef) (wire.CallChange, error) {
	r, err := b.store.Call(ctx, p.Call)
	if err == nil && (!slices.Contains(r.Users(), tab.User) || !tab.Scope.Covers(r.Conversation)) {
		err = errNoCall
	}
	if err != nil {
		return wire.CallChange{}, err
	}
	return wire.CallChange{Call: b.owners.Now(r).For(tab.User)}, nil
}

// errNoCall is also the answer to who takes no part: they learn of no call.
var errNoCall = refusal.New(refusal.NotFound, "There is no such call.")

// holdOthers puts the calls on hold that the user came to before this one, unless this is
// on hold itself. A call that cannot be put on hold goes on: the user hears both, and that is
// better than no call.
func (b *Board) holdOthers(ctx context.Context, user string, this call.Reply) {
	if this.Since == 0 {
		return
	}
	id := this.Snapshot.ID
	b.tellCalls(ctx, user, id, call.Fact{Kind: call.Hold, From: call.Tab{User: user}, OtherCall: id, Since: this.Since})
}

// tellCalls lets a fact happen to all live calls in which the user has a leg. A hold and the
// end of a tab go to those that ring as well: the user may be answering them just now.
func (b *Board) tellCalls(ctx context.Context, user, except string, f call.Fact) {
	records, err := b.store.LiveCalls(ctx, user)
	if err != nil {
		b.log.Error("read live calls", "user", user, "err", err)
		return
	}
	for _, r := range records {
		ringsToo := f.Kind == call.Hold || f.Kind == call.TabGone
		hasLeg := func(p call.ParticipantView) bool { return p.User == user && p.Leg != nil }
		if r.ID != except && (ringsToo || slices.ContainsFunc(b.owners.Now(r).Participants, hasLeg)) {
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

// TabBack is called at hello: the tab has a new session. It does not wait: if a request of
// the new session reaches a call first, the call learns the same from that.
func (b *Board) TabBack(tab call.Tab) {
	b.run(func() {
		ctx, cancel := b.timeout(requestTime)
		defer cancel()
		b.tellCalls(ctx, tab.User, "", call.Fact{Kind: call.TabBack, From: tab})
	})
}

// TabGone is called when a tab's session has ended, whatever the reason, and again after a
// request of it that was executed meanwhile.
func (b *Board) TabGone(ctx context.Context, tab call.Tab) {
	b.tellCalls(ctx, tab.User, "", call.Fact{Kind: call.TabGone, From: tab})
}

// SignedOut is called, before TabGone, when the session was ended by sign-out.
func (b *Board) SignedOut(ctx context.Context, tab call.Tab) {
	b.tellCalls(ctx, tab.User, "", call.Fact{Kind: call.Remove, From: tab})
}
