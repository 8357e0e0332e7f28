package signaling

import (
	"time"

	"carillon/auth"
	"carillon/bus"
	"carillon/chat"
	"carillon/wire"
)

// command tells the nodes something about one user's tabs. Exactly one of its groups of
// fields is set.
type command struct {
	Tab     string `json:"tab,omitempty"`
	Session string `json:"session,omitempty"`

	Greeted int64      `json:"greeted,omitempty"` // the tab said hello at this time (unix ns): older connections of it are over
	Scope   auth.Scope `json:"scope,omitzero"`    // with greeted and renewed: of its token
	Renewed time.Time  `json:"renewed,omitzero"`  // the tab's token is good until then; also with greeted

	Synced *bool `json:"synced,omitempty"` // the tab's WebSocket has (or no longer has) everything

	Leg   string `json:"leg,omitempty"` // of a call: the tab hosts it, or with Ended no longer
	Ended bool   `json:"ended,omitempty"`

	SignOut *auth.Revoked `json:"sign_out,omitempty"` // who has such a token

	Shown string `json:"shown,omitempty"` // what the tabs' user may see of this user may have changed

	Probe bool `json:"probe,omitempty"` // whoever has the connection of Session pings it, and replies when it answers
}

// command tells the nodes that have tabs of the user.
func (s *Server) command(user string, c command) { s.toUser(user, envelope{Command: &c}, nil) }

// execute does what another node, or this one, told the user's connections to do.
func (u *localUser) execute(cmd command, m bus.Message) {
	if cmd.Greeted > 0 || cmd.Synced != nil && !*cmd.Synced {
		u.sessionsChanged()
	}
	for _, c := range u.all() {
		mine := c.tab.TabID == cmd.Tab
		switch {
		case cmd.SignOut != nil:
			c.signOut(*cmd.SignOut)
		case cmd.Shown != "":
			u.server.presence.contactChanged(c, cmd.Shown)
		case cmd.Probe:
			if c.tab.Session == cmd.Session && !c.channel {
				c.probe(func() { _ = m.Reply(nil) }) // who asked may have given up
			}
		case mine && cmd.Greeted > 0 && !c.channel:
			if c.tab.Session != cmd.Session && c.since.UnixNano() < cmd.Greeted {
				c.replace()
			}
		case mine && !cmd.Renewed.IsZero() && c.channel && !c.scope.Equal(cmd.Scope):
			c.close(wire.CloseShutdown, "0") // a wider token opened it
		case mine && !cmd.Renewed.IsZero() && c.channel:
			c.liveness.tokenGood(time.Until(cmd.Renewed))
		case mine && cmd.Leg != "" && !c.channel:
			c.liveness.hostLeg(cmd.Leg, !cmd.Ended)
		case mine && cmd.Synced != nil && c.channel:
			c.carry(!*cmd.Synced)
		}
	}
}

// carry makes a data channel carry what others do, or not, while its tab's WebSocket does not.
func (c *connection) carry(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.out.isClosed():
	case !on:
		c.phase = standby
	case c.phase == standby:
		c.phase = live
		// What was on its way when the WebSocket broke must not be missing. What the tab has it
		// need not ask for.
		c.server.run(c.tellRecent)
	}
}

// tellRecent tells a tab how far those feeds have come that changed in the last minute.
func (c *connection) tellRecent() {
	ctx, cancel := c.server.timeout(requestTime)
	defer cancel()
	now, err := c.server.chat.Now(ctx)
	var own map[string]int64
	var changed []chat.Conversation
	if err == nil {
		own, err = c.server.chat.Positions(ctx, []string{c.tab.User})
	}
	if err == nil {
		changed, _, err = c.chat.ChangedConversations(ctx, c.tab.User, now, "")
	}
	if err != nil {
		c.log.Error("read what changed lately", "err", err)
		return
	}
	c.change(chat.OwnFeed, notice{pos: own[c.tab.User]})
	for _, h := range changed {
		c.change(h.ID, notice{pos: h.Pos})
	}
}

// probeTime is how long a page may take to show that it lives when another page asks for
// its leg.
const probeTime = 2 * time.Second

// probe pings the tab, and calls told when it answers. A tab that does not is closed.
func (c *connection) probe(told func()) {
	c.liveness.probe(told) // first: the answer may be quick
	c.ping()
}
