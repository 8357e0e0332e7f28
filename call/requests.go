package call

import (
	"time"

	"carillon/refusal"
)

// take lets one fact happen. What a user asks for is in this file; what becomes of a leg
// by its connections and its media is in grant.go and legs.go.
func (s *step) take(f Fact) error {
	switch f.Kind {
	case Claimed, Tick:
		return nil
	case TabGone:
		s.tabGone(f.From)
		return nil
	case TabBack:
		s.tabBack(f.From)
		return nil
	case MediaUp, MediaDown:
		s.media(f.Leg, f.Kind == MediaUp)
		return nil
	}
	p := s.find(f.From.User)
	if p == nil {
		return refusal.New(refusal.NotFound, "There is no such call.")
	}
	if s.data.State == Ended {
		return p.afterEnd(f)
	}
	if f.binds() && p.hasEnded(f.From) {
		return legInUse()
	}
	switch f.Kind {
	case DoStart:
		return s.start(p, f)
	case DoRinging:
		if p.State == Invited {
			p.State = Alerting
		}
		return nil
	case DoAnswer:
		return s.answer(p, f)
	case DoDecline:
		return s.decline(p, f)
	case DoLeave:
		return s.leave(p, f)
	case DoMove:
		return s.move(p, f)
	case DoResume:
		return s.resume(p, f)
	case DoSuspend:
		return s.suspend(p, f)
	case DoSet:
		return s.set(p, f.Set)
	case DoOffer:
		return s.offer(p, f)
	case DoPhase:
		_, err := s.authorise(p, f)
		return err
	case Hold:
		p.hold(s.data.ID, f)
		return nil
	case UserBusy:
		if p.pending() {
			p.State = BusyState
			s.endIfTooFew(Busy)
		}
		return nil
	case Remove:
		s.remove(p, f.From.Session)
		return nil
	}
	return refusal.New(refusal.BadRequest, "A call knows no %q.", f.Kind)
}

// afterEnd answers what comes after the end of the call. To hang up is fulfilled already;
// a tab that still shows the ring learns what it would have learned a moment earlier.
func (p *participant) afterEnd(f Fact) error {
	switch f.Kind {
	case DoLeave, DoSuspend, DoRinging, Hold, UserBusy, Remove:
		return nil
	case DoDecline:
		if p.State == Declined && p.ActedAt != nil && p.ActedAt.TabID == f.From.TabID {
			return nil
		}
		if p.ActedAt != nil {
			return alreadyAnswered()
		}
	}
	return refusal.New(refusal.CallEnded, "This call has ended.")
}

// start answers a start that found this call in its way.
func (s *step) start(p *participant, f Fact) error {
	repeat := p.User == s.data.Caller && f.ClientCallID == s.data.ClientCallID
	switch {
	case p.present() && p.Leg.isIn(f.From):
		s.out.Reply.Merged = p.User != s.data.Caller
		return s.regrant(p, p.Leg, f)
	case repeat:
		return refusal.New(refusal.AlreadyAnswered, "This call went on in another tab.")
	case p.pending(): // glare: the two have called each other
		s.out.Reply.Merged = true
		return s.answer(p, f)
	case p.present():
		s.out.Reply.Moved = true
		return s.move(p, f)
	case p.State == Removed:
		return refusal.New(refusal.NotAllowed, "You were removed from this call.")
	}
	s.join(p, f) // the user joins a running call, or comes back to it
	return nil
}

// answer gives the leg to the first of the user's tabs that asks.
func (s *step) answer(p *participant, f Fact) error {
	if p.present() && p.User != s.data.Caller && p.Leg.isIn(f.From) {
		return s.regrant(p, p.Leg, f) // the tab asks again, because the first reply was lost
	}
	if !p.pending() {
		return alreadyAnswered()
	}
	s.join(p, f)
	return nil
}

func alreadyAnswered() error {
	return refusal.New(refusal.AlreadyAnswered, "This call was answered or declined before.")
}

// join makes the participant present, with a leg in the tab that asks.
func (s *step) join(p *participant, f Fact) {
	p.State = Joining
	where := f.From.Where
	p.ActedAt = &where
	p.Microphone, p.Camera = true, f.Camera && s.data.Media == Video
	p.Held, p.HandRaised = false, false
	p.setSince(s.now)
	p.Leg = s.newLeg(f)
	p.Leg.giveUpAt, p.Leg.giveUpReason = s.now+s.durations.connect, FailedICE
	if s.data.State == Ringing {
		s.data.State = Connecting
		s.startConnectTimer(s.find(s.data.Caller))
	}
	s.endIfTooFew("") // ends the ring if this was the last who was rung
}

// decline counts for the whole user, and only while none of their tabs has answered: a tab
// that still shows the ring must never end a live call, not even between answer and media.
func (s *step) decline(p *participant, f Fact) error {
	if p.State == Declined && p.ActedAt != nil && p.ActedAt.TabID == f.From.TabID {
		return nil
	}
	if !p.pending() {
		return alreadyAnswered()
	}
	p.State = Declined
	where := f.From.Where
	p.ActedAt = &where
	s.endIfTooFew(DeclinedReason)
	return nil
}

