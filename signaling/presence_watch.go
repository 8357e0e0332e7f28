package signaling

import (
	"context"
	"maps"
	"slices"
	"time"

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

const (
	// Whoever watches is told at most so often, with all that changed meanwhile.
	presenceEvery = 2 * time.Second
	// A user may have thousands of watchers. So many are told at once, and then others come first.
	toldAtOnce = 200
	tellPause  = 10 * time.Millisecond
)

// Keys of mergeable notifications of which the newest replaces those that still wait for a slow
// tab.
const (
	presenceKey = "p\x00" // and the user
	profileKey  = "u\x00" // and the user
)

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
	states := c.server.presence.show(c, visible)
	if err := c.server.presence.addLastSeen(ctx, states); err != nil {
		return none, err
	}
	return wire.PresenceList{Users: states}, nil
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

func (p *presence) unwatch(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwatchLocked(c)
}

func (p *presence) unwatchLocked(c *connection) {
	for _, user := range p.watching[c] {
		p.watches[user][c].shown = false // of what is on its way it is told nothing more
		delete(p.watches[user], c)
		if len(p.watches[user]) == 0 {
			delete(p.watches, user)
			delete(p.guests, user)
		}
	}
	delete(p.watching, c)
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

// contactChanged looks again whether the connection may see a user, who has added or removed its
// own user as a contact.
func (p *presence) contactChanged(c *connection, user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookAgainLocked(c, []string{user})
}

// membershipChanged looks again whom a user may see who has joined a conversation, or left it.
func (p *presence) membershipChanged(user string, left bool) {
	u := p.server.localUser(user)
	if u == nil {
		return
	}
	for _, c := range u.all() {
		if left {
			p.lookAgainAtAll(c)
		} else {
			p.lookAgainInVain(c)
		}
	}
}

// wrote looks again at the sender of a message in a direct conversation: to whom somebody writes
// may see them.
func (p *presence) wrote(sender, to string) {
	u := p.server.localUser(to)
	if u == nil {
		return
	}
	for _, c := range u.all() {
		p.lookAgainInVain(c, sender)
	}
}

// memberChanged looks again whether the members of a group may see one who has joined it or left.
func (p *presence) memberChanged(user string, isMember func(user string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.watches[user] {
		if isMember(c.tab.User) {
			p.lookAgainLocked(c, []string{user})
		}
	}
}

// lookAgainInVain looks whether the connection may now see those of the users whom it watches in
// vain; of all whom it watches if none are named.
func (p *presence) lookAgainInVain(c *connection, users ...string) {
	if !c.watchesInVain.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(users) == 0 {
		users = p.watching[c]
	}
	p.lookAgainLocked(c, slices.DeleteFunc(slices.Clone(users), func(user string) bool {
		w := p.watches[user][c]
		return w == nil || w.shown
	}))
}

// lookAgainAtAll looks at all whom the connection watches.
func (p *presence) lookAgainAtAll(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookAgainLocked(c, p.watching[c])
}

// lookAgainLocked looks whether the connection may still see those of the users whom it watches,
// or may see them now. Until that is known it is told nothing of them. It does not wait.
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

// look asks chat whom the connection may see, and tells how they are. Who may no longer be seen
// is offline from now on, as one who is never here.
func (p *presence) look(c *connection, looks map[string]int) {
	ctx, cancel := p.server.timeout(requestTime)
	defer cancel()
	visible, err := c.chat.Present(ctx, c.tab.User, slices.Collect(maps.Keys(looks)))
	profiles, ids := map[string]chat.User{}, []string{}
	for _, u := range visible {
		profiles[u.ID], ids = u, append(ids, u.ID)
	}
	var seen map[string]int64
	if err == nil && len(ids) > 0 {
		seen, err = p.server.chat.LastSeen(ctx, ids)
	}
	if err != nil {
		c.log.Error("look who may be seen", "err", err) // and nobody is
		clear(profiles)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for user, look := range looks {
		w := p.watches[user][c]
		if w == nil || w.looks != look {
			continue
		}
		u, may := profiles[user]
		known := w.known
		if may {
			one := p.showLocked(w, u)
			if one.State == wire.Offline {
				one.LastSeen = max(one.LastSeen, seen[user])
			}
			c.push(notification(wire.NotePresence, one), mergeable, presenceKey+user)
			if !known { // the tab may have had no more than the id
				c.push(notification(wire.NoteProfile, u), mergeable, profileKey+user)
			}
			continue
		}
		w.known = false
		c.watchesInVain.Store(true)
		if known {
			c.push(notification(wire.NotePresence, wire.Presence{User: user, State: wire.Offline}), mergeable, presenceKey+user)
		}
	}
}

// changedLocked tells those who watch the user soon.
func (p *presence) changedLocked(user string) {
	if len(p.watches[user]) == 0 {
		return
	}
	p.dirty[user] = true
	p.tellSoonLocked()
}

// profileLocked tells those who watch the user soon of their name and picture. Who watches in vain
// may see the user now: one who has signed in for the first time was nobody before.
func (p *presence) profileLocked(u chat.User) {
	watches := p.watches[u.ID]
	if len(watches) == 0 {
		return
	}
	for c, w := range watches {
		if !w.shown {
			p.lookAgainLocked(c, []string{u.ID})
		}
	}
	p.profiles[u.ID] = u
	p.tellSoonLocked()
}

func (p *presence) tellSoonLocked() {
	if p.telling {
		return
	}
	p.telling = true
	wait := time.Until(p.toldAt.Add(presenceEvery))
	time.AfterFunc(max(wait, 0), func() { p.server.run(p.tellWatchers) })
}

// tellWatchers tells whoever watches a user that has changed, and may see them. What it costs
// others is bounded: it runs once in two seconds, and after some watchers it lets others come
// first.
func (p *presence) tellWatchers() {
	all := p.takeUpdates()
	for len(all) > 0 {
		n := min(toldAtOnce, len(all))
		p.pushUpdates(all[:n])
		if all = all[n:]; len(all) > 0 {
			p.server.pause(tellPause)
		}
	}
	p.lookAgainAtChanged()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.telling = false
	if len(p.dirty)+len(p.profiles)+len(p.audience) > 0 {
		p.tellSoonLocked()
	}
}

// lookAgainAtChanged looks again whether those who watch a user may see them who has changed to whom
// they show when they are here.
func (p *presence) lookAgainAtChanged() {
	p.mu.Lock()
	var all []*connection
	var whose []string
	for user := range p.audience {
		for c := range p.watches[user] {
			all, whose = append(all, c), append(whose, user)
		}
	}
	clear(p.audience)
	p.mu.Unlock()
	for i, c := range all {
		if i > 0 && i%toldAtOnce == 0 {
			p.server.pause(tellPause)
		}
		p.mu.Lock()
		p.lookAgainLocked(c, []string{whose[i]})
		p.mu.Unlock()
	}
}

// updates are what one watcher is told.
type updates struct {
	to  *connection
	all []update
}

// update is what a watcher is told of one user, unless it is looked at the watch again before.
type update struct {
	watch *watch
	looks int
	item  item
}

func (p *presence) takeUpdates() []updates {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toldAt = time.Now()
	byWatcher := map[*connection]int{}
	var all []updates
	add := func(user, key string, f *frame) {
		f.shared = true
		for c, w := range p.watches[user] {
			if !w.shown {
				continue
			}
			i, found := byWatcher[c]
			if !found {
				i = len(all)
				byWatcher[c] = i
				all = append(all, updates{to: c})
			}
			all[i].all = append(all[i].all, update{w, w.looks, item{frame: f, class: mergeable, key: key + user}})
		}
	}
	for user := range p.dirty {
		add(user, presenceKey, notification(wire.NotePresence, p.ofLocked(user)))
	}
	for user, profile := range p.profiles {
		add(user, profileKey, notification(wire.NoteProfile, profile))
	}
	clear(p.dirty)
	clear(p.profiles)
	return all
}

// pushUpdates tells some watchers what they may still see. Pushing does not wait.
func (p *presence) pushUpdates(some []updates) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range some {
		for _, s := range one.all {
			if s.watch.shown && s.watch.looks == s.looks {
				one.to.out.push(s.item)
			}
		}
	}
}
