package signaling

import (
	"context"
	"encoding/json"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"carillon/call"
	"carillon/refusal"
	"carillon/switchboard"
	"carillon/wire"
)

// method is one entry of the table that WebSockets and data channels share.
type method struct {
	lane  laneID
	limit limitClass
	note  bool            // a notification: it gets no answer
	types [2]reflect.Type // of its params and its result; no result: a notification
	run   func(ctx context.Context, l *link, params json.RawMessage) (reply, error)
}

// reply is the result of a request, and what is to be done once it is queued.
type reply struct {
	value any
	after func() // nil: nothing
}

// A link's requests run in lanes, each in order and one at a time. Those that concern
// calls have their own, so that a message need not wait for an SDP exchange.
type laneID int

const (
	chatLane laneID = iota
	callLane
	lanes = 2
)

// table lists what a client may ask once it has said hello. The requests and
// notifications that are not in it are hello and pong, which the reader answers itself.
var table = map[string]method{
	wire.MethodTokenRenew:         on((*link).renewToken),
	wire.MethodSessionList:        on((*link).sessionList),
	wire.MethodSessionSignOut:     onWithAfter((*link).sessionSignOut),
	wire.MethodUserGet:            on((*link).userGet),
	wire.MethodUserObjectSet:      on((*link).objectSet),
	wire.MethodUserObjectGet:      on((*link).objectGet),
	wire.MethodPresenceWatch:      on((*link).presenceWatch),
	wire.MethodConversationCreate: on((*link).conversationCreate),
	wire.MethodConversationList:   on((*link).conversationList),
	wire.MethodConversationGet:    on((*link).conversationGet),
	wire.MethodMessageSend:        on((*link).messageSend),
	wire.MethodMessagePage:        on((*link).messagePage),
	wire.MethodReceiptRead:        on((*link).receiptRead),

	wire.MethodCallStart:   onCalls(rings, (*switchboard.Board).Start),
	wire.MethodCallAnswer:  onCalls(legs, (*switchboard.Board).Answer),
	wire.MethodCallMove:    onCalls(legs, (*switchboard.Board).Move),
	wire.MethodCallResume:  onCalls(legs, (*switchboard.Board).Resume),
	wire.MethodCallRinging: onCalls(legs, (*switchboard.Board).Ringing),
	wire.MethodCallDecline: onCalls(legs, (*switchboard.Board).Decline),
	wire.MethodCallLeave:   onCalls(legs, (*switchboard.Board).Leave),
	wire.MethodCallState:   onCalls(legs, (*switchboard.Board).SetState),
	wire.MethodLegOffer:    onCalls(legs, (*switchboard.Board).Offer),
	wire.MethodLegPhase:    onCalls(legs, (*switchboard.Board).Phase),

	wire.NoteAck:        noteOn(chatLane, (*link).ack),
	wire.NoteTyping:     noteOn(chatLane, (*link).typing),
	wire.NoteActivity:   noteOn(chatLane, (*link).activity),
	wire.NoteLegSuspend: noteOn(callLane, (*link).legSuspend),
}

// onWithAfter makes the entry of a request that leaves something to be done once its
// result is queued.
func onWithAfter[P, R any](run func(l *link, ctx context.Context, p P) (R, func(), error)) method {
	return method{
		types: [2]reflect.Type{reflect.TypeFor[P](), reflect.TypeFor[R]()},
		run: func(ctx context.Context, l *link, data json.RawMessage) (reply, error) {
			p, err := params[P](data)
			if err != nil {
				return reply{}, err
			}
			value, after, err := run(l, ctx, p)
			return reply{value, after}, err
		},
	}
}

// on makes the entry of a request.
func on[P, R any](run func(l *link, ctx context.Context, p P) (R, error)) method {
	return onWithAfter(func(l *link, ctx context.Context, p P) (R, func(), error) {
		result, err := run(l, ctx, p)
		return result, nil, err
	})
}

// onCalls makes the entry of a request that the switchboard answers.
func onCalls[P, R any](limit limitClass, run func(b *switchboard.Board, ctx context.Context, tab call.Seat, p P) (R, error)) method {
	m := on(func(l *link, ctx context.Context, p P) (none R, _ error) {
		if l.server.calls == nil {
			return none, errNoCalls
		}
		return run(l.server.calls, ctx, l.tab, p)
	})
	m.lane, m.limit = callLane, limit
	return m
}

// errNoCalls is what a server without media answers to all that is about calls.
var errNoCalls = refusal.New(refusal.NotAllowed, "This server has no calls.")

