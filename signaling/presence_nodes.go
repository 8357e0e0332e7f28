package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"carillon/bus"
	"carillon/chat"
	"carillon/wire"
)

// nodeView is what is known of one node.
type nodeView struct {
	heard   time.Time                     // when its last report came
	changes int64                         // of its users, as many as are in users
	users   map[string]wire.PresenceState // who is not offline
	reading bool                          // all its users are being read again
	sought  bool                          // a heartbeat is missing, and somebody asks whether the node is there
}

// report is what a node tells the others: a change, a heartbeat (no users), or, when it is
// asked, a page of all its users.
type report struct {
	Node     string          `json:"node"`
	Changes  int64           `json:"changes"`
	Users    []wire.Presence `json:"users,omitempty"`
	Profile  *chat.User      `json:"profile,omitempty"`  // of a user who has another name or picture now
	Audience string          `json:"audience,omitempty"` // a user who has changed to whom they show when they are here
	More     string          `json:"more,omitempty"`     // there are more: ask for those after this user
	Bye      bool            `json:"bye,omitempty"`      // the node goes down
}

// reportLocked tells this node's tabs, directly, and the other nodes. Publishing does not wait; the
// lock keeps the order of changes.
func (p *presence) reportLocked(r report) {
	r.Node = p.server.node
	p.takeLocked(r, time.Now())
	p.publishLocked(r)
}

func (p *presence) publishLocked(r report) {
	p.server.bus.Publish(presenceSubject, raw(r))
}

// heartbeat tells that this node lives, looks for nodes of which a heartbeat is missing, and forgets
// those that miss three.
func (p *presence) heartbeat(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reportLocked(report{Changes: p.changes})
	beat := milliseconds(p.server.cfg.HeartbeatMS)
	for id, n := range p.nodes {
		switch silent := now.Sub(n.heard); {
		case id == p.server.node:
		case silent > 3*beat:
			p.forgetLocked(id, now)
		case silent > beat+beat/2 && !n.sought:
			n.sought = p.server.run(func() { p.seek(id, n) })
		}
	}
}

// seek asks whether a node is there. One that is not may have died between a commit and what it was to
// tell of that: a sweep finds it now, and not in half a minute.
func (p *presence) seek(node string, n *nodeView) {
	ctx, cancel := p.server.timeout(requestTime)
	defer cancel()
	_, err := p.server.bus.Request(ctx, "node."+node+".presence", nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	n.sought = false
	if errors.Is(err, bus.ErrNoResponders) && p.nodes[node] == n {
		p.forgetLocked(node, time.Now())
		p.server.sweepSoon()
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
		p.unsaved[user] = max(p.unsaved[user], now.UnixMilli()) // its node may have had no time to
		p.changedLocked(user)
	}
}

// leave tells the others that this node goes down, and its users with it, and stores that they
// were here until now.
func (p *presence) leave() {
	p.mu.Lock()
	p.publishLocked(report{Node: p.server.node, Bye: true})
	now := time.Now().UnixMilli()
	for user := range p.own {
		p.unsaved[user] = now
	}
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	p.save(ctx)
}

// saveTime is how long a server that closes waits for the last of it to be stored.
const saveTime = 2 * time.Second

// handleReport takes a report of another node. It runs on a goroutine of the bus.
func (p *presence) handleReport(m bus.Message) {
	var r report
	if err := json.Unmarshal(m.Data, &r); err != nil {
		p.server.log.Error("read presence", "err", err)
		return
	}
	if r.Node == p.server.node {
		return // it was taken directly
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeLocked(r, time.Now())
}

func (p *presence) takeLocked(r report, now time.Time) {
	if r.Bye {
		p.forgetLocked(r.Node, now)
		return
	}
	if r.Profile != nil {
		p.profileLocked(*r.Profile)
	}
	if r.Audience != "" && len(p.watches[r.Audience]) > 0 {
		p.audience[r.Audience] = true
		p.tellSoonLocked()
	}
	n := p.nodes[r.Node]
	if n == nil {
		n = &nodeView{users: map[string]wire.PresenceState{}}
		p.nodes[r.Node] = n
		if r.Node != p.server.node && !p.closed {
			p.publishLocked(report{Node: p.server.node, Changes: p.changes}) // it is new, and learns of this node by that
		}
	}
	n.heard = now
	whole := n.changes+int64(len(r.Users)) == r.Changes
	p.applyLocked(n, r.Users)
	if whole {
		n.changes = r.Changes
	} else if n.changes != r.Changes && !n.reading && !p.closed {
		n.reading = true
		p.server.work.Go(func() { p.readNode(r.Node) })
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
		p.changedLocked(u.User)
	}
}

// readNode reads all users of a node again, page by page.
func (p *presence) readNode(node string) {
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
			p.server.log.Warn("read presence of a node", "node", node, "err", err)
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
	n.reading = false
	if last.Node == "" || last.More != "" {
		return // the next heartbeat shows that something is missing
	}
	old := n.users
	n.users, n.changes = map[string]wire.PresenceState{}, first.Changes
	p.applyLocked(n, all)
	for user := range old {
		if n.users[user] == "" {
			p.noteSeenLocked(user, time.Now().UnixMilli())
			p.changedLocked(user)
		}
	}
}

// answerPage gives another node a page of this node's users: those after the one it names.
func (p *presence) answerPage(m bus.Message) {
	p.mu.Lock()
	users := slices.Sorted(maps.Keys(p.own))
	from, found := slices.BinarySearch(users, string(m.Data))
	if found {
		from++
	}
	r := report{Node: p.server.node, Changes: p.changes}
	for _, user := range users[from:min(from+usersPage, len(users))] {
		r.Users = append(r.Users, wire.Presence{User: user, State: p.own[user]})
	}
	if from+usersPage < len(users) {
		r.More = users[from+usersPage-1]
	}
	p.mu.Unlock()
	if err := m.Reply(raw(r)); err != nil {
		p.server.log.Warn("answer presence", "err", err)
	}
}

// nodesOf returns the nodes on which the user has a tab.
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
