package signaling

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"sync"

	"carillon/bus"
	"carillon/chat"
	"carillon/limit"
)

// largeGroups are the large conversations (see chat.Head) whose members have tabs here. Such a
// conversation is told once to each node, on a subject of its own, and not to each member. A node
// subscribes to it while a member has a tab there, and knows of its members only those.
//
//	first tab of a user ─ LargeGroups ─┐
//	a membership that changes ─────────┼─ enter: subscribe, read who of these takes part, tell from there
//	a conversation that became large ──┘
//
// Who joins or leaves is an item of the feed, and counts from its place there on: who was removed is
// told nothing that came later.
type largeGroups struct {
	server *Server

	mu      sync.Mutex // taken after that of a feed
	here    map[string]*largeGroup
	waiting map[string]map[string]bool // users whose part in a conversation is to be looked at; nil: that of all here
	looking bool                       // some of waiting are being looked at
}

// largeGroup is one of them on this node.
type largeGroup struct {
	id   string
	feed feed // until it has begun, only how far it was heard to have come is noted

	subscribe    sync.Once
	subscription *bus.Subscription // set by subscribe
	err          error             // set by subscribe

	// Under the mu of largeGroups; changed also under that of the feed.
	members  map[*localUser]int64 // who take part and have a tab here, with the first message that they may see
	version  int64                // of the members, as far as was told
	entering int                  // enter is at work so many times: the group stays
}

// largeSubject is where nodes tell that a conversation has become large: who has heard of it only as
// of a small one would hear nothing any more.
const largeSubject = "large"

func newLargeGroups(s *Server) *largeGroups {
	return &largeGroups{server: s, here: map[string]*largeGroup{}, waiting: map[string]map[string]bool{}}
}

func conversationSubject(id string) string {
	return "conversation." + base64.RawURLEncoding.EncodeToString([]byte(id))
}

// feed returns the feed of a large conversation; nil: no member has a tab here.
func (gs *largeGroups) feed(conversation string) *feed {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if g := gs.here[conversation]; g != nil {
		return &g.feed
	}
	return nil
}

// has reports whether a user takes part who has a tab here.
func (gs *largeGroups) has(conversation, user string) bool {
	u := gs.server.localUser(user)
	gs.mu.Lock()
	defer gs.mu.Unlock()
	g := gs.here[conversation]
	if g == nil || u == nil {
		return false
	}
	_, has := g.members[u]
	return has
}

// tellLarge tells a change of a large conversation: the tabs here, and then each node once.
func (s *Server) tellLarge(t told) {
	n := t.notice
	if !t.remote {
		s.metrics.changes.WithLabelValues(string(t.item.Type)).Inc()
		n = newNotice(t.id.name(), t.item, nil)
		n.version = t.version
	}
	if f := s.large.feed(t.id.conversation); f != nil {
		s.announce(f, n)
	}
	if t.grew {
		s.large.grew(t.id.conversation)
	}
	if t.remote || s.bus.Alone() {
		return
	}
	s.bus.Publish(conversationSubject(t.id.conversation),
		s.pack(envelope{Feed: t.id.conversation, Pos: n.pos, Seq: n.seq, Version: t.version, Sight: n.sight}, n.frame))
	if t.grew {
		s.bus.Publish(largeSubject, s.pack(envelope{Feed: t.id.conversation}, nil))
	}
}

// receive takes a change from another node. It runs on a goroutine of the bus and does not wait.
func (gs *largeGroups) receive(g *largeGroup, m bus.Message) {
	e, f, ok := gs.server.unpack(m)
	if ok && g.feed.hear(e.Pos) {
		gs.server.hand(told{id: g.feed.id, version: e.Version, large: true, remote: true,
			notice: notice{pos: e.Pos, frame: f, seq: e.Seq, sight: e.Sight, version: e.Version}})
	}
}

func (gs *largeGroups) receiveGrew(m bus.Message) {
	if e, _, ok := gs.server.unpack(m); ok {
		gs.grew(e.Feed)
	}
}

func (gs *largeGroups) grew(conversation string) {
	gs.server.readers.forget(conversation)
	gs.lookSoon(conversation, "")
}

