package call

import (
	"slices"
	"time"
)

// ID of the call.
func (c Call) ID() string { return c.data.ID }

// State of the call.
func (c Call) State() State { return c.data.State }

// Reason why the call ended; empty while it has not.
func (c Call) Reason() Reason { return c.data.Reason }

// Rings reports whether the call rings in a tab of somebody at this moment.
func (c Call) Rings() bool { return (&step{Call: &c}).anyoneIs(Alerting) }

// Age is the time from the start of the call to its last change.
func (c Call) Age() time.Duration {
	return time.Duration(c.data.UpdatedAt-c.data.CreatedAt) * time.Millisecond
}

// SkipNumber leaves out the next cseq. It is for a transition of which nobody knows
// whether it was stored: its number may be taken.
func (c *Call) SkipNumber() { c.data.CSeq++ }

// Since returns the snapshot with those participants only who are not as they were in an earlier
// one. A nil one was before the call: all are.
func (s Snapshot) Since(earlier []ParticipantView) Snapshot {
	before := map[string]ParticipantView{}
	for _, p := range earlier {
		before[p.User] = p
	}
	changed := []ParticipantView{}
	for _, p := range s.Participants {
		if was, there := before[p.User]; !there || !was.equal(p) {
			changed = append(changed, p)
		}
	}
	s.Participants = changed
	return s
}

func (p ParticipantView) equal(o ParticipantView) bool {
	same := p.ActedAt == o.ActedAt || p.ActedAt != nil && o.ActedAt != nil && *p.ActedAt == *o.ActedAt
	same = same && (p.Leg == o.Leg || p.Leg != nil && o.Leg != nil && *p.Leg == *o.Leg)
	p.ActedAt, p.Leg, o.ActedAt, o.Leg = nil, nil, nil, nil
	return same && p == o
}

// For returns what a participant may see: everything, but of the others neither tab nor device.
func (s Snapshot) For(user string) Snapshot {
	s.Participants = slices.Clone(s.Participants)
	for i := range s.Participants {
		if p := &s.Participants[i]; p.User != user {
			p.Leg, p.ActedAt = nil, nil
		}
	}
	return s
}

// Snapshot is the call as of a time, with what each participant may see.
func (c Call) Snapshot(now time.Time) Snapshot {
	at := now.UnixMilli()
	v := Snapshot{
		ID: c.data.ID, ClientCallID: c.data.ClientCallID, Conversation: c.data.Conversation, Caller: c.data.Caller,
		Media: c.data.Media, State: c.data.State, CSeq: c.data.CSeq, Epoch: c.data.Epoch, Reason: c.data.Reason,
	}
	if c.data.RingUntil != 0 {
		v.RemainingMS = max(1, c.data.RingUntil-at) // zero would mean that nobody is rung
	}
	if c.data.ActiveAt != 0 {
		v.ActiveMS = c.duration(at)
	}
	for _, p := range c.data.Participants {
		view := ParticipantView{
			User: p.User, Name: p.Name, Guest: p.Guest, State: p.State, Microphone: p.Microphone, Camera: p.Camera,
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
	case c.data.ActiveAt == 0:
		return 0
	case c.data.EndedAt != 0:
		at = c.data.EndedAt
	}
	return max(0, at-c.data.ActiveAt)
}

// Log is what the conversation's history says of the call. It changes less often than the
// call, because nobody asks later who lost a connection for a while.
func (c Call) Log() Log {
	v := Log{Call: c.data.ID, Media: c.data.Media, State: c.data.State, Reason: c.data.Reason}
	if c.data.State == Ended {
		v.DurationMS = c.duration(c.data.EndedAt)
	}
	for _, p := range c.data.Participants {
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

// Record is the call as the store keeps it for its owner, which is a node.
func (c Call) Record(owner string) Record {
	return Record{
		ID: c.data.ID, ClientCallID: c.data.ClientCallID, Conversation: c.data.Conversation, Caller: c.data.Caller,
		Owner: owner, Epoch: c.data.Epoch, CSeq: c.data.CSeq, Direct: c.data.Direct, State: c.Encode(), Log: c.Log(),
		CreatedAt: c.data.CreatedAt, UpdatedAt: c.data.UpdatedAt,
	}
}

// Legs says what the room has to allow each leg.
func (c Call) Legs() []LegPass {
	var all []LegPass
	for _, p := range c.data.Participants {
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
