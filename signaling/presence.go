package signaling

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"carillon/refusal"
	"carillon/wire"
)

// presence is who is here, on all nodes. Each node publishes its own users when they
// change, and a heartbeat with the number of its changes; who missed one asks for the
// whole. It is a cache and the only one of its kind: a node that is silent for three
// heartbeats is forgotten, and its users with it.
type presence struct {
	server *Server

	mu       sync.Mutex
	own      map[string]wire.PresenceState // of users with a tab here
	changes  int64                         // of own, published so far
	nodes    map[string]*nodeView          // this one too
	seen     map[string]int64              // when users who are offline were last here, unix ms
	watchers map[string][]*link
	timers   map[string]*time.Timer // of users whose last tab has just gone
	closed   bool
}

const (
	presenceSubject = "presence"
	wholePart       = 2000    // users in one part of the whole
	maxSeen         = 100_000 // users whose last time is remembered
)

func newPresence(s *Server) *presence {
	return &presence{
		server: s,
		own:    map[string]wire.PresenceState{}, nodes: map[string]*nodeView{}, seen: map[string]int64{},
		watchers: map[string][]*link{}, timers: map[string]*time.Timer{},
	}
}

// state is the best of the user's tabs here.
func (h *hub) state() wire.PresenceState {
	best := wire.Offline
	for _, l := range h.all() {
		if l.channel {
			continue
		}
		l.mu.Lock()
		away, closed := l.away, l.closed
		l.mu.Unlock()
		switch {
		case closed:
		case !away:
			return wire.Online
		default:
			best = wire.Away
		}
	}
	return best
}

// changed looks at a user's tabs here and publishes what is new. Going offline waits a
// moment, so that nobody sees a reload.
func (p *presence) changed(h *hub) {
	if state := h.state(); state != wire.Offline {
		p.set(h.user, state)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own[h.user] == "" || p.timers[h.user] != nil || p.closed {
		return
	}
	p.timers[h.user] = time.AfterFunc(milliseconds(p.server.cfg.OfflineMS), func() {
		p.mu.Lock()
		delete(p.timers, h.user)
		p.mu.Unlock()
		state := wire.Offline
		if again := p.server.hubOf(h.user); again != nil {
			state = again.state()
		}
		p.set(h.user, state)
	})
}

func (p *presence) set(user string, state wire.PresenceState) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
			return wire.Presence{User: user, State: wire.Online}
		case wire.Away:
			state = wire.Away
		}
	}
	one := wire.Presence{User: user, State: state}
	if state == wire.Offline {
		one.LastSeen = p.seen[user]
	}
	return one
}

// tellLocked tells who watches the user. Pushing does not wait.
func (p *presence) tellLocked(user string) {
	links := p.watchers[user]
	if len(links) == 0 {
		return
	}
	f := notification(wire.NotePresence, p.ofLocked(user))
	f.shared = len(links) > 1
	for _, l := range links {
		l.push(f, mergeable, "p\x00"+user)
	}
}

// watch replaces what the link watches.
func (p *presence) watch(l *link, users []string) []wire.Presence {
	p.unwatch(l)
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make([]wire.Presence, 0, len(users))
	for _, user := range users {
		p.watchers[user] = append(p.watchers[user], l)
		states = append(states, p.ofLocked(user))
	}
	l.mu.Lock()
	l.watched = users
	l.mu.Unlock()
	return states
}

func (p *presence) unwatch(l *link) {
	l.mu.Lock()
	users := l.watched
	l.watched = nil
	l.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, user := range users {
		left := slices.DeleteFunc(p.watchers[user], func(other *link) bool { return other == l })
		if len(left) == 0 {
			delete(p.watchers, user)
		} else {
			p.watchers[user] = left
		}
	}
}

// presenceWatch answers how those whom the user may see are now; others are left out.
func (l *link) presenceWatch(ctx context.Context, q wire.PresenceWatch) (none wire.PresenceList, _ error) {
	if len(q.Users) > l.server.cfg.WatchLimit {
		return none, refusal.New(refusal.TooLarge, "A tab watches at most %d users.", l.server.cfg.WatchLimit)
	}
	var visible []string
	slices.Sort(q.Users)
	for _, user := range slices.Compact(q.Users) {
		_, err := l.server.chat.User(ctx, l.tab.User, user)
		if err == nil {
			visible = append(visible, user)
		} else if !refusal.Is(err, refusal.NotFound) {
			return none, err
		}
	}
	return wire.PresenceList{Users: list(l.server.presence.watch(l, visible))}, nil
}

// activity says whether a person is at this tab.
func (l *link) activity(_ context.Context, a wire.Activity) error {
	l.mu.Lock()
	l.away = a.Away
	l.mu.Unlock()
	l.server.presence.changed(l.hub)
	return nil
}