// lookSoon looks whether a user who has a tab here takes part in a conversation that is large; an
// empty one stands for all. Most are not large. It does not wait.
func (gs *largeGroups) lookSoon(conversation, user string) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	users, waits := gs.waiting[conversation]
	switch {
	case user == "":
		users = nil
	case !waits:
		users = map[string]bool{user: true}
	case users != nil:
		users[user] = true
	}
	gs.waiting[conversation] = users
	if !gs.looking {
		gs.looking = gs.server.run(gs.look)
	}
}

// look reads what waits, that of all users of a conversation at once.
func (gs *largeGroups) look() {
	for {
		gs.mu.Lock()
		waiting := gs.waiting
		gs.waiting = map[string]map[string]bool{}
		gs.looking = len(waiting) > 0
		gs.mu.Unlock()
		if len(waiting) == 0 {
			return
		}
		for conversation, some := range waiting {
			users := slices.Collect(maps.Keys(some))
			if some == nil {
				users = gs.server.localUserIDs()
			}
			ctx, cancel := gs.server.timeout(requestTime)
			if err := gs.enter(ctx, conversation, users); err != nil {
				gs.server.log.Error("look who takes part in a large group", "conversation", conversation, "err", err) // a sweep does
			}
			cancel()
		}
	}
}

// arrive enters a user, whose first tab here says hello, into their large groups, at the expense of
// whoever has opened it. When it returns,
// all that is committed from now on reaches the tabs of the user.
func (gs *largeGroups) arrive(u *localUser, payer limit.Payer) error {
	ctx, cancel := gs.server.timeout(requestTime)
	defer cancel()
	ctx = limit.PaidBy(ctx, payer)
	conversations, err := gs.server.chat.LargeGroups(ctx, u.id)
	if err != nil {
		return fmt.Errorf("read large groups: %w", err)
	}
	for _, id := range conversations {
		if err := gs.enter(ctx, id, []string{u.id}); err != nil {
			return fmt.Errorf("enter large group: %w", err)
		}
	}
	return nil
}

// leave is called when the last tab of a user here has gone.
func (gs *largeGroups) leave(u *localUser) {
	gs.mu.Lock()
	var empty []*largeGroup
	for id := range u.large {
		g := gs.here[id]
		delete(g.members, u)
		if gs.dropLocked(g) {
			empty = append(empty, g)
		}
	}
	u.large, u.left = nil, true
	gs.mu.Unlock()
	for _, g := range empty {
		g.close()
	}
}

// dropLocked forgets a group of which nobody is here. Who calls it closes the group then.
func (gs *largeGroups) dropLocked(g *largeGroup) bool {
	if len(g.members) > 0 || g.entering > 0 {
		return false
	}
	delete(gs.here, g.id)
	return true
}

func (g *largeGroup) close() {
	if g.subscription != nil {
		g.subscription.Close()
	}
}

// enter reads which of users take part in a conversation, and tells their tabs of it from now on, if
// it is large. Who is a part of it already stays so, or no longer, as it is in the database.
func (gs *largeGroups) enter(ctx context.Context, conversation string, users []string) error {
	readers, h, err := gs.server.chat.ReadersAmong(ctx, conversation, users)
	if err != nil || !h.Large || len(readers) == 0 && gs.feed(conversation) == nil {
		return err
	}
	g := gs.begin(conversation)
	defer gs.end(g)
	g.subscribe.Do(func() {
		if g.subscription, g.err = gs.server.bus.Subscribe(conversationSubject(conversation), func(m bus.Message) { gs.receive(g, m) }); g.err == nil {
			gs.server.settleSubscription(conversation)
		}
	})
	if g.err != nil {
		return g.err
	}
	for {
		if !g.feed.begun() { // others may be here who have not heard that the group is large
			users = gs.server.localUserIDs()
		}
		// What is read after the subscription misses nothing.
		if readers, h, err = gs.server.chat.ReadersAmong(ctx, conversation, users); err != nil {
			return err
		}
		if fresh, current := gs.put(g, users, readers, h); current {
			for _, u := range fresh {
				u.tell(conversation, notice{pos: h.Pos}, false) // who has a tab already, and knows less, asks
			}
			break
		}
	}
	if heard := g.feed.heard.Load(); heard > h.Pos {
		return gs.server.catchUp(&g.feed, notice{pos: heard})
	}
	return nil
}

