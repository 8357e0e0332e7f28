package call

import "slices"

// newLeg makes the leg of a tab and hands it over in the reply.
func (s *step) newLeg(f Fact) *leg {
	l := &leg{ID: f.Fresh.Leg, State: LegAnswering, Where: f.From.Where}
	s.grant(l, f)
	return l
}

// grant binds a leg to the connection that asks and gives it a new secret. The reply may
// be lost, and then the tab has the secret before.
func (s *step) grant(l *leg, f Fact) {
	if l.shown {
		l.Older = nil
	}
	if l.Digest != "" {
		l.Older = newest(l.Older, l.Digest, rememberedSecrets)
	}
	l.Digest, l.shown = digest(f.Fresh.Secret), false
	l.bind(f.From)
	s.out.Reply.Leg, s.out.Reply.Secret = l.ID, f.Fresh.Secret
}

// bind makes the leg the tab's, as long as this connection of it lives.
func (l *leg) bind(to Tab) {
	l.session, l.since, l.Where, l.suspended = to.Session, to.Since, to.Where, false
}

// regrant hands a leg over once more: its tab asks again, or comes back. Its media gets
// the time of an answer, or of a move.
func (s *step) regrant(p *participant, l *leg, f Fact) error {
	if l.heldAgainst(f.From) {
		return legInUse()
	}
	s.grant(l, f)
	if l == p.Moving {
		l.by, l.why = s.now+s.patience.move, FailedICE
		return nil
	}
	s.weigh(p)
	if l.by != 0 {
		l.by = max(l.by, s.now+s.patience.connect)
	}
	return nil
}

const (
	rememberedSecrets = 8  // replies in a row that a leg's tab may lose before its secret is worth nothing
	rememberedEnds    = 32 // connections of a user whose late requests are known as such
)

// newest returns the last n of all and one.
func newest(all []string, one string, n int) []string {
	all = append(slices.Clone(all), one)
	return all[max(0, len(all)-n):]
}

// leg returns the one that f names and has the secret of. An older secret is good for one
// thing: to resume the leg in its own tab, as long as nobody has shown a newer one.
func (p *participant) leg(f Fact) *leg {
	for _, l := range []*leg{p.Leg, p.Moving} {
		switch {
		case l == nil || l.ID != f.Leg:
		case l.Digest == digest(f.Secret):
			l.shown = true
			return l
		case f.Kind == DoResume && l.in(f.From) && !l.shown && slices.Contains(l.Older, digest(f.Secret)):
			return l
		}
	}
	return nil
}

// in reports whether the leg is that tab's.
func (l *leg) in(tab Tab) bool { return l != nil && l.Where.TabID == tab.TabID }

// heldAgainst reports whether a connection holds the leg that does not give way to the
// one that asks. Of two connections of a tab the earlier one gives way: the page has
// connected again, whether the end of the earlier one is known or not.
func (l *leg) heldAgainst(from Tab) bool {
	later := l.in(from) && from.Since > l.since
	return l.session != "" && l.session != from.Session && !later
}

// tabGone: the connection has ended. What it asked for may still come, and binds nothing.
func (s *step) tabGone(from Tab) {
	if p := s.find(from.User); p != nil && from.Session != "" && !p.ended(from) {
		p.over = newest(p.over, from.Session, rememberedEnds)
	}
	s.unbind(func(_ *participant, l *leg) bool { return l.session == from.Session })
}

// tabBack: the tab has a new connection, so its earlier ones are over.
func (s *step) tabBack(from Tab) {
	s.unbind(func(p *participant, l *leg) bool {
		return p.User == from.User && l.in(from) && l.session != from.Session && l.since <= from.Since
	})
}

// ended reports whether the end of that connection was told.
func (p *participant) ended(from Tab) bool { return slices.Contains(p.over, from.Session) }

// media tells what the room sees of a leg.
func (s *step) media(id string, up bool) {
	for i := range s.s.Participants {
		p := &s.s.Participants[i]
		switch {
		case p.Leg != nil && p.Leg.ID == id:
			if p.Leg.suspended {
				return // its page is gone; what still arrives is on its way out
			}
			p.Leg.mediaUp = up
			s.weigh(p)
		case p.Moving != nil && p.Moving.ID == id && up:
			s.close(p.Leg, p.User, Replaced)
			p.Leg, p.Moving = p.Moving, nil
			p.Leg.mediaUp = true
			s.weigh(p)
		}
	}
}

// unbind: the connections of these legs are over. Media may well go on without them.
func (s *step) unbind(over func(*participant, *leg) bool) {
	for i := range s.s.Participants {
		p := &s.s.Participants[i]
		if l := p.Moving; l != nil && l.session != "" && over(p, l) {
			l.session = ""
		}
		if l := p.Leg; l != nil && l.session != "" && over(p, l) {
			l.session = ""
			s.weigh(p)
		}
	}
}

