package call

import (
	"time"

	"carillon/refusal"
)

// take is the table of calls.md: each row that begins with a fact has its method here or
// in legs.go.
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
	if s.s.State == Ended {
		return p.afterEnd(f)
	}
	if f.binds() && p.ended(f.From) {
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
		p.hold(s.s.ID, f)
		return nil
	case UserBusy:
		if p.pending() {
			p.State = BusyState
			s.settle(Busy)
		}
		return nil
	case Remove:
		s.remove(p, f.From.Session)
		return nil
	}
	return refusal.New(refusal.BadRequest, "A call knows no %q.", f.Kind)
}

// afterEnd answers what comes too late. Hanging up is already fulfilled; a stale ring
// learns what it would have learned a moment earlier.
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

// start is a start that found this call in its way.
func (s *step) start(p *participant, f Fact) error {
	repeat := p.User == s.s.Caller && f.ClientCallID == s.s.ClientCallID
	switch {
	case p.present() && p.Leg.in(f.From):
		s.out.Reply.Merged = p.User != s.s.Caller
		return s.regrant(p, p.Leg, f)
	case repeat:
		return refusal.New(refusal.AlreadyAnswered, "This call went on in another tab.")
	case p.pending(): // glare: they call me while I call them
		s.out.Reply.Merged = true
		return s.answer(p, f)
	case p.present():
		s.out.Reply.Moved = true
		return s.move(p, f)
	case p.State == Removed:
		return refusal.New(refusal.NotAllowed, "You were removed from this call.")
	}
	s.join(p, f) // comes (back) into a call that runs
	return nil
}

// answer goes to the first of a user's tabs that asks.
func (s *step) answer(p *participant, f Fact) error {
	if p.present() && p.User != s.s.Caller && p.Leg.in(f.From) {
		return s.regrant(p, p.Leg, f) // the same tab again: its first reply was lost
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

func (s *step) join(p *participant, f Fact) {
	p.State = Joining
	where := f.From.Where
	p.ActedAt = &where
	p.Microphone, p.Camera = true, f.Camera && s.s.Media == Video
	p.Held, p.HandRaised = false, false
	p.comes(s.now)
	p.Leg = s.newLeg(f)
	p.Leg.by, p.Leg.why = s.now+s.patience.connect, FailedICE
	if s.s.State == Ringing {
		s.s.State = Connecting
		s.hurry(s.find(s.s.Caller))
	}
	s.settle("") // nobody may be left to ring
}

// decline is the whole user's, and only while nobody of theirs has acted: a stale ring
// must never end a live call, not even between answer and media.
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
	s.settle(DeclinedReason)
	return nil
}

// leave of the caller whom nobody has answered cancels the call.
func (s *step) leave(p *participant, f Fact) error {
	switch {
	case p.pending():
		return s.decline(p, f)
	case !p.present():
		return nil
	case p.User == s.s.Caller && s.s.ActiveAt == 0 && !s.othersPresent(p):
		s.end(Cancelled)
		return nil
	}
	s.drop(p, Left, Completed)
	return nil
}

func (s *step) othersPresent(p *participant) bool {
	for i := range s.s.Participants {
		if o := &s.s.Participants[i]; o != p && o.present() {
			return true
		}
	}
	return false
}

// remove by the server. With a session, only if that one holds the leg.
func (s *step) remove(p *participant, session string) {
	holds := p.present() && p.Leg.session == session
	if session != "" && !holds || !p.present() && !p.pending() {
		return
	}
	s.drop(p, Removed, RemovedReason)
}

func (s *step) set(p *participant, v Set) error {
	if !p.present() {
		return refusal.New(refusal.NotAllowed, "You are not in this call.")
	}
	if p.Held && v.Held != nil && !*v.Held {
		p.comes(s.now)
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

// comes to this call at now, and after all others that told us so.
func (p *participant) comes(now int64) { p.Since = max(now, p.after+1) }

// hold because the user came to another call. Of two to which they came at the same time,
// each asks the other: the one they came to last stays, so that one is held and one is not.
func (p *participant) hold(id string, f Fact) {
	earlier := p.Since < f.Since || p.Since == f.Since && id < f.OtherCall
	if p.present() && earlier {
		p.Held = true
	}
	p.after = max(p.after, f.Since)
}

// move lets another tab of the same user take the call over, once its media is up.
func (s *step) move(p *participant, f Fact) error {
	switch {
	case !p.present():
		return refusal.New(refusal.NotAllowed, "You are not in this call.")
	case p.Leg.in(f.From):
		return s.regrant(p, p.Leg, f)
	case p.Moving.in(f.From):
		return s.regrant(p, p.Moving, f)
	}
	s.closeMoving(p, Replaced)
	p.Moving = s.newLeg(f)
	p.Moving.by, p.Moving.why = s.now+s.patience.move, FailedICE
	return nil
}

// resume binds a leg to another connection: after a reload, a navigation, a new socket
// or a restart of the server.
func (s *step) resume(p *participant, f Fact) error {
	l, err := s.authorise(p, f)
	if err != nil {
		return err
	}
	if l.session == "" && l.mediaUp && !l.suspended && !l.in(f.From) {
		// Its page has lost its connection and not its media: it lives, and comes back. What
		// asks may be a copy of it. If it is gone after all, its media soon is.
		return legInUse()
	}
	l.Digest, l.Older = digest(f.Secret), nil // its tab has this one, and none that came after it
	return s.regrant(p, l, f)
}

// suspend shortens the grace time: the page has said that it goes. While a connection
// holds the leg only that one can say so, or a copy of its page would; the end of that
// connection may be told first.
func (s *step) suspend(p *participant, f Fact) error {
	l := p.leg(f)
	if l == nil || l.heldAgainst(f.From) {
		return unknownLeg()
	}
	if l == p.Moving {
		s.closeMoving(p, ConnectionLost)
		return nil
	}
	l.session, l.mediaUp, l.suspended = "", false, true
	s.weigh(p)
	return nil
}

// offer says whether a tab may negotiate media. A leg that no connection holds is bound
// to the one that asks: it has the secret.
func (s *step) offer(p *participant, f Fact) error {
	l, err := s.authorise(p, f)
	if err != nil {
		return err
	}
	if f.From.Session != "" && l.session != f.From.Session {
		l.bind(f.From)
		if l == p.Leg {
			s.weigh(p)
		}
	}
	l.offered = true
	s.out.Reply.Leg = l.ID
	return nil
}

func (s *step) authorise(p *participant, f Fact) (*leg, error) {
	l := p.leg(f)
	if l == nil {
		return nil, unknownLeg()
	}
	if f.From.Session != "" && l.heldAgainst(f.From) {
		s.out.Reply.HeldBy = Tab{User: p.User, Session: l.session, Since: l.since, Where: l.Where}
		return nil, legInUse()
	}
	return l, nil
}

// legInUse may become wrong at any moment: the connection that holds the leg may be dead
// without our knowing it yet.
func legInUse() error {
	return refusal.After(500*time.Millisecond, refusal.LegInUse, "The tab that holds this call is alive. Move the call instead.")
}

func unknownLeg() error {
	return refusal.New(refusal.LegUnknown, "This tab's part in the call is over. Start again, or move the call here.")
}
