package signaling

import (
	"cmp"
	"context"
	"sync"
	"time"

	"carillon/wire"
)

// presence knows which users are online, on all nodes. Each node publishes its own users
// when they change, and a heartbeat with the number of its changes; a node that missed one
// reads all users of the other again. It is a cache, and the only one that holds other
// nodes' users: a node that is silent for three heartbeats is forgotten, and its users with it.
type presence struct {
	server *Server

	mu      sync.Mutex                    // taken before those of the server, a user and outgoing
	own     map[string]wire.PresenceState // of users with a tab here
	changes int64                         // of own, published so far
	nodes   map[string]*nodeView          // this one too
	seen    map[string]int64              // when users who are offline were last here, unix ms
	timers  map[string]*time.Timer        // of users whose last tab has just gone: they are offline if none is back when it runs
	closed  bool

	// See presence_watch.go.
	watches  map[string]map[*connection]*watch // of each user
	guests   map[string]bool                   // those among the users with watches who are guests, as far as somebody may see them
	watching map[*connection][]string          // the users whom each connection watches
}

const (
	presenceSubject = "presence"
	usersPage       = 2000    // users in one answer about all of a node
	maxSeen         = 100_000 // users whose last time is remembered
)

func newPresence(s *Server) *presence {
	return &presence{
		server: s,
		own:    map[string]wire.PresenceState{}, nodes: map[string]*nodeView{}, seen: map[string]int64{},
		timers: map[string]*time.Timer{}, watches: map[string]map[*connection]*watch{}, guests: map[string]bool{}, watching: map[*connection][]string{},
	}
}

// state is the best of the user's tabs here.
func (u *localUser) state() wire.PresenceState {
	best := wire.Offline
	for _, c := range u.all() {
		switch {
		case c.channel || c.out.isClosed():
		case !c.away.Load():
			return wire.Online
		default:
			best = wire.Away
		}
	}
	return best
}

// changed looks at a user's tabs here and publishes what is new. Going offline waits a
// moment, so that nobody sees a reload. Of two changes at once the one that looks last
// publishes last, because both happen under the lock.
func (p *presence) changed(u *localUser) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state := u.state(); state != wire.Offline {
		p.setLocked(u.id, state)
		return
	}
	if p.own[u.id] == "" || p.timers[u.id] != nil || p.closed {
		return
	}
	p.timers[u.id] = time.AfterFunc(milliseconds(p.server.cfg.OfflineMS), func() { p.settle(u.id) })
}

// settle publishes how the user is now that the time of a reload has passed.
func (p *presence) settle(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.timers, user)
	state := wire.Offline
	if u := p.server.localUser(user); u != nil {
		state = u.state()
	}
	p.setLocked(user, state)
}

func (p *presence) setLocked(user string, state wire.PresenceState) {
	if p.closed || cmp.Or(p.own[user], wire.Offline) == state {
		return
	}
	if state == wire.Offline {
		delete(p.own, user)
	} else {
		p.own[user] = state
	}
	p.server.metrics.users.Set(float64(len(p.own)))
	p.changes++
	one := wire.Presence{User: user, State: state}
	if state == wire.Offline {
		one.LastSeen = time.Now().UnixMilli()
	}
	p.publishLocked(report{Node: p.server.node, Changes: p.changes, Users: []wire.Presence{one}})
}

// stop ends all changes: the tabs that leave now come back on another node, or on this one
// after a restart.
func (p *presence) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, t := range p.timers {
		t.Stop()
	}
}

func (p *presence) noteSeenLocked(user string, at int64) {
	if len(p.seen) >= maxSeen {
		clear(p.seen)
	}
	p.seen[user] = max(p.seen[user], at)
}

// ofLocked is the best of the user's nodes.
func (p *presence) ofLocked(user string) wire.Presence {
	state := wire.Offline
	for _, n := range p.nodes {
		switch n.users[user] {
		case wire.Online:
			return wire.Presence{User: user, Guest: p.guests[user], State: wire.Online}
		case wire.Away:
			state = wire.Away
		}
	}
	one := wire.Presence{User: user, Guest: p.guests[user], State: state}
	if state == wire.Offline {
		one.LastSeen = p.seen[user]
	}
	return one
}

// tellLocked tells who watches the user and may see them. Pushing does not wait.
func (p *presence) tellLocked(user string) {
	watches := p.watches[user]
	if len(watches) == 0 {
		return
	}
	f := notification(wire.NotePresence, p.ofLocked(user))
	f.shared = len(watches) > 1
	for c, w := range watches {
		if w.shown {
			c.push(f, mergeable, presenceKey(user))
		}
	}
}

// presenceKey makes the newest presence of a user replace those that still wait for a slow tab.
func presenceKey(user string) string { return "p\x00" + user }

// activity says whether a person is at this tab.
func (c *connection) activity(_ context.Context, a wire.Activity) error {
	c.away.Store(a.Away)
	c.server.presence.changed(c.user)
	return nil
}
