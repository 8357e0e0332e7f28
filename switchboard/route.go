package switchboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"carillon/auth"
	"carillon/bus"
	"carillon/call"
	"carillon/limit"
	"carillon/refusal"
)

// callRequest is what a call is asked, here or over the bus.
type callRequest struct {
	Fact  call.Fact   `json:"fact"`
	SDP   string      `json:"sdp,omitempty"`  // of an offer, which follows when the fact was granted
	Scope auth.Scope  `json:"scope"`          // of the tab that asks; what the server finds out by itself is not narrowed
	Until time.Time   `json:"until,omitzero"` // of an offer: when the token of the tab ends
	Payer limit.Payer `json:"payer,omitzero"` // on the way to another node; here it is the context's
}

// errAway refuses what may not be done here because the call's owner lives and cannot be reached, or
// because nobody can say whether it lives.
var errAway = refusal.After(time.Second, refusal.Busy, "The server of this call cannot be reached just now. Try again.")

// callAnswer goes back over the bus.
type callAnswer struct {
	Reply     call.Reply     `json:"reply"`
	SDP       string         `json:"sdp,omitempty"`
	Refused   *refusal.Error `json:"refused,omitempty"`
	Elsewhere bool           `json:"elsewhere,omitempty"` // this node does not own the call any more
}

const (
	requestTime   = 15 * time.Second // for one request to a call
	routeAttempts = 5
	routePause    = 50 * time.Millisecond // while two nodes settle who owns a call
)

// do is the one way to a call, wherever it is owned, at the expense of who pays for ctx. The
// reply is worth reading after some refusals too: its snapshot says why.
func (b *Board) do(ctx context.Context, id string, r callRequest) (call.Reply, string, error) {
	reply, sdp, err := b.route(ctx, id, r)
	if payer := limit.PayerOf(ctx); payer.User != "" {
		b.limits.charge(payer.User, reply.Told, time.Now())
	}
	return reply, sdp, err
}

func (b *Board) route(ctx context.Context, id string, r callRequest) (call.Reply, string, error) {
	if !callID(id) {
		return call.Reply{}, "", errNoCall
	}
	if err := b.covered(ctx, id, r.Scope); err != nil {
		return call.Reply{}, "", err
	}
	for range routeAttempts {
		reply, sdp, err := b.here(ctx, id, r)
		if !errors.Is(err, errNotHere) {
			return reply, sdp, err
		}
		reply, sdp, err = b.there(ctx, id, r)
		if errors.Is(err, bus.ErrNoResponders) {
			reply, sdp, err = b.adopt(ctx, id, r)
		}
		if !errors.Is(err, errNotHere) {
			return reply, sdp, err
		}
		select {
		case <-time.After(routePause):
		case <-ctx.Done():
			return call.Reply{}, "", errSlow
		}
	}
	return call.Reply{}, "", refusal.After(time.Second, refusal.Busy, "This call is changing servers. Try again.")
}

// covered refuses a call in a conversation that the token of who asks does not list.
func (b *Board) covered(ctx context.Context, id string, scope auth.Scope) error {
	if scope.Conversations == nil {
		return nil
	}
	r, err := b.store.Call(ctx, id)
	if err == nil && !scope.Covers(r.Conversation) {
		err = errNoCall
	}
	return err
}

// callID reports whether an id can be one of ours, before it becomes part of a subject.
func callID(id string) bool {
	if len(id) != 26 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// here asks the owner on this node, and lets an offer that it granted happen.
func (b *Board) here(ctx context.Context, id string, r callRequest) (call.Reply, string, error) {
	reply, err := b.owners.Do(ctx, id, r.Fact)
	if err == nil && r.Fact.Kind == call.DoAnswer {
		b.limits.answered(reply.Snapshot, r.Fact.From.User, time.Now())
	}
	return b.negotiate(ctx, id, r, reply, err)
}

func (b *Board) negotiate(ctx context.Context, id string, r callRequest, reply call.Reply, err error) (call.Reply, string, error) {
	if err != nil || r.Fact.Kind != call.DoOffer {
		return reply, "", err
	}
	room := b.room(id)
	if room == nil {
		return reply, "", errNotHere // the call went away just now
	}
	sdp, err := room.offer(ctx, reply.Leg, r)
	return reply, sdp, err
}

// there asks the owner on another node.
func (b *Board) there(ctx context.Context, id string, r callRequest) (call.Reply, string, error) {
	r.Payer = limit.PayerOf(ctx)
	data, err := json.Marshal(r)
	if err != nil {
		return call.Reply{}, "", fmt.Errorf("ask call %s: %w", id, err)
	}
	data, err = b.bus.Request(ctx, callSubject(id), data)
	switch {
	case errors.Is(err, bus.ErrNoResponders):
		return call.Reply{}, "", err
	case errors.Is(err, bus.ErrDown):
		return call.Reply{}, "", errAway
	case err != nil: // it may have happened, and the reply is lost
		b.log.Warn("ask call on another node", "call", id, "fact", r.Fact.Kind, "err", err)
		return call.Reply{}, "", errSlow
	}
	var a callAnswer
	if err := json.Unmarshal(data, &a); err != nil {
		return call.Reply{}, "", fmt.Errorf("read the answer of call %s: %w", id, err)
	}
	switch {
	case a.Elsewhere:
		return call.Reply{}, "", errNotHere
	case a.Refused != nil:
		return a.Reply, "", a.Refused
	}
	return a.Reply, a.SDP, nil
}

// adopt asks a call that nobody serves. It reads the call before it makes sure of that,
// so that of several nodes that find it only one takes it over.
func (b *Board) adopt(ctx context.Context, id string, r callRequest) (call.Reply, string, error) {
	record, err := b.store.Call(ctx, id)
	if err != nil {
		return call.Reply{}, "", err
	}
	if record.Live() {
		if b.whereabouts(ctx, record.Owner) == away {
			return call.Reply{}, "", errAway
		}
		// If it is here, it has had time to come back, or has lost the call.
		reply, sdp, err := b.there(ctx, id, r)
		if !errors.Is(err, bus.ErrNoResponders) {
			return reply, sdp, err
		}
	}
	reply, err := b.owners.Adopt(ctx, record, r.Fact)
	return b.negotiate(ctx, id, r, reply, err)
}

// answer serves requests of other nodes. The subscription's goroutine does not wait.
func (b *Board) answer(id string, m bus.Message) {
	run := b.run(func() {
		ctx, cancel := b.timeout(requestTime)
		defer cancel()
		var r callRequest
		var a callAnswer
		err := json.Unmarshal(m.Data, &r)
		if err == nil {
			a.Reply, a.SDP, err = b.here(limit.PaidBy(ctx, r.Payer), id, r)
		}
		switch refused, known := refusal.Of(err); {
		case err == nil:
		case errors.Is(err, errNotHere):
			a.Elsewhere = true
		default:
			if !known {
				b.log.Error("request to call", "call", id, "fact", r.Fact.Kind, "err", err)
			}
			a.Refused = refused
		}
		data, err := json.Marshal(a)
		if err == nil {
			err = m.Reply(data)
		}
		if err != nil {
			b.log.Warn("answer request to call", "call", id, "err", err)
		}
	})
	if !run {
		_ = m.Reply([]byte(`{"elsewhere":true}`)) // this node goes down
	}
}

func callSubject(id string) string { return "call." + id }
