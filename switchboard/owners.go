package switchboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/call"
	"carillon/refusal"
	"carillon/settings"
	"carillon/wire"
)

// owners keeps the live calls that this node owns, each with its owner.
type owners struct {
	// Fixed at construction.
	store   Store
	cfg     call.Config
	node    string
	open    func(id string) (follower, error)
	tell    func(user string, c wire.CallChange) // does not wait
	log     *slog.Logger
	metrics *metrics
	running sync.WaitGroup // one for each owner

	mu     sync.Mutex
	calls  map[string]*owner
	closed bool
}

// newOwners makes the owners of a node, whose id is new with every start. They call open
// before a call is this node's, so that requests to it are received at once. They call tell for
// each participant after each transition that was stored.
func newOwners(store Store, cfg call.Config, node string, open func(id string) (follower, error),
	tell func(user string, c wire.CallChange), log *slog.Logger, reg prometheus.Registerer) *owners {
	return &owners{
		store: store, cfg: settings.Fill(cfg, call.Defaults()), node: node, open: open, tell: tell, log: log, metrics: newMetrics(reg),
		calls: map[string]*owner{},
	}
}

// Start makes a call and rings. If another call stands in the way nothing is made, and
// its id is returned: the start belongs there, as [call.DoStart].
func (x *owners) Start(ctx context.Context, in call.Invitation) (_ call.Reply, other string, _ error) {
	in.Fresh = call.NewFresh()
	var began struct { // by the owner until begun
		winner call.Record
		reply  call.Reply
		err    error
	}
	o, created := x.owner(in.ID, func(o *owner) error {
		began.winner, began.reply, began.err = o.create(in)
		return began.err
	})
	if !created {
		return call.Reply{}, "", refusal.After(time.Second, refusal.Busy, "The server is going down. Try again.")
	}
	select {
	case <-o.begun:
	case <-ctx.Done():
		return call.Reply{}, "", errSlow // it may ring already; the same start again finds it
	}
	if errors.Is(began.err, errNotHere) {
		return call.Reply{}, began.winner.ID, nil
	}
	return began.reply, "", began.err
}

