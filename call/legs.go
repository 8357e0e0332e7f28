package call

// media notes whether the room gets media from a leg. The media of a leg that moves in
// makes it the active one.
func (s *step) media(id string, up bool) {
	for i := range s.data.Participants {
		p := &s.data.Participants[i]
		switch {
		case p.Leg != nil && p.Leg.ID == id:
			if p.Leg.suspended {
				return // the page has gone; these are the last packets that it sent
			}
			p.Leg.mediaUp = up
			s.updateFromLeg(p)
		case p.Moving != nil && p.Moving.ID == id && up:
			s.close(p.Leg, p.User, Replaced)
			p.Leg, p.Moving = p.Moving, nil
			p.Leg.mediaUp = true
			s.updateFromLeg(p)
		}
	}
}

// updateFromLeg sets the states of a participant and of their active leg by whether the
// leg has media and a connection, and until when the call waits for what it lacks.
func (s *step) updateFromLeg(p *participant) {
	l := p.Leg
	switch {
	case l.mediaUp:
		l.State, l.giveUpAt, l.giveUpReason = LegUp, 0, ""
		p.State = Joined
		s.activate()
	case s.data.State == Ringing && l.session != "":
		// The caller is there, though without media. The ring timer bounds that.
		l.State, l.giveUpAt, l.giveUpReason = LegAnswering, 0, ""
		p.State = Joining
	case s.data.State == Ringing:
		s.startGrace(p, s.durations.callerGone, Cancelled)
	case l.State != LegAnswering:
		s.startGrace(p, s.durations.grace, ConnectionLost)
	case l.suspended: // the leg has never been up, so its connect timer runs
		l.giveUpAt = min(l.giveUpAt, s.now+s.durations.suspend)
	}
}

// startGrace starts the time in which a leg may come back, or shortens it if the page has
// said that it goes away.
func (s *step) startGrace(p *participant, grace int64, reason Reason) {
	l := p.Leg
	if l.suspended {
		grace = min(grace, s.durations.suspend)
	}
	if l.giveUpAt == 0 || l.suspended && l.giveUpAt > s.now+grace {
		l.giveUpAt = s.now + grace
	}
	if l.giveUpReason == "" {
		l.giveUpReason = reason
	}
	l.State, p.State = LegReconnecting, Reconnecting
}

// startConnectTimer begins to wait for the caller's media when the first callee answers.
// Until then only the ring timer ran.
func (s *step) startConnectTimer(p *participant) {
	l := p.Leg
	switch {
	case l.mediaUp:
	case l.State == LegAnswering:
		l.giveUpAt, l.giveUpReason = s.now+s.durations.connect, FailedICE
	default:
		if l.giveUpReason == Cancelled {
			l.giveUpReason = ConnectionLost
		}
		if !l.suspended {
			l.giveUpAt = s.now + s.durations.grace
		}
	}
}

// activate starts the clock of the call when two have joined.
func (s *step) activate() {
	joined := 0
	for i := range s.data.Participants {
		if s.data.Participants[i].State == Joined {
			joined++
		}
	}
	// While it rings only the caller has media; that is no answer.
	if joined > 1 && s.data.State == Connecting {
		s.data.State, s.data.ActiveAt = Active, s.now
	}
}

// giveUp ends the wait for a participant's active leg.
func (s *step) giveUp(p *participant) {
	if p.Moving != nil { // the leg that moves in still has the rest of its own time
		s.close(p.Leg, p.User, Replaced)
		p.Moving.giveUpReason = p.Leg.reason()
		p.Leg, p.Moving = p.Moving, nil
		s.updateFromLeg(p) // while the call rings, the new tab may stay without media
		return
	}
	if s.data.State == Ringing {
		s.end(p.Leg.reason())
		return
	}
	gone := Left
	if p.State == Joining {
		gone = Failed
	}
	s.drop(p, gone, p.Leg.reason())
}

// reason returns why the leg ends when the call waits no longer for it. If the tab has
// never offered, no network path has failed: its devices or its page did.
func (l *leg) reason() Reason {
	if l.giveUpReason == FailedICE && !l.offered {
		return FailedMedia
	}
	return l.giveUpReason
}

// drop takes a participant out of the call and leaves them in the given final state.
func (s *step) drop(p *participant, as ParticipantState, reason Reason) {
	p.State = as
	s.closeLegs(p, reason)
	s.endIfTooFew(reason)
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

// close tells the room and the tab that a leg has ended.
func (s *step) close(l *leg, user string, reason Reason) {
	if l != nil {
		tab := Tab{User: user, Session: l.session, Where: l.Where}
		s.out.Ended = append(s.out.Ended, LegEnd{Leg: l.ID, Tab: tab, Reason: reason})
	}
}

// claimed notes that this server has just taken the call over. Nothing is connected to it
// yet, and every leg has the grace time to come back.
func (s *step) claimed(epoch int64) {
	s.data.Epoch = epoch
	s.data.RingUntil = min(s.data.RingUntil, s.now+s.durations.ring) // the other server's clock may be ahead
	for i := range s.data.Participants {
		p := &s.data.Participants[i]
		if l := p.Leg; l != nil {
			l.session, l.mediaUp, l.suspended = "", false, false
			l.giveUpAt, l.giveUpReason = s.now+s.durations.grace, ServerError
			l.State, p.State = LegReconnecting, Reconnecting
		}
		if l := p.Moving; l != nil {
			l.session, l.giveUpAt, l.giveUpReason = "", s.now+s.durations.move, FailedICE
		}
	}
}
