// Package call is the call machine: who takes part in a call, through which tabs, and
// how long it waits for each of them. It is complete without a socket, a database or
// media: facts and the time go in, the next state and what to tell come out.
//
//	call         ringing → connecting → active → ended
//	participant  invited → ringing → joining → joined ⇄ reconnecting → left | declined | missed | …
//	leg          answering → up ⇄ reconnecting → replaced | closed
//
// A [Call] is a value; [Call.Next] returns the next one and leaves the old one as it
// was, so that whoever cannot store a transition has not made it. Package switchboard runs
// the machines of live calls: each has one goroutine that feeds it, stores every
// transition before anybody hears of it, and lets the room follow.
//
//	tab A          owner            store          room          tabs of B
//	  │ start ───────▶│ create ───────▶│ events ──────────────────▶│ ring
//	  │◀── leg, secret│                │             │             │
//	  │ offer ───────▶│─────────────────────────────▶│             │
//	  │               │◀──────────────────── answer ───────────────│
//	  │               │ save (cseq+1) ▶│ events ──────────────────▶│ others fall silent
//	  │               │◀──── media up ───────────────│             │
//	  │               │ save ─────────▶│ events: active            │
//
// Limits: screen sharing, moderators and invitations into a running call are not here yet.
package call

import (
	"bytes"
	"slices"
	"time"

	"carillon/refusal"
)

// Call is one call at one moment.
type Call struct {
	patience patience
	s        state
}

// state is what [Call.Encode] stores. Times are unix ms, zero means not (yet).
type state struct {
	Version      int           `json:"version"`
	ID           string        `json:"id"`
	ClientCallID string        `json:"client_call_id"`
	Conversation string        `json:"conversation"`
	Caller       string        `json:"caller"`
	Direct       bool          `json:"direct"`
	Media        Media         `json:"media"`
	State        State         `json:"state"`
	Reason       Reason        `json:"reason,omitempty"`
	CSeq         int64         `json:"cseq"`
	Epoch        int64         `json:"epoch"`
	CreatedAt    int64         `json:"created_at"`
	UpdatedAt    int64         `json:"updated_at"`
	RingUntil    int64         `json:"ring_until,omitempty"` // zero: nobody is rung
	ActiveAt     int64         `json:"active_at,omitempty"`
	EndedAt      int64         `json:"ended_at,omitempty"`
	Participants []participant `json:"participants"`
}

type participant struct {
	User       string           `json:"user"`
	Name       string           `json:"name"`
	State      ParticipantState `json:"state"`
	Microphone bool             `json:"microphone,omitempty"`
	Camera     bool             `json:"camera,omitempty"`
	Held       bool             `json:"held,omitempty"`
	HandRaised bool             `json:"hand_raised,omitempty"`
	Since      int64            `json:"since,omitempty"` // came to this call, or back from hold
	ActedAt    *Where           `json:"acted_at,omitempty"`
	Leg        *leg             `json:"leg,omitempty"`    // the active one; there is one exactly while the participant is present
	Moving     *leg             `json:"moving,omitempty"` // becomes the active one when its media is up

	// True of this process only.
	after int64    // came to another call then: to this one, if ever, later
	over  []string // sessions of connections whose end was told, newest last; replaced, never edited
}

type leg struct {
	ID     string   `json:"id"`
	Digest string   `json:"digest"`          // of its secret
	Older  []string `json:"older,omitempty"` // of secrets that its tab may still have, because replies with newer ones may be lost; replaced, never edited
	State  LegState `json:"state"`
	Where  Where    `json:"where"`

	// True of this process only: after a restart nothing is connected.
	shown     bool   // somebody has shown the secret, so its tab has it and needs no older one
	session   string // of the tab's connection; empty while it is gone
	since     int64  // when that connection, or the last one, began
	offered   bool   // it has asked for media
	mediaUp   bool
	suspended bool   // its page said that it goes
	by        int64  // when our patience with it ends; zero: no hurry
	why       Reason // what it will have ended of then
}

// Invitation is what a call starts with.
type Invitation struct {
	ID           string
	ClientCallID string
	Conversation string
	Direct       bool
	Media        Media
	Camera       bool
	From         Tab
	People       []Person // all participants, the caller among them
	Fresh        Fresh
}

// Person is a participant to be.
type Person struct{ User, Name string }

// New makes a call that rings everyone but its caller, whose leg the reply hands over.
func New(in Invitation, cfg Config, now time.Time) (Call, Reply, error) {
	at, p := now.UnixMilli(), cfg.patience()
	c := Call{patience: p, s: state{
		Version: stateVersion, ID: in.ID, ClientCallID: in.ClientCallID, Conversation: in.Conversation,
		Caller: in.From.User, Direct: in.Direct, Media: in.Media, State: Ringing,
		CSeq: 1, Epoch: 1, CreatedAt: at, UpdatedAt: at, RingUntil: at + p.ring,
	}}
	for _, who := range in.People {
		c.s.Participants = append(c.s.Participants, participant{User: who.User, Name: who.Name, State: Invited})
	}
	step := step{Call: &c, now: at}
	caller := c.find(in.From.User)
	if caller == nil {
		return Call{}, Reply{}, refusal.New(refusal.NotAllowed, "You cannot call without taking part.")
	}
	caller.State = Joining
	where := in.From.Where
	caller.ActedAt = &where
	caller.Microphone, caller.Camera = true, in.Camera && in.Media == Video
	caller.Since = at
	caller.Leg = step.newLeg(Fact{From: in.From, Fresh: in.Fresh})
	if err := c.s.check(); err != nil {
		return Call{}, Reply{}, refusal.New(refusal.BadRequest, "This call cannot be: %v.", err)
	}
	step.out.Reply.Snapshot, step.out.Reply.Since = c.Snapshot(now), at
	return c, step.out.Reply, nil
}

