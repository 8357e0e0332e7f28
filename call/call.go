// Package call is the call machine: who takes part in a call, through which tabs, and
// how long it waits for each of them. It is complete without a socket, a database or
// media: facts and the time go in, the next state and what to tell come out.
//
//	call         ringing → connecting → active → ended
//	participant  invited → ringing → joining → joined ⇄ reconnecting → left | declined | missed | …
//	leg          answering → up ⇄ reconnecting, until it ends for a reason
//
// Each state is described in types.go. A [Call] is a value; [Call.Next] returns the next
// one and leaves the old one as it was, so that whoever cannot store a transition has not
// made it. Package switchboard runs the machines of live calls: each has an owner, one
// goroutine that feeds the machine, stores every transition before anybody hears of it,
// and lets the call's room on the SFU follow.
//
//	tab A          owner            store          room          tabs of B
//	  │ start ───────▶│ create ───────▶│             │             │
//	  │               │ change ──────────────────────────────────▶│ ring
//	  │◀── leg, secret│                │             │             │
//	  │ offer ───────▶│─────────────────────────────▶│             │
//	  │               │◀──────────────────── answer ───────────────│
//	  │               │ save (cseq+1) ▶│             │             │
//	  │               │ change ──────────────────────────────────▶│ others fall silent
//	  │               │◀──── media up ───────────────│             │
//	  │               │ save, change ─▶│ ─────────────────────────▶│ active
//
// A tab's connection may end at any moment, also between a transition and its reply. So
// whatever hands out a leg may be asked again by the same tab over its next connection,
// and a connection that has ended gets no leg, in whatever order its requests and its end
// arrive; see [Call.Next] and legs.go.
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
	durations durations
	data      data
}

// data is what [Call.Encode] stores. Times are unix ms; zero means not yet, or not at all.
type data struct {
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
	Guest      bool             `json:"guest,omitempty"`
	State      ParticipantState `json:"state"`
	Microphone bool             `json:"microphone,omitempty"`
	Camera     bool             `json:"camera,omitempty"`
	Held       bool             `json:"held,omitempty"`
	HandRaised bool             `json:"hand_raised,omitempty"`
	Since      int64            `json:"since,omitempty"` // when the user came to this call, or back from hold
	ActedAt    *Where           `json:"acted_at,omitempty"`
	Leg        *leg             `json:"leg,omitempty"`    // the active one; there is one exactly while the participant is present
	Moving     *leg             `json:"moving,omitempty"` // becomes the active one when its media is up

	// Known to this process only.
	otherSince    int64    // when the user last came to another call; if they come to this one, it is later than that
	endedSessions []string // of connections whose end was told, the newest last; replaced, never edited
}