// weigh draws the conclusions from a leg's media and connection.
func (s *step) weigh(p *participant) {
	l := p.Leg
	switch {
	case l.mediaUp:
		l.State, l.by, l.why = LegUp, 0, ""
		p.State = Joined
		s.activate()
	case s.s.State == Ringing && l.session != "":
		// The caller is there, only without media: the ring timer bounds that.
		l.State, l.by, l.why = LegAnswering, 0, ""
		p.State = Joining
	case s.s.State == Ringing:
		s.lost(p, s.patience.callerGone, Cancelled)
	case l.State != LegAnswering:
		s.lost(p, s.patience.grace, ConnectionLost)
	case l.suspended: // never was up: the connect timer runs
		l.by = min(l.by, s.now+s.patience.suspend)
	}
}

// lost starts a leg's grace time, or shortens the one that runs.
func (s *step) lost(p *participant, grace int64, why Reason) {
	l := p.Leg
	if l.suspended {
		grace = min(grace, s.patience.suspend)
	}
	if l.by == 0 || l.suspended && l.by > s.now+grace {
		l.by = s.now + grace
	}
	if l.why == "" {
		l.why = why
	}
	l.State, p.State = LegReconnecting, Reconnecting
}

// hurry sets the caller's clock when the first callee answers: until then nothing but the
// ring timer asked for its media.
func (s *step) hurry(p *participant) {
	l := p.Leg
	switch {
	case l.mediaUp:
	case l.State == LegAnswering:
		l.by, l.why = s.now+s.patience.connect, FailedICE
	default:
		if l.why == Cancelled {
			l.why = ConnectionLost
		}
		if !l.suspended {
			l.by = s.now + s.patience.grace
		}
	}
}

// activate starts the clock of the call when two have joined.
func (s *step) activate() {
	joined := 0
	for i := range s.s.Participants {
		if s.s.Participants[i].State == Joined {
			joined++
		}
	}
	// While it rings only the caller has media; that is no answer.
	if joined > 1 && s.s.State == Connecting {
		s.s.State, s.s.ActiveAt = Active, s.now
	}
}

// giveUp ends our patience with a participant's active leg.
func (s *step) giveUp(p *participant) {
	if p.Moving != nil { // the one that moves in may still make it, in the time it has
		s.close(p.Leg, p.User, Replaced)
		p.Moving.why = p.Leg.reason()
		p.Leg, p.Moving = p.Moving, nil
		s.weigh(p) // while it rings the tab needs no media to stay
		return
	}
	if s.s.State == Ringing {
		s.end(p.Leg.reason())
		return
	}
	gone := Left
	if p.State == Joining {
		gone = Failed
	}
	s.drop(p, gone, p.Leg.reason())
}

// reason it has ended of when our patience with it ends. A tab that never offered had no
// path to fail on: its devices or its page did.
func (l *leg) reason() Reason {
	if l.why == FailedICE && !l.offered {
		return FailedMedia
	}
	return l.why
}

// drop takes a participant out of the call.
func (s *step) drop(p *participant, as ParticipantState, reason Reason) {
	p.State = as
	s.closeLegs(p, reason)
	s.settle(reason)
}

func (s *step) closeLegs(p *participant, reason Reason) {
	s.closeMoving(p, reason)
	s.close(p.Leg, p.User, reason)
	p.Leg = nil
}

func (s *step) closeMoving(p *participant, reason Reason) {
	s.close(p.Moving, p.User, reason)
	p.Moving = nil
}

func (s *step) close(l *leg, user string, reason Reason) {
	if l != nil {
		tab := Tab{User: user, Session: l.session, Where: l.Where}
		s.out.Ended = append(s.out.Ended, LegEnd{Leg: l.ID, Tab: tab, Reason: reason})
	}
}

// claimed: this server has just taken the call over. All legs may come back, from now.
func (s *step) claimed(epoch int64) {
	s.s.Epoch = epoch
	s.s.RingUntil = min(s.s.RingUntil, s.now+s.patience.ring) // the other server's clock may be ahead
	for i := range s.s.Participants {
		p := &s.s.Participants[i]
		if l := p.Leg; l != nil {
			l.session, l.mediaUp, l.suspended = "", false, false
			l.by, l.why = s.now+s.patience.grace, ServerError
			l.State, p.State = LegReconnecting, Reconnecting
		}
		if l := p.Moving; l != nil {
			l.session, l.by, l.why = "", s.now+s.patience.move, FailedICE
		}
	}
}
