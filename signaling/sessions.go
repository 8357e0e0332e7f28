package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"carillon/auth"
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
	s.watches.unwatch(c)
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
		s.command(c.tab.User, command{Tab: c.tab.TabID, Session: c.tab.Session, Synced: &no})
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

// sessionSignOut makes the tokens of sessions void, and ends who has them. It ends them only after its
// answer is queued, since its own may be one. A guest always signs out everywhere: any earlier token
// of theirs would be renewed.
func (c *connection) sessionSignOut(ctx context.Context, p wire.SessionSignOut) (none wire.Empty, after func(), _ error) {
	s, user := c.server, c.tab.User
	id := cmp.Or(p.ID, c.tab.Session)
	if c.scope.Narrowed() && (p.Everywhere || id != c.tab.Session) {
		return none, nil, errNarrowed
	}
	sessions := s.sessionsOf(ctx, user)
	var revoked auth.Revoked
	if p.Everywhere || c.profile.Guest {
		revoked.Until = time.Now()
		if err := s.revoked.RevokeAll(ctx, user, revoked.Until); err != nil {
			return none, nil, err
		}
		// A token's time counts milliseconds, rounded down once when it is minted and perhaps
		// once more when it is read. One that is minted after our answer must not seem to be
		// from the millisecond whose tokens are revoked.
		time.Sleep(time.Until(revoked.Until.Truncate(time.Millisecond).Add(2 * time.Millisecond)))
	} else if !slices.ContainsFunc(sessions, func(session session) bool { return session.ID == id }) {
		return none, nil, refusal.New(refusal.NotFound, "You have no such session.")
	}
	expire := map[auth.TokenID]time.Time{}
	for _, session := range sessions {
		if revoked.Until.IsZero() && session.ID == id || !revoked.Until.IsZero() && !revoked.Voids(session.Token) {
			expire[session.Token.Token] = session.Token.Expires
		}
	}
	if len(expire) > 0 {
		if err := s.revoked.RevokeTokens(ctx, user, expire); err != nil {
			return none, nil, err
		}
		revoked.Tokens = slices.Sorted(maps.Keys(expire))
	}
	return none, func() { s.command(user, command{SignOut: &revoked}) }, nil
}

// signOut ends the connection if its token is void. A data channel ends with the leg of its tab,
// unless its user signs out everywhere.
func (c *connection) signOut(revoked auth.Revoked) {
	token := c.token.Load()
	if token == nil && revoked.Until.IsZero() || token != nil && !revoked.Voids(*token) {
		return
	}
	c.signedOut.Store(true)
	c.close(wire.CloseSignedOut, "signed out")
}

// signOutVoided ends the connections whose tokens were revoked while this node was not told.
func (s *Server) signOutVoided(ctx context.Context, users []string) error {
	revoked, err := s.revoked.Revoked(ctx, users)
	if err != nil {
		return fmt.Errorf("read what is revoked: %w", err)
	}
	for user, r := range revoked {
		u := s.localUser(user)
		if u == nil {
			continue
		}
		for _, c := range u.all() {
			if c.token.Load() != nil {
				c.signOut(r)
			}
		}
	}
	return nil
}

// session is a tab of a user, with its token.
type session struct {
	wire.Session
	Token auth.Identity `json:"token"`
}

// sessionsOf returns a user's tabs on all nodes that have some, the oldest first.
func (s *Server) sessionsOf(ctx context.Context, user string) []session {
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
		var there []session
		if err := json.Unmarshal(answer, &there); err != nil {
			s.log.Error("read sessions", "node", node, "err", err)
		}
		sessions = append(sessions, there...)
	}
	slices.SortFunc(sessions, func(a, b session) int { return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.ID, b.ID)) })
	return sessions
}

// listOf makes the list as this tab sees it.
func (c *connection) listOf(sessions []session) wire.SessionList {
	l := wire.SessionList{Sessions: []wire.Session{}}
	for _, session := range sessions {
		session.This = session.ID == c.tab.Session
		l.Sessions = append(l.Sessions, session.Session)
	}
	return l
}

func (s *Server) sessionsHere(user string) (sessions []session) {
	u := s.localUser(user)
	if u == nil {
		return nil
	}
	for _, c := range u.all() {
		if token := c.token.Load(); token != nil {
			sessions = append(sessions, session{Token: *token, Session: wire.Session{
				ID: c.tab.Session, Tab: c.tab.TabID, Device: c.tab.Device, DeviceName: c.tab.DeviceName, Since: c.since.UnixMilli(),
			}})
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
