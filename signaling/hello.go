package signaling

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/wire"
)

// hello makes a connection a tab: whose it is, where it stands in its user's log, what it
// missed. It runs in the reader, so nothing else of the tab is looked at before.
//
//	hello → verify the token → join the user's connections (from now on announced
//	      events are remembered) → read where the log ends → welcome → missed events
//	      → synced → announced events are passed on
func (c *connection) hello(id int64, data json.RawMessage, now time.Time) bool {
	if c.user != nil || c.channel {
		return c.refuseGarbage(&id, refusal.New(refusal.HelloAgain, "This connection has said hello already."), now)
	}
	ctx, cancel := c.server.timeout(requestTime)
	defer cancel()
	first, err := c.greet(ctx, id, data, now)
	if err != nil {
		refused, known := refusal.Of(err)
		if !known {
			c.log.Error("hello", "err", err)
		}
		c.refuse(&id, refused)
		c.close(closeCode(refused.Code), closeReason(refused))
		return false
	}
	c.server.work.Go(func() { c.catchUp(first, c.synced) })
	return true
}

// closeCode tells the client whether to come back after a refused hello.
func closeCode(c refusal.Code) int {
	switch c {
	case refusal.TokenExpired:
		return wire.CloseTokenExpired
	case refusal.TokenMissing, refusal.TokenMalformed, refusal.TokenWrongKey, refusal.TokenNotYet, refusal.BadRequest, refusal.TooLarge:
		return wire.CloseBadToken
	case refusal.TokenRevoked:
		return wire.CloseSignedOut
	case refusal.UnsupportedProtocol:
		return wire.CloseTooOld
	case refusal.RateLimited, refusal.TooManyTabs:
		return wire.CloseRate
	}
	return wire.CloseShutdown // our fault: come back
}

// closeReason is, with a code that means come back when we can, when that will be.
func closeReason(refused *refusal.Error) string {
	if closeCode(refused.Code) == wire.CloseShutdown && refused.Retry > 0 {
		return strconv.FormatInt(refused.Retry.Milliseconds(), 10)
	}
	return string(refused.Code)
}

// greet answers hello with the welcome, or returns why not. First are the events that follow.
func (c *connection) greet(ctx context.Context, id int64, data json.RawMessage, now time.Time) (first []chat.Event, _ error) {
	s := c.server
	h, err := params[wire.Hello](data)
	if err != nil {
		return nil, err
	}
	if h.Protocol != wire.Protocol {
		return nil, refusal.New(refusal.UnsupportedProtocol, "This server speaks protocol %d. Reload the page.", wire.Protocol)
	}
	if !properID(h.Tab) || !properID(h.Device) || len(h.DeviceName) > maxDeviceName || !utf8.ValidString(h.DeviceName) {
		return nil, refusal.New(refusal.BadRequest, "A tab and a device are named by 8 to 64 characters, device_name by at most %d bytes.", maxDeviceName)
	}
	identity, err := c.verify(ctx, h.Token, now)
	if err != nil {
		return nil, err
	}
	s.phase("verify", now)
	payer := limit.Payer{User: identity.User, Guest: identity.Guest, Address: c.payer.Address}
	if err := s.limits.hellos.Take(payer, 1+len(h.Pending)/thingsPerRequest, now); err != nil {
		return nil, err
	}
	ctx = limit.PaidBy(ctx, payer)
	user, err := s.chat.Seen(ctx, chat.User{ID: identity.User, Name: identity.Name, Picture: identity.Picture, Guest: identity.Guest})
	if err != nil {
		return nil, err
	}
	c.profile, c.payer = user, payer
	c.scope, c.chat = identity.Scope, s.chat.Within(identity.Scope.Conversations)
	c.tab = call.Tab{User: user.ID, Session: rand.Text(), Since: c.since.UnixNano(), Where: call.Where{TabID: h.Tab, Device: h.Device, DeviceName: h.DeviceName}}
	c.log = c.log.With("user", user.ID, "tab", h.Tab)

	c.issuedAt.Store(identity.IssuedAt.UnixNano()) // first: a sign-out of older tokens, which may come late, is not for this one
	joining := time.Now()
	if err := s.join(c); err != nil {
		return nil, err
	}
	s.phase("join", joining)
	if s.calls != nil {
		s.calls.TabBack(c.tab)
	}
	end, err := s.limits.reads.Acquire(ctx, payer)
	if err != nil {
		return nil, err // the reader takes the connection out again
	}
	defer end()
	reading := time.Now()
	if err := c.meetFellows(ctx); err != nil {
		return nil, err
	}
	welcome, from, first, err := c.welcome(ctx, h)
	if err != nil {
		return nil, err
	}
	s.phase("read", reading)
	c.charge(len(first) + len(welcome.Objects) + len(welcome.Calls))
	until := c.acceptToken(identity)
	welcome.TokenMS = until.Milliseconds()
	c.begin(from, result(&id, welcome))
	s.beginSession(c)
	return first, nil
}

