package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"carillon/bus"
	"carillon/refusal"
	"carillon/wire"
)

// greeted tells the nodes that a tab is here.
func (s *Server) greeted(l *link) {
	s.metrics.tabs.Inc()
	s.order(l.from.User.ID, command{Tab: l.from.Where.Tab, Session: l.from.Session, Greeted: l.since.UnixNano()})
	s.presence.changed(l.hub)
	l.log.Debug("hello", "device", l.from.Where.Device)
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
	if kicked {
		s.calls.signedOut(ctx, l.from)
	}
	if !replaced {
		no := false
		s.order(l.from.User.ID, command{Tab: l.from.Where.Tab, Session: l.from.Session, Synced: &no, Acked: acked})
		s.calls.tabGone(ctx, l.from)
	}
	s.presence.changed(l.hub)
	l.log.Debug("gone", "after", time.Since(l.since))
}

// then is a result after which something is to be done.
type then struct {
	value any
	do    func()
}

func (l *link) sessionList(ctx context.Context, _ wire.Empty) (any, error) {
	l.mu.Lock()
	l.listed = true
	l.mu.Unlock()
	return l.server.sessionsOf(ctx, l.from), nil
}

func (l *link) sessionSignOut(ctx context.Context, p wire.SessionSignOut) (any, error) {
	s, user := l.server, l.from.User.ID
	if p.Everywhere {
		now := time.Now()
		if err := s.revoke(ctx, user, now); err != nil {
			return nil, err
		}
		return then{wire.Empty{}, func() { s.order(user, command{SignOut: true, Revoked: now.UnixNano()}) }}, nil
	}
	id := cmp.Or(p.ID, l.from.Session)
	known := func(session wire.Session) bool { return session.ID == id }
	if !slices.ContainsFunc(s.sessionsOf(ctx, l.from).Sessions, known) {
		return nil, refusal.New(refusal.NotFound, "You have no such session.")
	}
	return then{wire.Empty{}, func() { s.order(user, command{SignOut: true, Session: id}) }}, nil
}

// signOut ends the link if the command means it.
func (l *link) signOut(c command) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Session != "" && c.Session != l.from.Session {
		return
	}
	if c.Revoked > 0 && l.issuedAt.UnixNano() > c.Revoked {
		return
	}
	l.kicked = true
	l.closeLocked(wire.CloseKicked, "signed out")
}

// sessionsOf lists a user's tabs on all nodes that have some.
func (s *Server) sessionsOf(ctx context.Context, from origin) wire.SessionList {
	sessions := s.sessionsHere(from.User.ID)
	for _, node := range s.presence.nodesOf(from.User.ID) {
		if node == s.node {
			continue
		}
		answer, err := s.bus.Request(ctx, "node."+node+".sessions", []byte(from.User.ID))
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
		sessions[i].This = sessions[i].ID == from.Session
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
			w := l.from.Where
			sessions = append(sessions, wire.Session{
				ID: l.from.Session, Tab: w.Tab, Device: w.Device, DeviceName: w.DeviceName, Since: l.since.UnixMilli(),
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
			l.push(notification(wire.NoteSessions, h.server.sessionsOf(ctx, l.from)), mergeable, "sessions")
		}
	}
}
