package signaling

import (
	"context"
	"slices"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// watch is one user of whom a connection asked to be told. Whether it is told is decided by
// chat: see the sight of one user by another there. It is looked at again whenever that may
// have changed.
type watch struct {
	shown bool // the connection's user may see the presence of the other, and is told
	known bool // the connection was told how the other is, and takes that for true
	looks int  // how often was looked whether it may be shown; only the last look that began decides
}

// presenceWatch answers how those whom the user may see are now; others are left out.
func (c *connection) presenceWatch(ctx context.Context, q wire.PresenceWatch) (none wire.PresenceList, _ error) {
	if len(q.Users) > c.server.cfg.WatchLimit {
		return none, refusal.New(refusal.TooLarge, "A tab watches at most %d users.", c.server.cfg.WatchLimit)
	}
	if err := c.spend(len(q.Users)); err != nil {
		return none, err
	}
	slices.Sort(q.Users)
	users := slices.Compact(q.Users)
	// They are watched before it is looked who may be seen: so what changes meanwhile is noticed.
	c.server.presence.watch(c, users)
	visible, err := c.chat.Present(ctx, c.tab.User, users)
	if err != nil {
		return none, err
	}
	return wire.PresenceList{Users: list(c.server.presence.show(c, visible))}, nil
}

// watch replaces what the connection watches. Of these users it is told nothing yet.
func (p *presence) watch(c *connection, users []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwatchLocked(c)
	select {
	case <-c.done:
		return // it has gone, and nothing would end its watching
	default:
	}
	for _, user := range users {
		if p.watches[user] == nil {
			p.watches[user] = map[*connection]*watch{}
		}
		p.watches[user][c] = &watch{}
	}
	if len(users) > 0 {
		p.watching[c] = users
	}
	c.watchesInVain.Store(len(users) > 0)
}

// show begins to tell the connection of those whom it watches and may see, and returns how they
// are. Who is looked at again since then is left out: that look tells.
func (p *presence) show(c *connection, visible []chat.User) []wire.Presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make([]wire.Presence, 0, len(visible))
	for _, u := range visible {
		if w := p.watches[u.ID][c]; w != nil && w.looks == 0 {
			states = append(states, p.showLocked(w, u))
		}
	}
	c.watchesInVain.Store(len(states) < len(p.watching[c]))
	return states
}

func (p *presence) showLocked(w *watch, u chat.User) wire.Presence {
	w.shown, w.known = true, true
	if u.Guest {
		p.guests[u.ID] = true
	}
	return p.ofLocked(u.ID)
}

// lookAgain looks whether the connection may still see those of the users whom it watches, or
// may see them now. Until that is known it is told nothing. It does not wait.
func (p *presence) lookAgain(c *connection, users []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookAgainLocked(c, users)
}

func (p *presence) lookAgainLocked(c *connection, users []string) {
	looks := map[string]int{}
	for _, user := range users {
		if w := p.watches[user][c]; w != nil {
			w.shown = false
			w.looks++
			looks[user] = w.looks
		}
	}
	if len(looks) > 0 {
		// The connection watches, so its reader has not ended: nobody has waited for work to its
		// end yet.
		p.server.work.Go(func() { p.look(c, looks) })
	}
}

// lookAgainAtAll looks at all whom the connection watches.
func (p *presence) lookAgainAtAll(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookAgainLocked(c, p.watching[c])
}

// look asks chat whom the connection may see, and tells how they are. Who may no longer be seen
// is offline from now on, as one who is never here.
func (p *presence) look(c *connection, looks map[string]int) {
	ctx, cancel := p.server.timeout(requestTime)
	defer cancel()
	users := make([]string, 0, len(looks))
	for user := range looks {
		users = append(users, user)
	}
	visible, err := c.chat.Present(ctx, c.tab.User, users)
	if err != nil {
		c.log.Error("look who may be seen", "err", err) // and nobody is
	}
	profiles := map[string]chat.User{}
	for _, u := range visible {
		profiles[u.ID] = u
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for user, look := range looks {
		w := p.watches[user][c]
		if w == nil || w.looks != look {
			continue
		}
		one := wire.Presence{User: user, State: wire.Offline}
		if u, may := profiles[user]; may {
			one = p.showLocked(w, u)
		} else {
			c.watchesInVain.Store(true)
			if !w.known {
				continue
			}
			w.known = false
		}
		c.push(notification(wire.NotePresence, one), mergeable, presenceKey(user))
	}
}

// toldOf is called with an event that goes to the connection's user. Whom it watches in vain it
// may see from now on, if the event tells who somebody is, or who is in a conversation.
func (p *presence) toldOf(c *connection, event []byte) {
	if !c.watchesInVain.Load() {
		return
	}
	n := newsIn(event)
	users := n.members
	if n.user != "" {
		users = append(users, n.user)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookAgainLocked(c, slices.DeleteFunc(users, func(user string) bool {
		w := p.watches[user][c]
		return w == nil || w.shown
	}))
}

func (p *presence) unwatch(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwatchLocked(c)
}

func (p *presence) unwatchLocked(c *connection) {
	for _, user := range p.watching[c] {
		delete(p.watches[user], c)
		if len(p.watches[user]) == 0 {
			delete(p.watches, user)
			delete(p.guests, user)
		}
	}
	delete(p.watching, c)
}
