package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"carillon/bus"
	"carillon/call"
	"carillon/refusal"
	"carillon/wire"
)

// greeted tells the nodes that a tab is here.
func (s *Server) greeted(l *link) {
	s.metrics.tabs.Inc()
	s.order(l.tab.User, command{Tab: l.tab.Tab, Session: l.tab.Session, Greeted: l.since.UnixNano()})
	s.presence.changed(l.hub)
	l.log.Debug("hello", "device", l.tab.Device)
}

// gone ends what hello began. It is the reader's, after the link has ended.
func (s *Server) gone(l *link) {
	if l.hub == nil {
		return
	}
	s.leave(l)
	s.presence.unwatch(l)
	if l.channel {
		return
	}
	l.mu.Lock()
	replaced, kicked, acked, greeted := l.replaced, l.kicked, l.follow.acked, !l.vitals.pingAt.IsZero()
	l.mu.Unlock()
	if greeted {
		s.metrics.tabs.Dec()
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	if kicked && s.calls != nil {
		s.calls.SignedOut(ctx, l.tab)
	}
	if !replaced {
		no := false
		s.order(l.tab.User, command{Tab: l.tab.Tab, Session: l.tab.Session, Synced: &no, Acked: acked})
		if s.calls != nil {
			s.calls.TabGone(ctx, l.tab)
		}
	}
	s.presence.changed(l.hub)
	l.log.Debug("gone", "after", time.Since(l.since))
}

func (l *link) sessionList(ctx context.Context, _ wire.Empty) (wire.SessionList, error) {
	l.mu.Lock()
	l.listed = true
	l.mu.Unlock()
	return l.server.sessionsOf(ctx, l.tab), nil
}

// sessionSignOut ends sessions only after its answer is queued, since its own may be one.
func (l *link) sessionSignOut(ctx context.Context, p wire.SessionSignOut) (none wire.Empty, after func(), _ error) {
	s, user := l.server, l.tab.User
	if p.Everywhere {
		now := time.Now()
		if err := s.revoke(ctx, user, now); err != nil {
			return none, nil, err
		}
		// A token's time counts milliseconds, rounded down once when it is minted and perhaps
		// once more when it is read. One that is minted after our answer must not seem to be
		// from the millisecond whose tokens are revoked.
		time.Sleep(time.Until(now.Truncate(time.Millisecond).Add(2 * time.Millisecond)))
		return none, func() { s.order(user, command{SignOut: true, Revoked: now.UnixNano()}) }, nil
	}
	id := cmp.Or(p.ID, l.tab.Session)
	known := func(session wire.Session) bool { return session.ID == id }
	if !slices.ContainsFunc(s.sessionsOf(ctx, l.tab).Sessions, known) {
		return none, nil, refusal.New(refusal.NotFound, "You have no such session.")
	}
	return none, func() { s.order(user, command{SignOut: true, Session: id}) }, nil
}

// signOut ends the link if the command means it.
func (l *link) signOut(c command) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Session != "" && c.Session != l.tab.Session {
		return
	}
	if c.Revoked > 0 && l.issuedAt.UnixNano() > c.Revoked {
		return
	}
	l.kicked = true
	l.closeLocked(wire.CloseKicked, "signed out")
}

// sessionsOf lists a user's tabs on all nodes that have some.
func (s *Server) sessionsOf(ctx context.Context, tab call.Seat) wire.SessionList {
	sessions := s.sessionsHere(tab.User)
	for _, node := range s.presence.nodesOf(tab.User) {
		if node == s.node {
			continue
		}
		answer, err := s.bus.Request(ctx, "node."+node+".sessions", []byte(tab.User))
		if err != nil {
			s.log.Warn("ask for sessions", "node", node, "err", err) // it goes down: its tabs are not listed
			continue
		}
		var there []wire.Session
		if err := json.Unmarshal(answer, &there); err != nil {
			s.log.Error("read sessions", "node", node, "err", err)
		}
		sessions = append(sessions, there...)
	}
	slices.SortFunc(sessions, func(a, b wire.Session) int { return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.ID, b.ID)) })
	for i := range sessions {
		sessions[i].This = sessions[i].ID == tab.Session
	}
	return wire.SessionList{Sessions: list(sessions)}
}

func (s *Server) sessionsHere(user string) (sessions []wire.Session) {
	h := s.hubOf(user)
	if h == nil {
		return nil
	}
	for _, l := range h.all() {
		if !l.channel {
			sessions = append(sessions, wire.Session{
				ID: l.tab.Session, Tab: l.tab.Tab, Device: l.tab.Device, DeviceName: l.tab.DeviceName, Since: l.since.UnixMilli(),
			})
		}
	}
	return sessions
}

func (s *Server) answerSessions(m bus.Message) {
	data, err := json.Marshal(list(s.sessionsHere(string(m.Data))))
	if err == nil {
		err = m.Reply(data)
	}
	if err != nil {
		s.log.Warn("answer sessions", "err", err)
	}
}

// sessionsSettle is how long changes of a user's sessions are gathered before those tabs
// that ever listed them are told.
const sessionsSettle = 300 * time.Millisecond

func (h *hub) sessionsChanged() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.telling || !slices.ContainsFunc(h.links, (*link).wantsList) {
		return
	}
	h.telling = true
	time.AfterFunc(sessionsSettle, func() {
		h.mu.Lock()
		h.telling = false
		h.mu.Unlock()
		h.tellSessions()
	})
}

func (l *link) wantsList() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.listed && !l.closed
}

func (h *hub) tellSessions() {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	for _, l := range h.all() {
		if l.wantsList() {
			l.push(notification(wire.NoteSessions, h.server.sessionsOf(ctx, l.tab)), mergeable, "sessions")
		}
	}
}