// noteOn makes the entry of a notification.
func noteOn[P any](lane laneID, run func(l *link, ctx context.Context, p P) error) method {
	m := on(func(l *link, ctx context.Context, p P) (any, error) { return nil, run(l, ctx, p) })
	m.lane, m.note, m.types[1] = lane, true, nil
	return m
}

// receive takes one message of the client. It returns false when the link is to end.
func (l *link) receive(message []byte) bool {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return false
	}
	for f, refused := range frames(message) {
		l.server.metrics.framesIn.Inc()
		now := time.Now()
		if l.limits.frames.Take(1, now) > 0 {
			l.close(wire.CloseRate, "too many frames")
			return false
		}
		if refused != nil {
			if !l.garbage(f.ID, refused, now) {
				return false
			}
			continue
		}
		if !l.accept(f, now) {
			return false
		}
	}
	return true
}

// garbage answers what is no frame, a few times.
func (l *link) garbage(id *int64, refused *refusal.Error, now time.Time) bool {
	l.refuse(id, refused)
	if l.limits.garbage.Take(1, now) > 0 {
		l.close(wire.CloseRate, "too much that is no request")
		return false
	}
	return true
}

func (l *link) accept(f wire.Frame, now time.Time) bool {
	switch {
	case f.Method == wire.NotePong && f.ID == nil:
		l.change(func(v *vitals, _ time.Time) { v.pong() })
		return true
	case f.Method == wire.MethodHello && f.ID != nil:
		return l.hello(*f.ID, f.Params, now)
	case l.hub == nil:
		return l.garbage(f.ID, refusal.New(refusal.HelloFirst, "Say hello first."), now)
	}
	m, known := table[f.Method]
	if !known || m.note != (f.ID == nil) {
		return l.garbage(f.ID, refusal.New(refusal.UnknownMethod, "There is no such method here."), now)
	}
	if err := l.server.within(m.limit, l.tab.User, l.address, now); err != nil {
		refused, _ := refusal.Of(err)
		l.refuse(f.ID, refused)
		return true
	}
	if !l.lanes[m.lane].add(l, request{f.ID, f.Method, m, f.Params}) {
		l.refuse(f.ID, refusal.After(time.Second, refusal.Busy, "Wait for answers before you ask more."))
	}
	return true
}

// refuse answers a request; what had no id of a request gets no answer unless it could
// not be read at all.
func (l *link) refuse(id *int64, refused *refusal.Error) {
	l.server.metrics.refused.WithLabelValues(string(refused.Code)).Inc()
	if id != nil || refused.Code == refusal.BadRequest || refused.Code == refusal.HelloFirst {
		l.push(errorFrame(id, refused), durable, "")
	}
}

// request waits in a lane.
type request struct {
	id     *int64
	name   string
	method method
	params json.RawMessage
}

// lane runs requests in order. Its goroutine exists while it has some.
type lane struct {
	mu      sync.Mutex
	waiting []request
	running bool
}

const (
	laneLength  = 64               // requests that may wait in a lane
	requestTime = 15 * time.Second // for one request
)

func (q *lane) add(l *link, r request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= laneLength {
		return false
	}
	q.waiting = append(q.waiting, r)
	if !q.running {
		q.running = true
		l.server.work.Go(func() { q.run(l) })
	}
	return true
}

func (q *lane) run(l *link) {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.running, q.waiting = false, nil
			q.mu.Unlock()
			return
		}
		r := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		l.perform(r)
	}
}

// perform runs one request and answers it. It goes on although the client has left: what
// it asked for may have been a message.
func (l *link) perform(r request) {
	l.mu.Lock()
	kicked := l.kicked
	l.mu.Unlock()
	if kicked {
		return // what a signed-out tab asked for is not done
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	reply, err := l.try(ctx, r)
	l.server.metrics.requests.WithLabelValues(r.name).Observe(time.Since(start).Seconds())
	switch {
	case err != nil:
		refused, known := refusal.Of(err)
		if !known {
			l.log.Error("request", "method", r.name, "err", err)
		}
		l.refuse(r.id, refused)
	case r.id != nil:
		l.push(result(r.id, reply.value), durable, "")
		if reply.after != nil {
			reply.after()
		}
	}
}

// try keeps a mistake of ours in one request from ending everyone's calls.
func (l *link) try(ctx context.Context, r request) (answer reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("request panicked", "method", r.name, "panic", p, "stack", string(debug.Stack()))
			answer, err = reply{}, refusal.New(refusal.Internal, "Something went wrong on the server. Try again.")
		}
	}()
	return r.method.run(ctx, l, r.params)
}
