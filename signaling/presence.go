package signaling

import (
	"cmp"
	"context"
	"sync"
	"time"

	"carillon/chat"
	"carillon/wire"
)

// presence knows which users are online, on all nodes. Each node publishes its own users
// when they change, and a heartbeat with the number of its changes; a node that missed one
// reads all users of the other again. It is a cache, and the only one that holds other
// nodes' users: a node that is silent for three heartbeats is forgotten, and its users with it.
// When users were last here is stored, some seconds later.
type presence struct {
	server *Server

	mu      sync.Mutex                    // taken before those of the server, a user and outgoing
	own     map[string]wire.PresenceState // of users with a tab here
	changes int64                         // of own, published so far
	nodes   map[string]*nodeView          // this one too
	seen    map[string]int64              // when users who are offline were last here, unix ms
	unsaved map[string]int64              // what of seen is not stored yet
	saving  bool                          // some is being stored
	timers  map[string]*time.Timer        // of users whose last tab has just gone: they are offline if none is back when it runs
	closed  bool

	// See presence_watch.go.
	watches  map[string]map[*connection]*watch // of each user
	watching map[*connection][]string          // the users whom each connection watches
	guests   map[string]bool                   // those among the users with watches who are guests, as far as somebody may see them
	dirty    map[string]bool                   // users whose watchers are to be told how they are
	profiles map[string]chat.User              // of users whose watchers are to be told how they look
	audience map[string]bool                   // users who have changed to whom they show when they are here
	telling  bool                              // watchers are being told, or will be
	toldAt   time.Time                         // when they were last
}

const (
	presenceSubject = "presence"
	usersPage       = 2000    // users in one answer about all of a node
	maxSeen         = 100_000 // users whose last time is remembered
)

func newPresence(s *Server) *presence {
	return &presence{
		server: s,
		own:    map[string]wire.PresenceState{}, nodes: map[string]*nodeView{}, timers: map[string]*time.Timer{},
		seen: map[string]int64{}, unsaved: map[string]int64{},
		watches: map[string]map[*connection]*watch{}, watching: map[*connection][]string{}, guests: map[string]bool{},
		dirty: map[string]bool{}, profiles: map[string]chat.User{}, audience: map[string]bool{},
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
		p.unsaved[user] = one.LastSeen
	}
	p.reportLocked(report{Changes: p.changes, Users: []wire.Presence{one}})
}

// profileChanged tells those who watch a user, on all nodes, of a new name or picture.
func (p *presence) profileChanged(u chat.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reportLocked(report{Changes: p.changes, Profile: &u})
}

// audienceChanged looks again, on all nodes, whether those who watch a user may see them.
func (p *presence) audienceChanged(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reportLocked(report{Changes: p.changes, Audience: user})
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

// addLastSeen says of those who are offline when they were last here, as far as that is stored.
func (p *presence) addLastSeen(ctx context.Context, states []wire.Presence) error {
	var offline []string
	for _, one := range states {
		if one.State == wire.Offline {
			offline = append(offline, one.User)
		}
	}
	if len(offline) == 0 {
		return nil
	}
	stored, err := p.server.chat.LastSeen(ctx, offline)
	if err != nil {
		return err
	}
	for i := range states {
		if one := &states[i]; one.State == wire.Offline {
			one.LastSeen = max(one.LastSeen, stored[one.User])
		}
	}
	return nil
}

// save stores when users were last here. What cannot be stored is tried again the next time.
func (p *presence) save(ctx context.Context) {
	p.mu.Lock()
	at := p.unsaved
	if p.saving || len(at) == 0 {
		p.mu.Unlock()
		return
	}
	p.saving, p.unsaved = true, map[string]int64{}
	p.mu.Unlock()
	err := p.server.chat.SetLastSeen(ctx, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saving = false
	if err == nil {
		return
	}
	p.server.log.Error("store when users were last here", "users", len(at), "err", err)
	for user, ms := range at {
		p.unsaved[user] = max(p.unsaved[user], ms)
	}
}

// activity says whether a person is at this tab.
func (c *connection) activity(_ context.Context, a wire.Activity) error {
	c.away.Store(a.Away)
	c.server.presence.changed(c.user)
	return nil
}
