package signaling

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/wire"
)

// hello makes a connection a tab: whose it is, what it has, what it missed. Nothing else of the
// tab is looked at before. It runs beside the reader, which waits for it: so the stack that it
// takes is gone when the tab is idle.
//
//	hello → verify the token → wait for its turn
//	      → join the user's connections (from now on changes are remembered)
//	      → compare what the tab has with what there is → welcome → changes are passed on
//	      → pages of what was missed → synced
func (c *connection) hello(id int64, data json.RawMessage, now time.Time) bool {
	if c.user != nil || c.channel {
		return c.refuseGarbage(&id, refusal.New(refusal.HelloAgain, "This connection has said hello already."), now)
	}
	c.liveness.heardHello()
	done := make(chan struct{})
	c.server.work.Go(func() { c.answerHello(id, data, now, done) })
	<-done
	return !c.out.isClosed()
}

// answerHello closes done when the reader may go on, and then sends what follows the welcome.
func (c *connection) answerHello(id int64, data json.RawMessage, now time.Time, done chan<- struct{}) {
	ctx, cancel := c.server.timeout(requestTime)
	defer cancel()
	turn := &turn{connection: c}
	defer turn.end()
	follow, err := c.greet(ctx, turn, id, data, now)
	if err != nil {
		refused, known := refusal.Of(err)
		if !known {
			c.log.Error("hello", "err", err)
		}
		c.refuse(&id, refused)
		c.close(closeCode(refused.Code), closeReason(refused))
		close(done)
		return
	}
	close(done)
	follow()
}

// closeCode tells the client whether to come back after a refused hello.
func closeCode(c refusal.Code) int {
	switch c {
	case refusal.TokenExpired, refusal.TokenNotYet: // a clock that is wrong will be set right
		return wire.CloseTokenExpired
	case refusal.TokenMissing, refusal.TokenMalformed, refusal.TokenWrongKey, refusal.BadRequest, refusal.TooLarge:
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

// greet answers hello with the welcome, or returns why not. What is to follow it is left to do.
func (c *connection) greet(ctx context.Context, turn *turn, id int64, data json.RawMessage, now time.Time) (follow func(), _ error) {
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
	things := len(h.Pending)
	if h.Resume != nil {
		things += len(h.Resume.Feeds)
	}
	if err := s.limits.hellos.Take(payer, 1+things/thingsPerRequest, now); err != nil {
		return nil, err
	}
	ctx = limit.PaidBy(ctx, payer)
	c.payer = payer
	waiting := time.Now()
	if err := turn.beginSoon(ctx); err != nil {
		return nil, err
	}
	s.phase("wait", waiting)
	user, changed, err := s.chat.Seen(ctx, chat.User{ID: identity.User, Name: identity.Name, Picture: identity.Picture, Guest: identity.Guest})
	if err != nil {
		return nil, err
	}
	c.profile = user
	c.scope, c.chat = identity.Scope, s.chat.Within(identity.Scope.Conversations)
	c.tab = call.Tab{User: user.ID, Session: rand.Text(), Since: c.since.UnixNano(), Where: call.Where{TabID: h.Tab, Device: h.Device, DeviceName: h.DeviceName}}
	c.log = c.log.With("user", user.ID, "tab", h.Tab)

	c.token.Store(&identity) // first: a sign-out of older tokens, which may come late, is not for this one
	joining := time.Now()
	if err := s.join(c); err != nil {
		return nil, err
	}
	s.phase("join", joining)
	if s.calls != nil {
		s.calls.TabBack(c.tab)
	}
	reading := time.Now()
	welcome, resumption, err := c.welcome(ctx, h)
	if err != nil {
		return nil, err // the reader takes the connection out again
	}
	s.phase("read", reading)
	until := c.acceptToken(identity)
	welcome.TokenMS = until.Milliseconds()
	c.liveness.beginPings()
	c.begin(result(&id, welcome))
	s.beginSession(c)
	if changed {
		s.presence.profileChanged(user)
	}
	return func() { c.sendGreeting(turn, resumption, resumeFrom(h.Resume, resumption), since(h.Resume)) }, nil
}

// resumeFrom is after which pos the user's own feed is sent.
func resumeFrom(have *wire.Resume, r chat.Resumption) int64 {
	if have == nil || !r.Resumed || slices.Contains(r.Diverged, chat.OwnFeed) {
		return 0
	}
	return have.Feeds[chat.OwnFeed].Pos
}

func since(have *wire.Resume) int64 {
	if have == nil {
		return 0
	}
	return have.At
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

// acceptToken notes when the token was issued and until when it is good. It returns how long the
// token is good.
func (c *connection) acceptToken(id auth.Identity) time.Duration {
	c.token.Store(&id)
	// A token within the leeway of its end is accepted; it must not close at once.
	left := max(time.Until(id.Expires), minTokenTime)
	c.liveness.tokenGood(left)
	return left
}

// minTokenTime is how long a token that was accepted is good at least.
const minTokenTime = 5 * time.Second

// welcome compares what the tab has with what there is. The connection has joined already, so
// nothing that is committed from now on is missed.
func (c *connection) welcome(ctx context.Context, h wire.Hello) (w wire.Welcome, r chat.Resumption, err error) {
	s, user := c.server, c.tab.User
	w = wire.Welcome{
		User: c.profile, Tab: h.Tab, Server: s.version,
		ICEServers: list(s.iceServers(user)), Limits: s.wireLimits,
		PingMS: seconds(s.cfg.PingSeconds).Milliseconds(), ServerTime: time.Now().UnixMilli(),
	}
	have := wire.Resume{}
	if h.Resume != nil {
		have = *h.Resume
	}
	opening, _, _ := strings.Cut(have.Opening, ".")
	if have.Opening != opening+scopeName(c.scope) {
		opening = "" // of another token
	}
	if r, err = c.chat.Resume(ctx, user, opening, have.At, have.Feeds); err != nil {
		return w, r, err
	}
	w.Resumed, w.Diverged = r.Resumed, list(r.Diverged)
	w.Accepted, err = c.chat.Accepted(ctx, user, h.Pending)
	w.Accepted = list(w.Accepted)
	return w, r, err
}

// begin sends the welcome, and that there are changes of which the connection was told meanwhile.
// Whatever the tab is told by others comes after it.
func (c *connection) begin(f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push(f, welcome, "")
	for feed, pos := range c.early {
		c.out.push(item{class: change, key: feed, pos: pos})
	}
	c.phase, c.early = live, nil
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
