package signaling

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

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
	run   func(ctx context.Context, c *connection, params json.RawMessage) (reply, error)
}

// reply is the result of a request, and what is to be done once it is queued.
type reply struct {
	value any
	after func() // nil: nothing
}

// table lists what a client may ask once it has said hello: each method with its types,
// its lane (the chatLane, unless it is about calls), its limits, and whether it is a
// notification. Only hello and pong are not in it; the reader answers them itself.
var table = map[string]method{
	wire.MethodTokenRenew:          onWithAfter((*connection).renewToken),
	wire.MethodSessionList:         onReads((*connection).sessionList),
	wire.MethodSessionSignOut:      onWithAfter((*connection).sessionSignOut),
	wire.MethodUserGet:             onReads((*connection).userGet),
	wire.MethodUserObjectSet:       on((*connection).objectSet),
	wire.MethodUserObjectGet:       onReads((*connection).objectGet),
	wire.MethodPresenceWatch:       onReads((*connection).presenceWatch),
	wire.MethodContactAdd:          on((*connection).contactAdd),
	wire.MethodContactRemove:       on((*connection).contactRemove),
	wire.MethodContactList:         onReads((*connection).contactList),
	wire.MethodBlockAdd:            on((*connection).blockAdd),
	wire.MethodBlockRemove:         on((*connection).blockRemove),
	wire.MethodBlockList:           onReads((*connection).blockList),
	wire.MethodPreferencesSet:      on((*connection).preferencesSet),
	wire.MethodDraftSet:            on((*connection).draftSet),
	wire.MethodConversationCreate:  on((*connection).conversationCreate),
	wire.MethodConversationList:    onReads((*connection).conversationList),
	wire.MethodConversationGet:     onReads((*connection).conversationGet),
	wire.MethodConversationMembers: onReads((*connection).conversationMembers),
	wire.MethodConversationWatch:   onReads((*connection).conversationWatch),
	wire.MethodConversationJoin:    on((*connection).conversationJoin),
	wire.MethodConversationLeave:   on((*connection).conversationLeave),
	wire.MethodConversationMine:    on((*connection).conversationMine),
	wire.MethodConversationClear:   on((*connection).conversationClear),
	wire.MethodFeedChanges:         onReads((*connection).feedChanges),
	wire.MethodMessageSend:         on((*connection).messageSend),
	wire.MethodMessagePage:         onReads((*connection).messagePage),
	wire.MethodMessageGet:          onReads((*connection).messageGet),
	wire.MethodMessageEdit:         on((*connection).messageEdit),
	wire.MethodMessageRecall:       on((*connection).messageRecall),
	wire.MethodMessageHide:         on((*connection).messageHide),
	wire.MethodMessageReact:        on((*connection).messageReact),
	wire.MethodMessageReacted:      onReads((*connection).messageReacted),
	wire.MethodPreviewGet:          on((*connection).previewGet).in(lookLane),
	wire.MethodMarksSet:            on((*connection).marksSet).in(markLane),
	wire.MethodFileURLs:            onReads((*connection).fileURLs),

	wire.MethodCallStart:   onLegs(callStarts, (*switchboard.Board).Start),
	wire.MethodCallAnswer:  onLegs(callRequests, (*switchboard.Board).Answer),
	wire.MethodCallMove:    onLegs(callRequests, (*switchboard.Board).Move),
	wire.MethodCallResume:  onLegs(callRequests, (*switchboard.Board).Resume),
	wire.MethodCallRinging: onCalls(everyRequest, (*switchboard.Board).Ringing), // each tab says it of each ring
	wire.MethodCallDecline: onCalls(callRequests, (*switchboard.Board).Decline),
	wire.MethodCallLeave:   onCalls(callRequests, (*switchboard.Board).Leave),
	wire.MethodCallState:   onCalls(callRequests, (*switchboard.Board).SetState),
	wire.MethodCallGet:     onCalls(reads, (*switchboard.Board).Get).in(chatLane), // no call waits for what its user reads
	wire.MethodLegOffer:    onLegs(callRequests, (*switchboard.Board).Offer),
	wire.MethodLegPhase:    onCalls(callRequests, (*switchboard.Board).Phase),

	wire.NoteTyping:     noteOn(chatLane, (*connection).typing).within(reads),
	wire.NoteActivity:   noteOn(chatLane, (*connection).activity),
	wire.NoteLegSuspend: noteOn(callLane, (*connection).legSuspend),
}

// onWithAfter makes the entry of a request that leaves something to be done once its
// result is queued.
func onWithAfter[P, R any](run func(c *connection, ctx context.Context, p P) (R, func(), error)) method {
	return method{
		types: [2]reflect.Type{reflect.TypeFor[P](), reflect.TypeFor[R]()},
		run: func(ctx context.Context, c *connection, data json.RawMessage) (reply, error) {
			p, err := params[P](data)
			if err != nil {
				return reply{}, err
			}
			value, after, err := run(c, ctx, p)
			return reply{value, after}, err
		},
	}
}

// on makes the entry of a request.
func on[P, R any](run func(c *connection, ctx context.Context, p P) (R, error)) method {
	return onWithAfter(func(c *connection, ctx context.Context, p P) (R, func(), error) {
		result, err := run(c, ctx, p)
		return result, nil, err
	})
}

