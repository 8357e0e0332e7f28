package switchboard

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"carillon/call"
	"carillon/refusal"
	"carillon/wire"
)

// follower is what a live call has outside its machine: a room. It is told of nothing
// that is not stored.
type follower interface {
	// Follow gets all legs of the call as they are now, and those that have just ended.
	// It is called after every transition and must not block.
	Follow(legs []call.LegPass, ended []call.LegEnd)
	Close()
}

const (
	inboxSize = 64               // requests that may wait for one call
	saveTime  = 10 * time.Second // for one transaction
	retrySave = time.Second      // after one that failed
)

// errSlow answers who has waited too long. The fact may still happen; asking again is
// harmless.
var errSlow = refusal.After(time.Second, refusal.Busy, "This call answers slowly just now. Ask again.")

// errNotHere means that this node does not own the call and the fact was not looked at.
var errNotHere = errors.New("this node does not own the call")

// owner runs one live call: command → machine → store → reply → room. Nothing is told
// before it is stored. It ends with the call, or when another node has taken the call over.
type owner struct {
	// Fixed at construction.
	all   *owners
	id    string
	log   *slog.Logger
	inbox chan request
	begun chan struct{} // closed when the call is this owner's, or never will be
	stop  chan struct{} // closed by end
	end   func()        // makes it leave the call as it is stored; it may be called twice
	done  chan struct{} // closed by run, as its last act
	start time.Time     // the clock counts from here, so that a jump of the wall clock ends no call

	epoch atomic.Int64 // in which it owns the call; 0: it does not yet

	// Owned by run.
	call    call.Call
	room    follower
	fenced  bool          // another node owns the call
	told    call.Snapshot // what the participants were told last by this owner; zero: nothing yet
	retryAt time.Time     // when the timer tries again after a failed save; zero: nothing has failed since it ran

	media mediaStates
}

// request is a fact that has arrived.
type request struct {
	fact  call.Fact
	reply chan answer // takes one without waiting; nil: nobody waits
}

type answer struct {
	reply call.Reply
	err   error
}

// mediaStates holds what the room has seen of the legs' media and the machine does not know
// yet: the newest of each leg, so it never fills up and nobody has to wait.
type mediaStates struct {
	mu     sync.Mutex
	newest map[string]call.Fact // by leg
	wake   chan struct{}        // holds one
}

func (m *mediaStates) put(leg string, up bool, at time.Time) {
	f := call.Fact{Kind: call.MediaDown, Leg: leg, Arrived: at}
	if up {
		f.Kind = call.MediaUp
	}
	m.mu.Lock()
	m.newest[leg] = f
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default: // run has been woken and will find this too
	}
}

// putBack keeps what could not be stored, unless the room has seen something newer.
func (m *mediaStates) putBack(f call.Fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, newer := m.newest[f.Leg]; !newer {
		m.newest[f.Leg] = f
	}
}

func (m *mediaStates) take() (all []request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.newest {
		all = append(all, request{fact: f})
	}
	clear(m.newest)
	return all
}

func newOwner(x *owners, id string) *owner {
	stop := make(chan struct{})
	return &owner{
		all: x, id: id, log: x.log.With("call", id),
		inbox: make(chan request, inboxSize),
		begun: make(chan struct{}),
		stop:  stop,
		end:   sync.OnceFunc(func() { close(stop) }),
		done:  make(chan struct{}),
		start: time.Now(),
		media: mediaStates{newest: map[string]call.Fact{}, wake: make(chan struct{}, 1)},
	}
}

func (o *owner) now() time.Time { return o.start.Add(time.Since(o.start)) }

// ask sends a fact to the call and waits for what came of it. errNotHere means that the
// owner ended first.
func (o *owner) ask(ctx context.Context, f call.Fact) (call.Reply, error) {
	f.Arrived = o.now()
	r := request{fact: f, reply: make(chan answer, 1)}
	select {
	case o.inbox <- r:
	case <-o.done:
		return call.Reply{}, errNotHere
	default: // full: whoever floods a call is told to come back, nobody waits for them
		return call.Reply{}, refusal.After(time.Second, refusal.Busy, "This call has too much to do. Try again.")
	}
	select {
	case a := <-r.reply:
		return a.reply, a.err
	case <-ctx.Done():
		return call.Reply{}, errSlow
	case <-o.done:
		select {
		case a := <-r.reply:
			return a.reply, a.err
		default:
			return call.Reply{}, errNotHere
		}
	}
}