// leave takes the user out of the call. If the caller leaves before anybody has answered,
// the call is cancelled.
func (s *step) leave(p *participant, f Fact) error {
	switch {
	case p.pending():
		return s.decline(p, f)
	case !p.present():
		return nil
	case p.User == s.data.Caller && s.data.ActiveAt == 0 && !s.othersPresent(p):
		s.end(Cancelled)
		return nil
	}
	s.drop(p, Left, Completed)
	return nil
}

func (s *step) othersPresent(p *participant) bool {
	for i := range s.data.Participants {
		if o := &s.data.Participants[i]; o != p && o.present() {
			return true
		}
	}
	return false
}

// remove takes the user out of the call because the server says so. With a session it does
// so only if the leg is bound to that one.
func (s *step) remove(p *participant, session string) {
	bound := p.present() && p.Leg.session == session
	if session != "" && !bound || !p.present() && !p.pending() {
		return
	}
	s.drop(p, Removed, RemovedReason)
}

func (s *step) set(p *participant, v Set) error {
	if !p.present() {
		return refusal.New(refusal.NotAllowed, "You are not in this call.")
	}
	if p.Held && v.Held != nil && !*v.Held {
		p.setSince(s.now)
	}
	for to, from := range map[*bool]*bool{
		&p.Microphone: v.Microphone, &p.Camera: v.Camera, &p.Held: v.Held, &p.HandRaised: v.HandRaised,
	} {
		if from != nil {
			*to = *from
		}
	}
	return nil
}

// setSince notes that the user comes to this call now, and later than to all the other calls
// of which this one was told.
func (p *participant) setSince(now int64) { p.Since = max(now, p.otherSince+1) }

// hold puts this call on hold because the user came to another one. If they came to two at
// the same time, each tells the other to hold, and only the one to which they came first does.
func (p *participant) hold(id string, f Fact) {
	earlier := p.Since < f.Since || p.Since == f.Since && id < f.OtherCall
	if p.present() && earlier {
		p.Held = true
	}
	p.otherSince = max(p.otherSince, f.Since)
}

// move lets another tab of the same user take the call over, once its media is up.
func (s *step) move(p *participant, f Fact) error {
	switch {
	case !p.present():
		return refusal.New(refusal.NotAllowed, "You are not in this call.")
	case p.Leg.isIn(f.From):
		return s.regrant(p, p.Leg, f)
	case p.Moving.isIn(f.From):
		return s.regrant(p, p.Moving, f)
	}
	s.closeMoving(p, Replaced)
	p.Moving = s.newLeg(f)
	p.Moving.giveUpAt, p.Moving.giveUpReason = s.now+s.durations.move, FailedICE
	return nil
}

// resume binds a leg to another connection: after a reload, a navigation, a lost connection
// or a restart of the server.
func (s *step) resume(p *participant, f Fact) error {
	l, err := s.authorise(p, f)
	if err != nil {
		return err
	}
	if l.session == "" && l.mediaUp && !l.suspended && !l.isIn(f.From) {
		// Its page has lost its connection and not its media: it lives, and comes back. What
		// asks may be a copy of it. If it is gone after all, its media soon is.
		return legInUse()
	}
	l.Digest, l.Older = digest(f.Secret), nil // the tab has this secret and none of the later ones
	return s.regrant(p, l, f)
}

// suspend shortens the grace time, since the page has said that it goes away. While the leg
// is bound to a connection only that one may say so, or a copy of the page would. The end
// of that connection may be told first.
func (s *step) suspend(p *participant, f Fact) error {
	l := p.legWithSecret(f)
	if l == nil || l.boundToAnother(f.From) {
		return ErrLegUnknown
	}
	if l == p.Moving {
		s.closeMoving(p, ConnectionLost)
		return nil
	}
	l.session, l.mediaUp, l.suspended = "", false, true
	s.updateFromLeg(p)
	return nil
}

// offer decides whether a tab may negotiate media. It has the leg's secret, so a leg that
// is bound to no connection is bound to the one that asks.
func (s *step) offer(p *participant, f Fact) error {
	l, err := s.authorise(p, f)
	if err != nil {
		return err
	}
	if f.From.Session != "" && l.session != f.From.Session {
		l.bind(f.From)
		if l == p.Leg {
			s.updateFromLeg(p)
		}
	}
	l.offered = true
	s.out.Reply.Leg = l.ID
	return nil
}

// authorise returns the leg that f names, if f has its secret and comes from the connection
// to which the leg is bound, or from one that may take its place.
func (s *step) authorise(p *participant, f Fact) (*leg, error) {
	l := p.legWithSecret(f)
	if l == nil {
		return nil, ErrLegUnknown
	}
	if f.From.Session != "" && l.boundToAnother(f.From) {
		s.out.Reply.BoundTo = Tab{User: p.User, Session: l.session, Since: l.since, Where: l.Where}
		return nil, legInUse()
	}
	return l, nil
}

// legInUse may become wrong at any moment, since the connection to which the leg is bound
// may have ended without the server's knowing it yet. So it is worth asking again.
func legInUse() error {
	return refusal.After(500*time.Millisecond, refusal.LegInUse, "The tab that holds this call is alive. Move the call instead.")
}

// ErrLegUnknown refuses a leg that has ended, or whose secret is wrong.
var ErrLegUnknown = refusal.New(refusal.LegUnknown, "This tab's part in the call is over. Start again, or move the call here.")
