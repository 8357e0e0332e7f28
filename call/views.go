package call

import (
	"slices"
	"time"
)

// ID of the call.
func (c Call) ID() string { return c.s.ID }

// State of the call.
func (c Call) State() State { return c.s.State }

// Reason why the call ended; empty while it has not.
func (c Call) Reason() Reason { return c.s.Reason }

// Rings reports whether the call rings in a tab of somebody at this moment.
func (c Call) Rings() bool { return (&step{Call: &c}).anyIs(Alerting) }

// Age is the time from the start of the call to its last change.
func (c Call) Age() time.Duration {
	return time.Duration(c.s.UpdatedAt-c.s.CreatedAt) * time.Millisecond
}

// SkipNumber leaves out the next cseq. It is for a transition of which nobody knows
// whether it was stored: its number may be taken.
func (c *Call) SkipNumber() { c.s.CSeq++ }

// Snapshot is the call as all its participants may see it at now.
func (c Call) Snapshot(now time.Time) Snapshot {
	at := now.UnixMilli()
	v := Snapshot{
		ID: c.s.ID, ClientCallID: c.s.ClientCallID, Conversation: c.s.Conversation, Caller: c.s.Caller,
		Media: c.s.Media, State: c.s.State, CSeq: c.s.CSeq, Epoch: c.s.Epoch, Reason: c.s.Reason,
	}
	if c.s.RingUntil != 0 {
		v.RemainingMS = max(1, c.s.RingUntil-at) // 0 would say that nobody is rung
	}
	if c.s.ActiveAt != 0 {
		v.ActiveMS = c.duration(at)
	}
	for _, p := range c.s.Participants {
		view := ParticipantView{
			User: p.User, Name: p.Name, State: p.State, Microphone: p.Microphone, Camera: p.Camera,
			Held: p.Held, HandRaised: p.HandRaised, ActedAt: p.ActedAt,
		}
		if p.Leg != nil {
			view.Leg = &LegView{ID: p.Leg.ID, State: p.Leg.State, Where: p.Leg.Where}
		}
		v.Participants = append(v.Participants, view)
	}
	return v
}

func (c Call) duration(at int64) int64 {
	switch {
	case c.s.ActiveAt == 0:
		return 0
	case c.s.EndedAt != 0:
		at = c.s.EndedAt
	}
	return max(0, at-c.s.ActiveAt)
}

// Log is what the conversation's history says of the call. It changes less often than
// the call: a lost connection is nobody's business later.
func (c Call) Log() Log {
	v := Log{Call: c.s.ID, Media: c.s.Media, State: c.s.State, Reason: c.s.Reason}
	if c.s.State == Ended {
		v.DurationMS = c.duration(c.s.EndedAt)
	}
	for _, p := range c.s.Participants {
		state := p.State
		switch state {
		case Alerting:
			state = Invited
		case Joining, Reconnecting:
			state = Joined
		}
		v.Outcomes = append(v.Outcomes, Outcome{User: p.User, State: state})
	}
	return v
}

// Record is the call as the store keeps it for its owner.
func (c Call) Record(owner string) Record {
	r := Record{
		ID: c.s.ID, ClientCallID: c.s.ClientCallID, Conversation: c.s.Conversation, Caller: c.s.Caller,
		Owner: owner, Epoch: c.s.Epoch, Direct: c.s.Direct,
		Snapshot: c.Snapshot(time.UnixMilli(c.s.UpdatedAt)), State: c.Encode(), Log: c.Log(),
		CreatedAt: c.s.CreatedAt, UpdatedAt: c.s.UpdatedAt,
	}
	for _, p := range c.s.Participants {
		r.Users = append(r.Users, p.User)
	}
	return r
}

// Legs says what the room has to let each leg do.
func (c Call) Legs() []LegPass {
	var all []LegPass
	for _, p := range c.s.Participants {
		for _, l := range []*leg{p.Leg, p.Moving} {
			if l == nil {
				continue
			}
			active := l == p.Leg
			all = append(all, LegPass{
				Leg: l.ID, Tab: Tab{User: p.User, Session: l.session, Where: l.Where}, Active: active && !p.Held,
				Microphone: active && p.Microphone && !p.Held,
				Camera:     active && p.Camera && !p.Held,
			})
		}
	}
	return all
}

// Present reports whether user has a leg in the call.
func (c Call) Present(user string) bool {
	return slices.ContainsFunc(c.s.Participants, func(p participant) bool { return p.User == user && p.present() })
}