// create is how a new call begins. errNotHere: another one won.
func (o *owner) create(in call.Invitation) (call.Record, call.Reply, error) {
	c, reply, err := call.New(in, o.all.cfg, o.now())
	if err != nil {
		return call.Record{}, reply, err
	}
	if o.room, err = o.all.open(o.id); err != nil {
		return call.Record{}, reply, fmt.Errorf("open room of call %s: %w", o.id, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	winner, created, err := o.all.store.CreateCall(ctx, c.Record(o.all.node))
	if err != nil {
		return call.Record{}, reply, fmt.Errorf("create call: %w", err)
	}
	if !created {
		return winner, call.Reply{}, errNotHere
	}
	o.call = c
	o.epoch.Store(winner.Epoch)
	o.tell(c)
	return winner, reply, nil
}

// Do lets a fact happen to a call that this node owns, else returns errNotHere.
func (x *owners) Do(ctx context.Context, id string, f call.Fact) (call.Reply, error) {
	x.mu.Lock()
	o := x.calls[id]
	x.mu.Unlock()
	if o == nil {
		return call.Reply{}, errNotHere
	}
	return o.ask(ctx, f)
}

// Adopt is Do for a stored call whose owner is gone: this node takes it over if it
// lives, and answers for it if it has ended. r must have been read before the owner was
// found to be gone, so that of many who find it gone one succeeds. errNotHere: another
// node was faster, ask again.
func (x *owners) Adopt(ctx context.Context, r call.Record, f call.Fact) (call.Reply, error) {
	if !r.Live() {
		return x.answerEnded(r, f)
	}
	var begin error // by the owner until begun
	o, created := x.owner(r.ID, func(o *owner) error {
		begin = o.claim(r)
		return begin
	})
	if o == nil {
		return call.Reply{}, errNotHere
	}
	reply, err := o.ask(ctx, f)
	if created && errors.Is(err, errNotHere) {
		<-o.done
		if begin != nil {
			return call.Reply{}, begin
		}
	}
	return reply, err
}

// answerEnded answers for a call that needs no owner any more.
func (x *owners) answerEnded(r call.Record, f call.Fact) (call.Reply, error) {
	c, err := call.Decode(r.State, x.cfg)
	if err != nil {
		return call.Reply{}, refusal.New(refusal.CallEnded, "This call has ended.")
	}
	_, effect, err := c.Next(f, time.Now())
	return effect.Reply, err
}

// claim is how a stored call begins here. errNotHere: another node owns it, or did.
func (o *owner) claim(r call.Record) (err error) {
	x := o.all
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	if o.room, err = x.open(o.id); err != nil {
		return fmt.Errorf("open room of call %s: %w", o.id, err)
	}
	from := r.Owner
	switch r, err = x.store.ClaimCall(ctx, r.ID, x.node, r.Epoch); {
	case errors.Is(err, ErrFenced):
		return errNotHere
	case err != nil:
		return fmt.Errorf("claim call %s: %w", o.id, err)
	}
	if o.call, err = call.Decode(r.State, x.cfg); err != nil {
		return o.endUnreadable(ctx, r, err)
	}
	o.epoch.Store(r.Epoch)
	o.log.Info("took the call over", "epoch", r.Epoch, "from", from)
	for {
		if _, err = o.step(call.Fact{Kind: call.Claimed, Epoch: r.Epoch}); err == nil || o.fenced {
			return err
		}
		select { // the call is ours and nobody else's: go on trying
		case <-time.After(retrySave):
		case <-o.stop:
			return errNotHere
		}
	}
}

// endUnreadable ends a call whose stored machine cannot be read. Else it would seem to
// live and nobody could end it.
func (o *owner) endUnreadable(ctx context.Context, r call.Record, reason error) error {
	o.log.Error("end a call that cannot be read", "err", reason)
	r = endedRecord(r, time.Now())
	if err := o.all.store.SaveCall(ctx, r); err != nil {
		return fmt.Errorf("end unreadable call %s: %w", r.ID, err)
	}
	s := o.all.Now(r)
	o.all.tellAll(wire.CallChange{Call: s}, s.Participants)
	o.all.metrics.ended.WithLabelValues(string(call.ServerError)).Inc()
	return refusal.New(refusal.CallEnded, "This call has ended.")
}

// endedRecord is the record of a call that ends by our fault.
func endedRecord(r call.Record, now time.Time) call.Record {
	r.CSeq++
	r.Log.State, r.Log.Reason = call.Ended, call.ServerError
	r.Log.Outcomes = slices.Clone(r.Log.Outcomes)
	for i := range r.Log.Outcomes {
		switch o := &r.Log.Outcomes[i]; o.State {
		case call.Invited, call.Alerting:
			o.State = call.Missed
		case call.Joining, call.Joined, call.Reconnecting:
			o.State = call.Left
		}
	}
	r.UpdatedAt = max(r.UpdatedAt, now.UnixMilli())
	return r
}

// tellAll tells each participant a change, as they may see it.
func (x *owners) tellAll(c wire.CallChange, participants []call.ParticipantView) {
	whole := c.Call
	for _, p := range participants {
		c.Call = whole.For(p.User)
		x.tell(p.User, c)
	}
}

// Media tells the call what its room sees of a leg. It does not wait.
func (x *owners) Media(id, leg string, up bool) {
	x.mu.Lock()
	o := x.calls[id]
	x.mu.Unlock()
	if o != nil {
		o.media.put(leg, up, o.now())
	}
}

// Now is a stored call as of now: what is left of its ring, how long it is active. Of one whose
// machine cannot be read it says what its message in the history does; its owner will end it.
func (x *owners) Now(r call.Record) call.Snapshot {
	if c, err := call.Decode(r.State, x.cfg); err == nil {
		return c.Snapshot(time.Now())
	}
	s := call.Snapshot{
		ID: r.ID, ClientCallID: r.ClientCallID, Conversation: r.Conversation, Caller: r.Caller, Media: r.Log.Media,
		State: r.Log.State, Reason: r.Log.Reason, CSeq: r.CSeq, Epoch: r.Epoch,
	}
	for _, o := range r.Log.Outcomes {
		s.Participants = append(s.Participants, call.ParticipantView{User: o.User, Name: o.User, State: o.State})
	}
	return s
}

// Phase records how long a phase of some call took.
func (x *owners) Phase(name string, d time.Duration) { x.metrics.phase(name, d) }

// owner returns the one of this call; if there was none it runs a new one, which begins
// by begin. Nil: the owners are closed.
func (x *owners) owner(id string, begin func(*owner) error) (o *owner, created bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if o := x.calls[id]; o != nil || x.closed {
		return o, false
	}
	o = newOwner(x, id)
	x.calls[id] = o
	x.running.Go(func() { o.run(func() error { return begin(o) }) })
	return o, true
}

// all returns the owners of this node's calls.
func (x *owners) all() []*owner {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Values(x.calls))
}

// forget lets the call have another owner here, then says that this one is done.
func (x *owners) forget(o *owner) {
	x.mu.Lock()
	delete(x.calls, o.id)
	x.mu.Unlock()
	close(o.done)
}

// Close leaves all calls as they are stored, for this or another node to claim, and
// waits for their rooms to close. Nothing is started or adopted afterwards.
func (x *owners) Close() {
	x.mu.Lock()
	if !x.closed {
		x.closed = true
		for _, o := range x.calls {
			o.end()
		}
	}
	x.mu.Unlock()
	x.running.Wait()
}