// run begins the call, drives it to its end and leaves.
func (o *owner) run(begin func() error) {
	defer o.all.forget(o)
	err := begin()
	close(o.begun)
	if o.room != nil {
		defer o.room.Close()
	}
	if err != nil {
		return
	}
	o.all.metrics.live.Inc()
	defer o.all.metrics.live.Dec()
	o.room.Follow(o.call.Legs(), nil)
	o.loop()
}

func (o *owner) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !o.call.Ended() && !o.fenced {
		timer.Reset(o.untilNextTick())
		select {
		case r := <-o.inbox:
			o.handle(o.arrived(r))
		case <-o.media.wake:
			o.handle(o.arrived())
		case <-timer.C:
			o.retryAt = time.Time{}
			tick := request{fact: call.Fact{Kind: call.Tick, Arrived: o.now()}}
			o.handle(append(o.arrived(), tick)) // they came before the tick
		case <-o.stop:
			return
		}
	}
}

// arrived returns what waits, together with those that were taken already, in the order
// in which it came: a deadline must not pass before what came in time is looked at.
func (o *owner) arrived(taken ...request) []request {
	all := append(taken, o.media.take()...)
	for {
		select {
		case r := <-o.inbox:
			all = append(all, r)
			continue
		default:
		}
		slices.SortStableFunc(all, func(a, b request) int { return a.fact.Arrived.Compare(b.fact.Arrived) })
		return all
	}
}

// handle lets facts happen. What the room has seen and cannot be stored now is kept for the
// next time; a tick comes again by itself. Who still waits when the owner ends is told that it
// does not own the call.
func (o *owner) handle(all []request) {
	for _, r := range all {
		if o.call.Ended() || o.fenced {
			return
		}
		r.fact.Fresh = call.NewFresh()
		reply, err := o.step(r.fact)
		switch {
		case r.reply != nil:
			r.reply <- answer{reply, err}
		case err != nil && r.fact.Leg != "":
			o.media.putBack(r.fact)
		}
	}
}

// untilNextTick is how long the machine has nothing to do but what it is asked.
func (o *owner) untilNextTick() time.Duration {
	at := o.call.Deadline()
	if !o.retryAt.IsZero() {
		at = o.retryAt
	}
	if at.IsZero() {
		return time.Hour
	}
	return max(0, at.Sub(o.now()))
}

// step makes one transition, or none.
func (o *owner) step(f call.Fact) (call.Reply, error) {
	next, effect, err := o.call.Next(f, o.now())
	if effect.Changed {
		if saved := o.save(next); saved != nil {
			return call.Reply{}, saved
		}
		o.all.metrics.watch(o.call, next)
		o.tell(next)
		effect.Reply.Told = len(effect.Reply.Snapshot.Participants)
	}
	o.call = next
	o.room.Follow(next.Legs(), effect.Ended)
	return effect.Reply, err
}

// tell tells the participants what has changed since they were told last.
func (o *owner) tell(next call.Call) {
	s := next.Snapshot(o.now())
	change := wire.CallChange{From: o.told.CSeq, Call: s.Since(o.told.Participants)}
	o.told = s
	o.all.tellAll(change, s.Participants)
}

func (o *owner) save(next call.Call) error {
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	err := o.all.store.SaveCall(ctx, next.Record(o.all.node))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFenced):
		o.fenced = true
		o.log.Warn("another node has taken the call over")
		return errNotHere
	}
	o.log.Error("store call", "err", err)
	o.retryAt = o.now().Add(retrySave)
	// It may have been stored all the same, so its number is taken.
	o.call.SkipNumber()
	if refused, known := refusal.Of(err); known {
		return refused
	}
	return refusal.After(retrySave, refusal.Busy, "The call could not be changed just now. Try again.")
}
