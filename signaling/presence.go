package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"carillon/bus"
	"carillon/refusal"
	"carillon/signaling/wire"
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

// nodeView is what is known of one node.
type nodeView struct {
	heard   time.Time
	changes int64
	users   map[string]wire.PresenceState
	asking  bool
}

// report is what nodes tell each other: a change, a heartbeat (no users), or a part of the whole.
type report struct {
	Node    string          `json:"node"`
	Changes int64           `json:"changes"`
	Users   []wire.Presence `json:"users,omitempty"`
	More    string          `json:"more,omitempty"` // ask again after this user
	Bye     bool            `json:"bye,omitempty"`
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

// stateOf is the best of the user's tabs here.
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

// publishLocked keeps the order of changes. Publishing does not wait.
func (p *presence) publishLocked(r report) {
	if err := p.server.bus.Publish(presenceSubject, raw(r)); err != nil {
		p.server.log.Warn("publish presence", "err", err)
	}
}

// beat sends a sign of life and forgets nodes that sent none.
func (p *presence) beat(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishLocked(report{Node: p.server.node, Changes: p.changes})
	for id, n := range p.nodes {
		if id != p.server.node && now.Sub(n.heard) > 3*milliseconds(p.server.cfg.HeartbeatMS) {
			p.forgetLocked(id, now)
		}
	}
}

func (p *presence) forgetLocked(id string, now time.Time) {
	n := p.nodes[id]
	delete(p.nodes, id)
	if n == nil {
		return
	}
	for user := range n.users {
		p.noteSeenLocked(user, now.UnixMilli())
		p.tellLocked(user)
	}
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

// bye takes this node's users along.
func (p *presence) bye() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishLocked(report{Node: p.server.node, Bye: true})
}

// heard takes a report of a node, this one too. It runs on a goroutine of the bus.
func (p *presence) heard(m bus.Message) {
	var r report
	if err := json.Unmarshal(m.Data, &r); err != nil {
		p.server.log.Error("read presence", "err", err)
		return
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Bye {
		p.forgetLocked(r.Node, now)
		return
	}
	n := p.nodes[r.Node]
	if n == nil {
		n = &nodeView{users: map[string]wire.PresenceState{}}
		p.nodes[r.Node] = n
		if r.Node != p.server.node && !p.closed {
			p.publishLocked(report{Node: p.server.node, Changes: p.changes}) // it is new: let it know us too
		}
	}
	n.heard = now
	whole := n.changes+int64(len(r.Users)) == r.Changes
	p.applyLocked(n, r.Users)
	if whole {
		n.changes = r.Changes
	} else if n.changes != r.Changes && !n.asking && !p.closed {
		n.asking = true
		p.server.work.Go(func() { p.ask(r.Node) })
	}
}

func (p *presence) applyLocked(n *nodeView, users []wire.Presence) {
	for _, u := range users {
		if u.State == wire.Offline {
			delete(n.users, u.User)
			p.noteSeenLocked(u.User, u.LastSeen)
		} else {
			n.users[u.User] = u.State
		}
		p.tellLocked(u.User)
	}
}

func (p *presence) noteSeenLocked(user string, at int64) {
	if len(p.seen) >= maxSeen {
		clear(p.seen)
	}
	p.seen[user] = max(p.seen[user], at)
}

// ask reads all users of a node again.
func (p *presence) ask(node string) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	var first, last report
	var all []wire.Presence
	for {
		answer, err := p.server.bus.Request(ctx, "node."+node+".presence", []byte(last.More))
		if err == nil {
			last = report{}
			err = json.Unmarshal(answer, &last)
		}
		if err != nil {
			p.server.log.Warn("ask for presence", "node", node, "err", err)
			break
		}
		if all == nil {
			first = last
		}
		all = append(all, last.Users...)
		if last.More == "" {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.nodes[node]
	if n == nil {
		return
	}
	n.asking = false
	if last.Node == "" || last.More != "" {
		return // asked again at the next heartbeat
	}
	old := n.users
	n.users, n.changes = map[string]wire.PresenceState{}, first.Changes
	p.applyLocked(n, all)
	for user := range old {
		if n.users[user] == "" {
			p.noteSeenLocked(user, time.Now().UnixMilli())
			p.tellLocked(user)
		}
	}
}

// answer gives a part of this node's users to another node.
func (p *presence) answer(m bus.Message) {
	p.mu.Lock()
	users := slices.Sorted(maps.Keys(p.own))
	from, found := slices.BinarySearch(users, string(m.Data))
	if found {
		from++
	}
	r := report{Node: p.server.node, Changes: p.changes}
	for _, user := range users[from:min(from+wholePart, len(users))] {
		r.Users = append(r.Users, wire.Presence{User: user, State: p.own[user]})
	}
	if from+wholePart < len(users) {
		r.More = users[from+wholePart-1]
	}
	p.mu.Unlock()
	if err := m.Reply(raw(r)); err != nil {
		p.server.log.Warn("answer presence", "err", err)
	}
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

func (p *presence) nodesOf(user string) (nodes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, n := range p.nodes {
		if n.users[user] != "" {
			nodes = append(nodes, id)
		}
	}
	return nodes
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
func (l *link) presenceWatch(ctx context.Context, q wire.PresenceWatch) (any, error) {
	if len(q.Users) > l.server.cfg.WatchLimit {
		return nil, refusal.New(refusal.TooLarge, "A tab watches at most %d users.", l.server.cfg.WatchLimit)
	}
	var visible []string
	slices.Sort(q.Users)
	for _, user := range slices.Compact(q.Users) {
		_, err := l.server.chat.User(ctx, l.from.User.ID, user)
		if err == nil {
			visible = append(visible, user)
		} else if !refusal.Is(err, refusal.NotFound) {
			return nil, err
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