func (gs *largeGroups) begin(conversation string) *largeGroup {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	g := gs.here[conversation]
	if g == nil {
		g = &largeGroup{id: conversation, members: map[*localUser]int64{}}
		g.feed.id, g.feed.group = feedID{conversation: conversation}, g
		gs.here[conversation] = g
	}
	g.entering++
	return g
}

func (gs *largeGroups) end(g *largeGroup) {
	gs.mu.Lock()
	g.entering--
	empty := gs.dropLocked(g)
	gs.mu.Unlock()
	if empty {
		g.close()
	}
}

// put notes who of users reads the group as of a head, and returns those who are new. It is not
// current when more was told of the members than the head knows.
func (gs *largeGroups) put(g *largeGroup, users []string, readers []chat.Reader, h chat.Head) (fresh []*localUser, current bool) {
	g.feed.mu.Lock()
	defer g.feed.mu.Unlock()
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if g.version > h.Version {
		return nil, false
	}
	if !g.feed.cursor.begun {
		g.feed.cursor = cursor{begun: true, told: h.Pos}
		g.feed.told.Store(h.Pos)
		g.version = h.Version
	}
	from := make(map[string]int64, len(readers))
	for _, r := range readers {
		from[r.User] = r.From
	}
	for _, user := range users {
		seq, reads := from[user]
		if u := gs.setLocked(g, user, reads, seq); u != nil {
			fresh = append(fresh, u)
		}
	}
	return fresh, true
}

// setLocked notes whether a user reads a group, and from which message on. It returns the user if
// they have a tab here and did not read it before.
func (gs *largeGroups) setLocked(g *largeGroup, user string, reads bool, from int64) (fresh *localUser) {
	u := gs.server.localUser(user)
	if u == nil || u.left {
		return nil
	}
	if !reads {
		delete(g.members, u)
		delete(u.large, g.id)
		return nil
	}
	if _, had := g.members[u]; !had {
		fresh = u
	}
	if u.large == nil {
		u.large = map[string]bool{}
	}
	g.members[u], u.large[g.id] = from, true
	return fresh
}

// tellLocked tells the members here of a change, when its turn has come, and returns how many tabs
// they have. The feed is locked.
func (gs *largeGroups) tellLocked(g *largeGroup, n notice) (tabs int) {
	type reader struct {
		user *localUser
		from int64
	}
	gs.mu.Lock()
	if gs.here[g.id] != g {
		gs.mu.Unlock()
		return 0 // nobody is here any more
	}
	if n.readers != nil { // they were read
		for u := range g.members {
			delete(g.members, u)
			delete(u.large, g.id)
		}
		for _, r := range n.readers.all {
			gs.setLocked(g, r.User, true, r.From)
		}
	}
	if n.sight != nil && n.sight.Member != "" {
		gs.setLocked(g, n.sight.Member, n.sight.Reads, n.sight.From)
	}
	g.version = max(g.version, n.version)
	told := make([]reader, 0, len(g.members))
	for u, from := range g.members {
		told = append(told, reader{u, from})
	}
	gs.mu.Unlock()
	for _, one := range told {
		tabs += one.user.tell(g.id, n, n.seq == 0 || n.seq >= one.from)
	}
	gs.mu.Lock()
	empty := gs.here[g.id] == g && gs.dropLocked(g) // the last one was removed
	gs.mu.Unlock()
	if empty {
		g.close()
	}
	return tabs
}

// sweep looks whether a large conversation, which has changed lately, was told as far as it has come.
// Of one of which nobody seems to be here it is looked who is, once for each version of its members.
func (gs *largeGroups) sweep(ctx context.Context, h chat.Head, looked map[string]int64) error {
	gs.server.readers.forgetSmall(h.ID)
	f := gs.feed(h.ID)
	switch {
	case f != nil && f.told.Load() < h.Pos:
		return gs.server.catchUp(f, notice{pos: h.Pos})
	case f == nil && looked[h.ID] < h.Version:
		return gs.enter(ctx, h.ID, gs.server.localUserIDs())
	}
	return nil
}
