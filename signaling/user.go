package signaling

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"carillon/bus"
	"carillon/refusal"
	"carillon/wire"
)

// localUser is a user as far as this node is concerned: it exists while they have a
// connection here, and subscribes to the user's subject for all of them.
type localUser struct {
	// Fixed at construction.
	server *Server
	id     string

	subscribe    sync.Once
	subscription *bus.Subscription // set by subscribe
	err          error             // set by subscribe

	uses int // under the server's mu

	// Under the mu of largeGroups.
	large map[string]bool // the large groups that the user is told of here
	left  bool            // the last tab has gone

	mu          sync.Mutex
	connections []*connection // replaced, never edited
	telling     bool          // who has listed the sessions will be told of a change soon
}

// join puts a connection among those of its user. When it returns, every envelope published
// from now on reaches the connection.
func (s *Server) join(c *connection) error {
	s.mu.Lock()
	u := s.users[c.tab.User]
	if u == nil {
		u = &localUser{server: s, id: c.tab.User}
		s.users[u.id] = u
	}
	u.uses++
	s.mu.Unlock()

	u.subscribe.Do(func() {
		if u.subscription, u.err = s.bus.Subscribe(subject(u.id), u.receive); u.err == nil {
			s.settleSubscription(u.id)
			u.err = s.large.arrive(u, c.payer)
		}
	})
	if u.err != nil {
		s.release(u)
		return u.err
	}
	if err := u.add(c); err != nil {
		s.release(u)
		return err
	}
	c.user = u
	return nil
}

// joinTime is how long a subscription may take to reach the other nodes. All tabs of the user, or
// of a large group, wait for it. Without the bus they are told what happens on this node; when it is back there is a sweep.
const joinTime = time.Second

func (s *Server) settleSubscription(name string) {
	if !s.bus.Connected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinTime)
	defer cancel()
	if err := s.bus.Flush(ctx); err != nil {
		s.log.Warn("subscribe on the bus in time", "to", name, "err", err)
	}
}

func (u *localUser) add(c *connection) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := slices.Clone(u.connections)
	if !c.channel {
		all = slices.DeleteFunc(all, func(old *connection) bool { return !old.channel && old.replaceBy(c) })
	}
	if len(all) >= u.server.cfg.TabsPerUser {
		u.server.limits.tabs.Add()
		return refusal.New(refusal.TooManyTabs, "You have %d tabs open. Close some.", len(all))
	}
	u.connections = append(all, c)
	return nil
}

// replaceBy ends an older connection of the same tab: the page has a new one, and only one
// may speak for a tab. The newest wins, for the older is most often a dead one whose end
// has not been noticed yet.
func (c *connection) replaceBy(newer *connection) bool {
	if c.tab.TabID != newer.tab.TabID {
		return false
	}
	c.replace()
	return true
}

func (c *connection) replace() {
	c.replaced.Store(true)
	c.close(wire.CloseReplaced, "this tab has connected again")
}

// leave takes a connection from among those of its user.
func (s *Server) leave(c *connection) {
	u := c.user
	u.mu.Lock()
	u.connections = slices.DeleteFunc(slices.Clone(u.connections), func(other *connection) bool { return other == c })
	u.mu.Unlock()
	s.release(u)
}

func (s *Server) release(u *localUser) {
	s.mu.Lock()
	u.uses--
	last := u.uses == 0
	if last {
		delete(s.users, u.id)
	}
	s.mu.Unlock()
	if last {
		s.large.leave(u)
	}
	if last && u.subscription != nil {
		u.subscription.Close()
	}
}

// all connections of the user on this node. The slice must not be changed.
func (u *localUser) all() []*connection {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.connections
}

func (s *Server) localUsers() []*localUser {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := make([]*localUser, 0, len(s.users))
	for _, u := range s.users {
		users = append(users, u)
	}
	return users
}

func (s *Server) localUserIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.users))
}

// localUser returns the user of this id, nil when they have no connection here.
func (s *Server) localUser(id string) *localUser {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[id]
}
