package call

import "slices"

// newLeg makes a leg for the tab that asks and hands it over in the reply.
func (s *step) newLeg(f Fact) *leg {
	l := &leg{ID: f.Fresh.Leg, State: LegAnswering, Where: f.From.Where}
	s.grant(l, f)
	return l
}

// grant binds a leg to the connection that asks and gives it a new secret. If the reply is
// lost, the tab still has an earlier secret, so those are kept until the new one is used.
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

// bind gives the leg to a tab and to the connection through which it asks.
func (l *leg) bind(to Tab) {
	l.session, l.since, l.Where, l.suspended = to.Session, to.Since, to.Where, false
}

// regrant hands a leg out once more, because its tab asks again or comes back. The media
// gets as much time as after an answer, or after a move.
func (s *step) regrant(p *participant, l *leg, f Fact) error {
	if l.boundToAnother(f.From) {
		return legInUse()
	}
	s.grant(l, f)
	if l == p.Moving {
		l.giveUpAt, l.giveUpReason = s.now+s.durations.move, FailedICE
		return nil
	}
	s.updateFromLeg(p)
	if l.giveUpAt != 0 {
		l.giveUpAt = max(l.giveUpAt, s.now+s.durations.connect)
	}
	return nil
}

const (
	rememberedSecrets = 8  // so many replies in a row may be lost before the tab's secret is void
	rememberedEnds    = 32 // of so many connections of a user a late request is recognised
)

// newest appends one to all and returns the last n.
func newest(all []string, one string, n int) []string {
	all = append(slices.Clone(all), one)
	return all[max(0, len(all)-n):]
}

// legWithSecret returns the leg that f names if f has its secret. An earlier secret is good
// for one thing: to resume the leg in its own tab, as long as the newest was not used.
func (p *participant) legWithSecret(f Fact) *leg {
	for _, l := range []*leg{p.Leg, p.Moving} {
		switch {
		case l == nil || l.ID != f.Leg:
		case l.Digest == digest(f.Secret):
			l.shown = true
			return l
		case f.Kind == DoResume && l.isIn(f.From) && !l.shown && slices.Contains(l.Older, digest(f.Secret)):
			return l
		}
	}
	return nil
}

// isIn reports whether the leg is in that tab.
func (l *leg) isIn(tab Tab) bool { return l != nil && l.Where.TabID == tab.TabID }

// boundToAnother reports whether the leg is bound to a connection that does not give way
// to the one that asks. Of two connections of a tab the earlier one gives way: the page
// has connected again, whether the end of the earlier one was told or not.
func (l *leg) boundToAnother(from Tab) bool {
	later := l.isIn(from) && from.Since > l.since
	return l.session != "" && l.session != from.Session && !later
}

// tabGone unbinds the legs of a connection that has ended. Its requests may still arrive;
// from now on none of them gets a leg.
func (s *step) tabGone(from Tab) {
	if p := s.find(from.User); p != nil && from.Session != "" && !p.hasEnded(from) {
		p.endedSessions = newest(p.endedSessions, from.Session, rememberedEnds)
	}
	s.unbind(func(_ *participant, l *leg) bool { return l.session == from.Session })
}

// tabBack unbinds the legs of a tab from its earlier connections, since it has a new one.
func (s *step) tabBack(from Tab) {
	s.unbind(func(p *participant, l *leg) bool {
		return p.User == from.User && l.isIn(from) && l.session != from.Session && l.since <= from.Since
	})
}

// hasEnded reports whether the end of the connection was told.
func (p *participant) hasEnded(from Tab) bool { return slices.Contains(p.endedSessions, from.Session) }

// unbind notes for which legs the connection has ended. Their media may well go on.
func (s *step) unbind(ended func(*participant, *leg) bool) {
	for i := range s.data.Participants {
		p := &s.data.Participants[i]
		if l := p.Moving; l != nil && l.session != "" && ended(p, l) {
			l.session = ""
		}
		if l := p.Leg; l != nil && l.session != "" && ended(p, l) {
			l.session = ""
			s.updateFromLeg(p)
		}
	}
}