// Next returns the call after f happened at now, and what follows from it. Whatever ran
// out before f arrived happens first, so Next may return a changed call together with a
// refusal. A refused fact changes nothing itself.
func (c Call) Next(f Fact, now time.Time) (Call, Effect, error) {
	n := c.clone()
	s := &step{Call: &n, now: now.UnixMilli()}
	if f.Kind == Claimed && n.s.State != Ended {
		s.claimed(f.Epoch) // before the clocks: what ran out while no server looked did not
	}
	s.expire(f.arrived(s.now))
	err := s.take(f)
	if !bytes.Equal(c.Encode(), n.Encode()) {
		s.out.Changed = true
		n.s.CSeq++
		n.s.UpdatedAt = max(n.s.UpdatedAt, s.now)
	}
	s.out.Reply.Snapshot = n.Snapshot(now)
	if p := n.find(f.From.User); p != nil && p.present() && !p.Held {
		s.out.Reply.Since = p.Since
	}
	return n, s.out, err
}

// Deadline is when the call wants a [Tick]; zero: it waits for facts only.
func (c Call) Deadline() time.Time {
	at, _ := (&step{Call: &c}).earliest()
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at)
}

// Ended reports whether the call is over. It stays so.
func (c Call) Ended() bool { return c.s.State == Ended }

// step is one transition in the making.
type step struct {
	*Call
	now int64
	out Effect
}

// expire lets happen, in order, all that has run out until then.
func (s *step) expire(until int64) {
	now := s.now
	for {
		at, happen := s.earliest()
		if at == 0 || at > until {
			break
		}
		s.now = at
		happen()
	}
	s.now = now
}

// earliest returns the next moment at which something runs out, and what happens then.
func (s *step) earliest() (at int64, happen func()) {
	if s.s.State == Ended {
		return 0, nil
	}
	consider := func(t int64, f func()) {
		if t != 0 && (at == 0 || t < at) {
			at, happen = t, f
		}
	}
	consider(s.s.RingUntil, s.rungOut)
	if s.s.ActiveAt != 0 && s.patience.length != 0 {
		consider(s.s.ActiveAt+s.patience.length, func() { s.end(MaxDuration) })
	}
	for i := range s.s.Participants {
		p := &s.s.Participants[i]
		if p.Moving != nil {
			consider(p.Moving.by, func() { s.closeMoving(p, p.Moving.reason()) })
		}
		if p.Leg != nil {
			consider(p.Leg.by, func() { s.giveUp(p) })
		}
	}
	return at, happen
}

// rungOut ends the ring of all who have not acted.
func (s *step) rungOut() {
	s.s.RingUntil = 0
	for i := range s.s.Participants {
		if p := &s.s.Participants[i]; p.pending() {
			p.State = Missed
		}
	}
	s.settle(NoAnswer)
}

// settle ends the call if too few are left for one. The reason is that of the one who
// has just gone.
func (s *step) settle(reason Reason) {
	var present, pending int
	for i := range s.s.Participants {
		switch p := &s.s.Participants[i]; {
		case p.present():
			present++
		case p.pending():
			pending++
		}
	}
	if pending == 0 {
		s.s.RingUntil = 0
	}
	if present > 0 && present+pending > 1 {
		return
	}
	switch reason {
	case DeclinedReason, NoAnswer, Busy:
		// Those never were in the call: they are the reason only if it never was one.
		if s.s.ActiveAt != 0 {
			reason = Completed
		} else if s.s.State == Ringing && s.anyIs(Missed) {
			reason = NoAnswer
		}
	}
	s.end(reason)
}

// end is the only way to the end.
func (s *step) end(reason Reason) {
	if s.s.State == Ended {
		return
	}
	s.s.State, s.s.Reason, s.s.EndedAt, s.s.RingUntil = Ended, reason, s.now, 0
	for i := range s.s.Participants {
		p := &s.s.Participants[i]
		switch {
		case p.pending():
			p.State = Missed
		case p.present():
			p.State = Left
		}
		s.closeLegs(p, reason)
	}
}

func (s *step) anyIs(state ParticipantState) bool {
	return slices.ContainsFunc(s.s.Participants, func(p participant) bool { return p.State == state })
}

func (c *Call) find(user string) *participant {
	for i := range c.s.Participants {
		if c.s.Participants[i].User == user {
			return &c.s.Participants[i]
		}
	}
	return nil
}

// pending: may still answer.
func (p *participant) pending() bool { return p.State == Invited || p.State == Alerting }

// present: has a leg, connected or on the way.
func (p *participant) present() bool {
	return p.State == Joining || p.State == Joined || p.State == Reconnecting
}

// clone copies what a step may change.
func (c Call) clone() Call {
	c.s.Participants = slices.Clone(c.s.Participants)
	for i := range c.s.Participants {
		p := &c.s.Participants[i]
		p.Leg, p.Moving = p.Leg.clone(), p.Moving.clone()
	}
	return c
}

func (l *leg) clone() *leg {
	if l == nil {
		return nil
	}
	n := *l
	return &n
}
