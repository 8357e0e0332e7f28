package switchboard

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"carillon/call"
	"carillon/refusal"
)

// Room is what a live call has outside its machine: its media, and its ear for requests
// from other servers. It hears of nothing that is not stored.
type Room interface {
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

// ErrNotHere means that this server does not own the call and the fact was not looked at.
var ErrNotHere = errors.New("this server does not own the call")

// owner runs one live call: command → machine → store → reply → room. Nothing is told
// before it is stored. It ends with the call, or when another server has taken it over.
type owner struct {
	// Fixed at construction.
	exchange *Exchange
	id       string
	log      *slog.Logger
	inbox    chan request
	begun    chan struct{} // closed when the call is this owner's, or never will be
	stop     chan struct{} // closed by the exchange
	done     chan struct{} // closed by run, as its last act
	start    time.Time     // the clock counts from here, so that a jump of the wall clock ends no call

	// Owned by run.
	call   call.Call
	room   Room
	lost   bool        // another server owns the call
	retry  []call.Fact // signs that could not be stored yet
	wakeAt time.Time   // no sooner after a failed save

	signs signs
}

// request is a fact whose sender waits.
type request struct {
	fact  call.Fact
	reply chan answer // takes one without waiting
}

type answer struct {
	reply call.Reply
	err   error
}

// signs is what the room has seen and the machine has not heard yet: the last of each
// leg, so it never fills up and nobody has to wait.
type signs struct {
	mu    sync.Mutex
	media map[string]bool // leg → up
	wake  chan struct{}   // holds one
}

func (s *signs) put(leg string, up bool) {
	s.mu.Lock()
	s.media[leg] = up
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // run has been woken and will find this too
	}
}

func (s *signs) take() (facts []call.Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for leg, up := range s.media {
		kind := call.MediaDown
		if up {
			kind = call.MediaUp
		}
		facts = append(facts, call.Fact{Kind: kind, Leg: leg})
	}
	clear(s.media)
	return facts
}

func newOwner(x *Exchange, id string) *owner {
	return &owner{
		exchange: x, id: id, log: x.log.With("call", id),
		inbox: make(chan request, inboxSize),
		begun: make(chan struct{}),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
		start: time.Now(),
		signs: signs{media: map[string]bool{}, wake: make(chan struct{}, 1)},
	}
}

func (o *owner) now() time.Time { return o.start.Add(time.Since(o.start)) }

// ask sends a fact to the call and waits for what came of it. ErrNotHere means that the
// owner ended first.
func (o *owner) ask(ctx context.Context, f call.Fact) (call.Reply, error) {
	r := request{fact: f, reply: make(chan answer, 1)}
	select {
	case o.inbox <- r:
	case <-o.done:
		return call.Reply{}, ErrNotHere
	default: // full: whoever floods a call is told to come back, nobody waits for them
		return call.Reply{}, refusal.After(time.Second, refusal.Busy, "This call has too much to do. Try again.")
	}
	select {
	case a := <-r.reply:
		return a.reply, a.err
	case <-ctx.Done():
		return call.Reply{}, ctx.Err()
	case <-o.done:
		select {
		case a := <-r.reply:
			return a.reply, a.err
		default:
			return call.Reply{}, ErrNotHere
		}
	}
}

// run begins the call, drives it to its end and leaves.
func (o *owner) run(begin func() error) {
	defer o.exchange.forget(o)
	err := begin()
	close(o.begun)
	if o.room != nil {
		defer o.room.Close()
	}
	if err != nil {
		return
	}
	o.exchange.metrics.live.Inc()
	defer o.exchange.metrics.live.Dec()
	o.room.Follow(o.call.Legs(), nil)
	o.loop()
}

func (o *owner) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !o.call.Ended() && !o.lost {
		timer.Reset(o.patience())
		select {
		case r := <-o.inbox:
			r.fact.Fresh = call.NewFresh()
			reply, err := o.step(r.fact)
			r.reply <- answer{reply, err}
		case <-o.signs.wake:
			o.tell(o.signs.take())
		case <-timer.C:
			retry := append(o.retry, call.Fact{Kind: call.Tick})
			o.retry = nil
			o.tell(retry)
		case <-o.stop:
			return
		}
	}
}

// patience is how long the call waits for nothing but time.
func (o *owner) patience() time.Duration {
	at := o.call.Deadline()
	if len(o.retry) > 0 || !at.IsZero() && at.Before(o.wakeAt) {
		at = o.wakeAt
	}
	if at.IsZero() {
		return time.Hour
	}
	return max(0, at.Sub(o.now()))
}

// tell lets facts happen that nobody waits for. What cannot be stored now is tried again.
func (o *owner) tell(facts []call.Fact) {
	for _, f := range facts {
		if _, err := o.step(f); err != nil && !o.lost {
			o.retry = append(o.retry, f)
		}
	}
}

// step makes one transition, or none.
func (o *owner) step(f call.Fact) (call.Reply, error) {
	next, effect, err := o.call.Next(f, o.now())
	if effect.Changed {
		if saved := o.save(next); saved != nil {
			return call.Reply{}, saved
		}
		o.exchange.metrics.watch(o.call, next)
	}
	o.call = next
	o.room.Follow(next.Legs(), effect.Ended)
	return effect.Reply, err
}

func (o *owner) save(next call.Call) error {
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	err := o.exchange.store.SaveCall(ctx, next.Record(o.exchange.node))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFenced):
		o.lost = true
		o.log.Warn("another server has taken the call over")
		return ErrNotHere
	}
	o.log.Error("store call", "err", err)
	o.wakeAt = o.now().Add(retrySave)
	// It may have been stored all the same, so its number is taken.
	o.call.SkipNumber()
	if refused, known := refusal.Of(err); known {
		return refused
	}
	return refusal.After(retrySave, refusal.Busy, "The call could not be changed just now. Try again.")
}