const maxDeviceName = 128

func properID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// acceptToken notes when the token was issued and until when it is good, and begins the
// pings at hello. It returns how long the token is good.
func (c *connection) acceptToken(id auth.Identity) time.Duration {
	c.issuedAt.Store(id.IssuedAt.UnixNano())
	// A token within the leeway of its end is accepted; it must not close at once.
	left := max(time.Until(id.Expires), minTokenTime)
	c.liveness.tokenGood(left)
	return left
}

// minTokenTime is how long a token that was accepted is good at least.
const minTokenTime = 5 * time.Second

// welcome reads where the user stands. The connection has joined already, so nothing that
// is committed from now on is missed. The connection begins to read the log after from; first
// are the events that it finds there.
func (c *connection) welcome(ctx context.Context, h wire.Hello) (w wire.Welcome, from int64, first []chat.Event, err error) {
	s, user := c.server, c.tab.User
	w = wire.Welcome{
		User: c.profile, Tab: h.Tab, Server: s.version, Epoch: s.chat.Epoch(),
		ICEServers: list(s.iceServers(user)), Limits: s.wireLimits,
		PingMS: seconds(s.cfg.PingSeconds).Milliseconds(), ServerTime: time.Now().UnixMilli(),
	}
	if w.Offset, err = s.chat.Offset(ctx, user); err != nil {
		return w, 0, nil, err
	}
	from = w.Offset
	if h.Resume != nil && h.Resume.Epoch == w.Epoch {
		if first, w.Recovered, err = s.chat.EventsAfter(ctx, user, h.Resume.Offset, logPage); err != nil {
			return w, 0, nil, err
		}
		if w.Recovered {
			from = h.Resume.Offset
		}
	}
	if w.Accepted, err = c.chat.Accepted(ctx, user, h.Pending); err != nil {
		return w, 0, nil, err
	}
	if c.mayUse(wire.MethodUserObjectGet) == nil {
		if w.Objects, err = s.chat.Objects(ctx, user); err != nil {
			return w, 0, nil, err
		}
	}
	if s.calls != nil {
		if w.Calls, err = s.calls.Live(ctx, c.asker()); err != nil {
			return w, 0, nil, err
		}
	}
	w.Accepted, w.Objects, w.Calls = list(w.Accepted), list(w.Objects), list(w.Calls)
	return w, from, first, nil
}

// begin sends the welcome. Whatever the tab is told by others comes after it.
func (c *connection) begin(from int64, welcome *frame) {
	p := &c.position
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cursor.start(from)
	c.push(welcome, durable, "")
}

// synced is sent when everything missed has been sent.
func (c *connection) synced(offset int64) *frame {
	yes := true
	c.server.command(c.tab.User, command{Tab: c.tab.TabID, Session: c.tab.Session, Synced: &yes})
	return notification(wire.NoteSynced, wire.Synced{Offset: offset})
}

func (s *Server) phase(name string, since time.Time) {
	s.metrics.hello.WithLabelValues(name).Observe(time.Since(since).Seconds())
}

// verify looks at a token, for which its address has been charged an attempt. That is given
// back if the token is good, or if the fault is ours.
func (c *connection) verify(ctx context.Context, token string, now time.Time) (auth.Identity, error) {
	identity, err := c.server.verify(ctx, token)
	if _, refused := refusal.Of(err); err == nil || !refused {
		c.server.attempts.Give(c.stranger(), 1, now)
	}
	return identity, err
}

// stranger is who pays for what the connection does before it is known whose it is.
func (c *connection) stranger() limit.Payer { return limit.Payer{Address: c.payer.Address} }

// renewToken keeps a tab signed in beyond its first token. If the new one allows something
// else, the tab has to come back: what it was sent so far, and what it holds, was for the
// old one.
func (c *connection) renewToken(ctx context.Context, p wire.TokenRenew) (renewed wire.TokenRenewed, after func(), _ error) {
	now := time.Now()
	if err := c.server.attempts.Take(c.stranger(), 1, now); err != nil {
		return renewed, nil, err
	}
	identity, err := c.verify(ctx, p.Token, now)
	if err != nil {
		return renewed, nil, err
	}
	if identity.User != c.tab.User {
		return renewed, nil, refusal.New(refusal.TokenOtherUser, "This token is for another user. Open a new connection for them.")
	}
	renewed.TokenMS = c.acceptToken(identity).Milliseconds()
	c.server.command(c.tab.User, command{Tab: c.tab.TabID, Session: c.tab.Session, Scope: identity.Scope, Renewed: c.liveness.tokenEnd()})
	if !identity.Scope.Equal(c.scope) {
		after = func() { c.close(wire.CloseShutdown, "0") }
	}
	return renewed, after, nil
}