// onReads makes the entry of a request that does nothing but read.
func onReads[P, R any](run func(c *connection, ctx context.Context, p P) (R, error)) method {
	return on(run).within(reads)
}

// within is the method with limits of its own.
func (m method) within(class limitClass) method {
	m.limit = class
	return m
}

// in is the method in another lane.
func (m method) in(lane laneID) method {
	m.lane = lane
	return m
}

// onCalls makes the entry of a request that the switchboard answers.
func onCalls[P, R any](class limitClass, run func(b *switchboard.Board, ctx context.Context, tab switchboard.Asker, p P) (R, error)) method {
	m := on(func(c *connection, ctx context.Context, p P) (none R, _ error) {
		if c.server.calls == nil {
			return none, errNoCalls
		}
		return run(c.server.calls, ctx, c.asker(), p)
	})
	m.lane, m.limit = callLane, class
	return m
}

// onLegs makes the entry of a request that binds a leg to the connection that asks. A
// connection that has ended gets no leg. If it ends meanwhile, its end may have been told
// before there was a call to tell, so it is told again.
func onLegs[P, R any](class limitClass, run func(b *switchboard.Board, ctx context.Context, tab switchboard.Asker, p P) (R, error)) method {
	m := onCalls(class, run)
	bind := m.run
	m.run = func(ctx context.Context, c *connection, data json.RawMessage) (reply, error) {
		if c.out.isClosed() {
			return reply{}, refusal.New(refusal.LegInUse, "This connection has ended. Ask again over the next one.")
		}
		answer, err := bind(ctx, c, data)
		if c.out.isClosed() && c.server.calls != nil && !c.channel {
			ctx, cancel := c.server.timeout(requestTime)
			defer cancel()
			c.server.calls.TabGone(ctx, c.tab)
		}
		return answer, err
	}
	return m
}

// errNoCalls is what a server without media answers to all that is about calls.
var errNoCalls = refusal.New(refusal.NotAllowed, "This server has no calls.")

// noteOn makes the entry of a notification.
func noteOn[P any](lane laneID, run func(c *connection, ctx context.Context, p P) error) method {
	m := on(func(c *connection, ctx context.Context, p P) (any, error) { return nil, run(c, ctx, p) })
	m.lane, m.note, m.types[1] = lane, true, nil
	return m
}

// receive takes one message of the client. It returns false when the connection is to end.
func (c *connection) receive(message []byte) bool {
	if c.out.isClosed() {
		return false
	}
	for f, refused := range frames(message) {
		c.server.metrics.framesIn.Inc()
		now := time.Now()
		if !c.countFrame(now) {
			return false
		}
		if refused != nil {
			if !c.refuseGarbage(f.ID, refused, now) {
				return false
			}
			continue
		}
		if !c.accept(f, now) {
			return false
		}
	}
	return true
}

// countFrame counts a frame of ours, or a control frame of the WebSocket. A client that
// sends too many is closed.
func (c *connection) countFrame(now time.Time) bool {
	if c.frameLimit.Take(1, now) > 0 {
		c.server.limits.frames.Add()
		c.close(wire.CloseRate, "too many frames")
		return false
	}
	return true
}

// refuseGarbage answers what is no request of ours. A client that sends much of it is
// closed.
func (c *connection) refuseGarbage(id *int64, refused *refusal.Error, now time.Time) bool {
	c.refuse(id, refused)
	if c.garbageLimit.Take(1, now) > 0 {
		c.close(wire.CloseRate, "too much that is no request")
		return false
	}
	return true
}

func (c *connection) accept(f wire.Frame, now time.Time) bool {
	switch {
	case f.Method == wire.NotePong && f.ID == nil:
		c.liveness.pong()
		return true
	case f.Method == wire.MethodHello && f.ID != nil:
		return c.hello(*f.ID, f.Params, now)
	case c.user == nil:
		return c.refuseGarbage(f.ID, refusal.New(refusal.HelloFirst, "Say hello first."), now)
	}
	m, known := table[f.Method]
	if !known || m.note != (f.ID == nil) {
		return c.refuseGarbage(f.ID, refusal.New(refusal.UnknownMethod, "There is no such method here."), now)
	}
	err := c.mayAsk(m.limit, now)
	if err == nil {
		err = c.mayUse(f.Method)
	}
	if err != nil {
		refused, _ := refusal.Of(err)
		c.refuse(f.ID, refused)
		return true
	}
	if !c.lanes[m.lane].add(c, request{f.ID, f.Method, m, f.Params}) {
		c.refuse(f.ID, refusal.After(time.Second, refusal.Busy, "Wait for answers before you ask more."))
	}
	return true
}

// refuse answers a request. What has no id gets an answer only if it could not be read, makes
// no sense, or came before hello: then its client is wrong.
func (c *connection) refuse(id *int64, refused *refusal.Error) {
	c.server.metrics.refused.WithLabelValues(string(refused.Code)).Inc()
	if id != nil || refused.Code == refusal.BadRequest || refused.Code == refusal.HelloFirst {
		c.push(errorFrame(id, refused), durable, "")
	}
}