type leg struct {
	ID     string   `json:"id"`
	Digest string   `json:"digest"`          // of its secret
	Older  []string `json:"older,omitempty"` // digests of earlier secrets, which its tab may have because newer ones were lost; replaced, never edited
	State  LegState `json:"state"`
	Where  Where    `json:"where"`

	// Known to this process only: after a restart nothing is connected.
	shown        bool   // the secret was used, so the tab has it and needs no earlier one
	session      string // of the tab's connection to which the leg is bound; empty: it has ended
	since        int64  // when that connection, or the last one, began
	offered      bool   // the tab has offered media
	mediaUp      bool
	suspended    bool   // the page has said that it goes away
	giveUpAt     int64  // when the call waits no longer for this leg; zero: it waits as long as it takes
	giveUpReason Reason // of the leg's end then
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
type Person struct {
	User, Name string
	Guest      bool
	NotRung    bool // the caller may not ring them; they can join all the same
}

// New makes a call that rings all who may be rung, and hands the caller's leg over in the reply.
func New(in Invitation, cfg Config, now time.Time) (Call, Reply, error) {
	at, d := now.UnixMilli(), cfg.durations()
	c := Call{durations: d, data: data{
		Version: stateVersion, ID: in.ID, ClientCallID: in.ClientCallID, Conversation: in.Conversation,
		Caller: in.From.User, Direct: in.Direct, Media: in.Media, State: Ringing,
		CSeq: 1, Epoch: 1, CreatedAt: at, UpdatedAt: at, RingUntil: at + d.ring,
	}}
	for _, who := range in.People {
		p := participant{User: who.User, Name: who.Name, Guest: who.Guest, State: Invited}
		if who.NotRung {
			p.State = BusyState
		}
		c.data.Participants = append(c.data.Participants, p)
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
	if err := c.data.check(); err != nil {
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
	if f.Kind == Claimed && n.data.State != Ended {
		s.claimed(f.Epoch) // first: what ran out while no server ran the call does not count
	}
	s.expire(f.arrived(s.now))
	err := s.take(f)
	if !bytes.Equal(c.Encode(), n.Encode()) {
		s.out.Changed = true
		n.data.CSeq++
		n.data.UpdatedAt = max(n.data.UpdatedAt, s.now)
	}
	s.out.Reply.Snapshot = n.Snapshot(now)
	if p := n.find(f.From.User); p != nil && p.present() && !p.Held {
		s.out.Reply.Since = p.Since
	}
	return n, s.out, err
}

// Deadline is when the call wants a [Tick]. Zero: it waits for nothing but facts.
func (c Call) Deadline() time.Time {
	at, _ := (&step{Call: &c}).earliest()
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at)
}

// Ended reports whether the call is over. It stays so.
func (c Call) Ended() bool { return c.data.State == Ended }

// step is one transition while it is made.
type step struct {
	*Call
	now int64
	out Effect
}

// expire lets all that runs out until then happen, in order.
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
	if s.data.State == Ended {
		return 0, nil
	}
	consider := func(t int64, f func()) {
		if t != 0 && (at == 0 || t < at) {
			at, happen = t, f
		}
	}
	consider(s.data.RingUntil, s.endRing)
	if s.data.ActiveAt != 0 && s.durations.max != 0 {
		consider(s.data.ActiveAt+s.durations.max, func() { s.end(MaxDuration) })
	}
	for i := range s.data.Participants {
		p := &s.data.Participants[i]
		if p.Moving != nil {
			consider(p.Moving.giveUpAt, func() { s.closeMoving(p, p.Moving.reason()) })
		}
		if p.Leg != nil {
			consider(p.Leg.giveUpAt, func() { s.giveUp(p) })
		}
	}
	return at, happen
}

// endRing ends the ring of all who have neither answered nor declined.
func (s *step) endRing() {
	s.data.RingUntil = 0
	for i := range s.data.Participants {
		if p := &s.data.Participants[i]; p.pending() {
			p.State = Missed
		}
	}
	s.endIfTooFew(NoAnswer)
}

// endIfTooFew ends the call if too few are left for one. The reason is that of the
// participant who has just gone.
func (s *step) endIfTooFew(reason Reason) {
	var present, pending int
	for i := range s.data.Participants {
		switch p := &s.data.Participants[i]; {
		case p.present():
			present++
		case p.pending():
			pending++
		}
	}
	if pending == 0 {
		s.data.RingUntil = 0
	}
	if present > 0 && present+pending > 1 {
		return
	}
	switch reason {
	case DeclinedReason, NoAnswer, Busy:
		// Who declines or misses the call was never in it. That is the reason of its end only
		// if it has never been active.
		if s.data.ActiveAt != 0 {
			reason = Completed
		} else if s.data.State == Ringing && s.anyoneIs(Missed) {
			reason = NoAnswer
		}
	}
	s.end(reason)
}

// end ends the call. Nothing else does.
func (s *step) end(reason Reason) {
	if s.data.State == Ended {
		return
	}
	s.data.State, s.data.Reason, s.data.EndedAt, s.data.RingUntil = Ended, reason, s.now, 0
	for i := range s.data.Participants {
		p := &s.data.Participants[i]
		switch {
		case p.pending():
			p.State = Missed
		case p.present():
			p.State = Left
		}
		s.closeLegs(p, reason)
	}
}

func (s *step) anyoneIs(state ParticipantState) bool {
	return slices.ContainsFunc(s.data.Participants, func(p participant) bool { return p.State == state })
}

func (c *Call) find(user string) *participant {
	for i := range c.data.Participants {
		if c.data.Participants[i].User == user {
			return &c.data.Participants[i]
		}
	}
	return nil
}

// pending reports whether the participant is rung: they may still answer.
func (p *participant) pending() bool { return p.State == Invited || p.State == Alerting }

// present reports whether the participant has a leg, connected or about to be.
func (p *participant) present() bool {
	return p.State == Joining || p.State == Joined || p.State == Reconnecting
}

// clone copies all that a step may change.
func (c Call) clone() Call {
	c.data.Participants = slices.Clone(c.data.Participants)
	for i := range c.data.Participants {
		p := &c.data.Participants[i]
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
