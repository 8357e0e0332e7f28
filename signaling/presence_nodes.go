package signaling

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"carillon/bus"
	"carillon/wire"
)

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

// bye takes this node's users along.
func (p *presence) bye() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishLocked(report{Node: p.server.node, Bye: true})
}

// handleReport takes a report of a node, this one too. It runs on a goroutine of the bus.
func (p *presence) handleReport(m bus.Message) {
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

// ask reads all users of a node again.
func (p *presence) ask(node string) {
	ctx, cancel := p.server.timeout(requestTime)
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

// answerWhole gives a part of this node's users to another node.
func (p *presence) answerWhole(m bus.Message) {
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

// nodesOf are the nodes on which the user has a tab.
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
