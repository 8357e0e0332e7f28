package signaling

import (
	"context"
	"slices"
	"sync"
	"time"

	"carillon/bus"
	"carillon/refusal"
	"carillon/wire"
)

// hub is one user on this node, as long as they have a link here. It listens to the
// user's subject for all of them.
type hub struct {
	// Fixed at construction.
	server *Server
	user   string
	open   sync.Once
	sub    *bus.Subscription // set by open
	err    error             // set by open

	// Owned by the server, under its mu.
	uses int

	mu      sync.Mutex
	links   []*link // replaced, never edited
	telling bool    // who listed the sessions will be told of changes soon
}

// join puts the link into its user's hub. When it returns, every notice published from
// now on reaches the link.
func (s *Server) join(l *link) error {
	user := l.tab.User
	s.mu.Lock()
	h := s.users[user]
	if h == nil {
		h = &hub{server: s, user: user}
		s.users[user] = h
	}
	h.uses++
	s.mu.Unlock()

	h.open.Do(func() {
		if h.sub, h.err = s.bus.Subscribe(subject(user), h.receive); h.err == nil {
			// All tabs of the user wait for this one, so no single request may end it; the bus
			// bounds it.
			h.err = s.bus.Flush(context.Background())
		}
	})
	if h.err != nil {
		s.release(h)
		return h.err
	}
	if err := h.add(l); err != nil {
		s.release(h)
		return err
	}
	l.hub = h
	return nil
}

func (h *hub) add(l *link) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	links := slices.Clone(h.links)
	if !l.channel {
		links = slices.DeleteFunc(links, func(old *link) bool { return !old.channel && old.replaceBy(l) })
	}
	if len(links) >= h.server.cfg.TabsPerUser {
		return refusal.New(refusal.TooManyTabs, "You have %d tabs open. Close some.", len(links))
	}
	h.links = append(links, l)
	return nil
}

// replaceBy ends an older link of the same tab: the page has a new connection, and who
// speaks for a tab must be one. The newest wins, for the older is most often a dead one
// whose end has not been noticed yet.
func (l *link) replaceBy(newer *link) bool {
	if l.tab.Tab != newer.tab.Tab {
		return false
	}
	l.mu.Lock()
	l.replaced = true
	l.closeLocked(wire.CloseReplaced, "this tab has connected again")
	l.mu.Unlock()
	return true
}

// leave takes a link out of its hub.
func (s *Server) leave(l *link) {
	h := l.hub
	h.mu.Lock()
	h.links = slices.DeleteFunc(slices.Clone(h.links), func(other *link) bool { return other == l })
	h.mu.Unlock()
	s.release(h)
}

func (s *Server) release(h *hub) {
	s.mu.Lock()
	h.uses--
	last := h.uses == 0
	if last {
		delete(s.users, h.user)
	}
	s.mu.Unlock()
	if last && h.sub != nil {
		h.sub.Close()
	}
}

// all links of the user on this node. The slice must not be changed.
func (h *hub) all() []*link {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.links
}

func (s *Server) hubs() []*hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	hubs := make([]*hub, 0, len(s.users))
	for _, h := range s.users {
		hubs = append(hubs, h)
	}
	return hubs
}

func (s *Server) hubOf(user string) *hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[user]
}

// obey does what another node, or this one, ordered for the user's tabs.
func (h *hub) obey(c command) {
	if c.Greeted > 0 || c.Synced != nil && !*c.Synced {
		h.sessionsChanged()
	}
	for _, l := range h.all() {
		mine := l.tab.Tab == c.Tab
		switch {
		case c.SignOut:
			l.signOut(c)
		case mine && c.Greeted > 0 && !l.channel:
			if l.tab.Session != c.Session && l.since.UnixNano() < c.Greeted {
				l.mu.Lock()
				l.replaced = true
				l.closeLocked(wire.CloseReplaced, "this tab has connected again")
				l.mu.Unlock()
			}
		case mine && c.Leg != "" && !l.channel:
			l.holdLeg(c.Leg, !c.Ended)
		case mine && c.Synced != nil && l.channel:
			l.substitute(!*c.Synced, c.Acked)
		}
	}
}

// holdLeg makes pings quicker while the tab holds a leg: its death must be noticed soon.
func (l *link) holdLeg(id string, holds bool) {
	cfg := l.server.cfg
	l.change(func(v *vitals, now time.Time) {
		before := len(l.legs)
		l.legs = slices.DeleteFunc(l.legs, func(held string) bool { return held == id })
		if holds {
			l.legs = append(l.legs, id)
		}
		switch after := len(l.legs); {
		case before == 0 && after > 0:
			v.pace(now, seconds(cfg.LegPingSeconds), seconds(cfg.LegPingSeconds))
		case before > 0 && after == 0:
			v.pace(now, seconds(cfg.PingSeconds), seconds(cfg.PongSeconds))
		}
	})
}

// substitute makes a data channel carry the durable events while its tab's socket does
// not, beginning after what the tab said it has stored.
func (l *link) substitute(on bool, acked int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on == (l.follow.phase != muted) || l.closed {
		return
	}
	if !on {
		l.follow.phase = muted
		return
	}
	// What came since then on the socket may come again; the client drops what it has. What
	// was on its way when the socket broke must not be missing.
	l.follow.start(acked)
	l.server.work.Go(func() { l.catchUp(nil, nil) })
}
