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

// beginSession tells the nodes that a tab is here.
func (s *Server) beginSession(c *connection) {
	s.metrics.tabs.Inc()
	s.command(c.tab.User, command{Tab: c.tab.TabID, Session: c.tab.Session, Greeted: c.since.UnixNano(), Scope: c.scope, Renewed: c.liveness.tokenEnd()})
	s.presence.changed(c.user)
	c.log.Debug("hello", "device", c.tab.Device)
}

// endSession ends what hello began. The reader calls it after the connection has ended.
func (s *Server) endSession(c *connection) {
	if c.user == nil {
		return
	}
	s.leave(c)
	s.presence.unwatch(c)
	if c.channel {
		return
	}
	if c.liveness.greeted() {
		s.metrics.tabs.Dec()
	}
	ctx, cancel := s.timeout(requestTime)
	defer cancel()
	if c.signedOut.Load() && s.calls != nil {
		s.calls.SignedOut(ctx, c.tab)
	}
	if !c.replaced.Load() {
		no := false
		s.command(c.tab.User, command{Tab: c.tab.TabID, Session: c.tab.Session, Synced: &no, Acked: c.position.acked()})
	}
	if s.calls != nil {
		s.calls.TabGone(ctx, c.tab)
	}
	s.presence.changed(c.user)
	c.log.Debug("session ended", "after", time.Since(c.since))
}

func (c *connection) sessionList(ctx context.Context, _ wire.Empty) (wire.SessionList, error) {
	c.listed.Store(true)
	sessions := c.server.sessionsOf(ctx, c.tab.User)
	c.charge(len(sessions))
	return c.listOf(sessions), nil
}

// sessionSignOut ends sessions only after its answer is queued, since its own may be one.
func (c *connection) sessionSignOut(ctx context.Context, p wire.SessionSignOut) (none wire.Empty, after func(), _ error) {
	s, user := c.server, c.tab.User
	if c.scope.Narrowed() && (p.Everywhere || cmp.Or(p.ID, c.tab.Session) != c.tab.Session) {
		return none, nil, errNarrowed
	}
	if p.Everywhere {
		now := time.Now()
		if err := s.revoke(ctx, user, now); err != nil {
			return none, nil, err
		}
		// A token's time counts milliseconds, rounded down once when it is minted and perhaps
		// once more when it is read. One that is minted after our answer must not seem to be
		// from the millisecond whose tokens are revoked.
		time.Sleep(time.Until(now.Truncate(time.Millisecond).Add(2 * time.Millisecond)))
		return none, func() { s.command(user, command{SignOut: true, Revoked: now.UnixNano()}) }, nil
	}
	id := cmp.Or(p.ID, c.tab.Session)
	known := func(session wire.Session) bool { return session.ID == id }
	if !slices.ContainsFunc(s.sessionsOf(ctx, user), known) {
		return none, nil, refusal.New(refusal.NotFound, "You have no such session.")
	}
	return none, func() { s.command(user, command{SignOut: true, Session: id}) }, nil
}

// signOut ends the connection if the command means it.
func (c *connection) signOut(cmd command) {
	if cmd.Session != "" && cmd.Session != c.tab.Session {
		return
	}
	if cmd.Revoked > 0 && c.issuedAt.Load() > cmd.Revoked {
		return
	}
	c.signedOut.Store(true)
	c.close(wire.CloseSignedOut, "signed out")
}

// sessionsOf returns a user's tabs on all nodes that have some, the oldest first.
func (s *Server) sessionsOf(ctx context.Context, user string) []wire.Session {
	sessions := s.sessionsHere(user)
	for _, node := range s.presence.nodesOf(user) {
		if node == s.node {
			continue
		}
		answer, err := s.bus.Request(ctx, "node."+node+".sessions", []byte(user))
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
	return sessions
}

// listOf makes the list as this tab sees it.
func (c *connection) listOf(sessions []wire.Session) wire.SessionList {
	sessions = slices.Clone(list(sessions))
	for i := range sessions {
		sessions[i].This = sessions[i].ID == c.tab.Session
	}
	return wire.SessionList{Sessions: sessions}
}

func (s *Server) sessionsHere(user string) (sessions []wire.Session) {
	u := s.localUser(user)
	if u == nil {
		return nil
	}
	for _, c := range u.all() {
		if !c.channel {
			sessions = append(sessions, wire.Session{
				ID: c.tab.Session, Tab: c.tab.TabID, Device: c.tab.Device, DeviceName: c.tab.DeviceName, Since: c.since.UnixMilli(),
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

// sessionsSettle is how long changes of a user's sessions are gathered before the tabs that
// have listed them are told.
const sessionsSettle = 2 * time.Second

func (u *localUser) sessionsChanged() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.telling || !slices.ContainsFunc(u.connections, (*connection).wantsSessions) {
		return
	}
	u.telling = true
	// A connection of the user is here, whose goroutine counts in work: nobody has waited for
	// work to its end yet.
	u.server.work.Go(func() {
		timer := time.NewTimer(sessionsSettle)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-u.server.done:
			return
		}
		u.mu.Lock()
		u.telling = false
		u.mu.Unlock()
		u.tellSessions()
	})
}

func (c *connection) wantsSessions() bool { return c.listed.Load() && !c.out.isClosed() }

var sessionsFrame = notification(wire.NoteSessions, wire.Empty{})

// tellSessions tells each tab that has listed the sessions since it was told last that they
// have changed, and no more than that: what a change costs is bounded by the lists that were
// asked for, each of which was paid for.
func (u *localUser) tellSessions() {
	for _, c := range u.all() {
		if c.listed.CompareAndSwap(true, false) {
			c.push(sessionsFrame, mergeable, "sessions")
		}
	}
}
