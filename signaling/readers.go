package signaling

import (
	"context"
	"sync"

	"carillon/chat"
)

// readers are who has joined a conversation, at one version of its members. They are never
// edited. Of a large one only those are known who have a tab here; they are kept by largeGroups.
type readers struct {
	head  chat.Head
	all   []chat.Reader // of a large one nobody
	large *largeGroups

	once sync.Once
	set  map[string]struct{} // of all; made when it is first asked for
}

// direct reports whether the conversation is one. Nil are those of a large group.
func (r *readers) direct() bool { return r != nil && r.head.Kind == chat.Direct }

// other is the other one of a direct conversation; empty in a group.
func (r *readers) other(user string) string {
	if !r.direct() {
		return ""
	}
	for _, one := range r.all {
		if one.User != user {
			return one.User
		}
	}
	return ""
}

// has reports whether a user who has a tab here takes part.
func (r *readers) has(user string) bool {
	if r.head.Large {
		return r.large.has(r.head.ID, user)
	}
	r.once.Do(func() {
		r.set = make(map[string]struct{}, len(r.all))
		for _, one := range r.all {
			r.set[one.User] = struct{}{}
		}
	})
	_, has := r.set[user]
	return has
}

// readersCache remembers who reads which conversation. What is told of a conversation carries the
// version of its members, so what is remembered of an older one is read again.
type readersCache struct {
	server *Server

	mu    sync.Mutex
	known *lru[string, *readers]
}

func newReaders(s *Server) *readersCache {
	return &readersCache{server: s, known: newLRU[string, *readers](maxMembers)}
}

// of returns the readers as of version or later; of any version that is known for 0. A
// conversation that is not there has none.
func (c *readersCache) of(ctx context.Context, conversation string, version int64) (*readers, error) {
	if r := c.get(conversation, version); r != nil {
		return r, nil
	}
	all, h, err := c.server.chat.Readers(ctx, conversation)
	if err != nil {
		return nil, err
	}
	r := &readers{head: h, all: all, large: c.server.large}
	if h.ID == "" {
		return r, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, found := c.known.get(conversation); found && before.head.Version > r.head.Version {
		return before, nil
	}
	c.known.put(conversation, r, len(all)+1)
	return r, nil
}

// here returns those readers of a large conversation who have a tab here, as they are now.
func (c *readersCache) here(ctx context.Context, conversation string) (*readers, error) {
	all, h, err := c.server.chat.ReadersAmong(ctx, conversation, c.server.localUserIDs())
	return &readers{head: h, all: all, large: c.server.large}, err
}

// forgetSmall is called when a conversation is found to be large.
func (c *readersCache) forgetSmall(conversation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, found := c.known.get(conversation); found && !r.head.Large {
		c.known.remove(conversation)
	}
}

// forget is called when a user has joined or left, which the node may hear of only by that user's
// own feed.
func (c *readersCache) forget(conversation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.remove(conversation)
}

func (c *readersCache) get(conversation string, version int64) *readers {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, found := c.known.get(conversation); found && (r.head.Large || r.head.Version >= version) {
		return r
	}
	return nil
}

// eachReader calls f for those readers who have a tab here.
func (s *Server) eachReader(r *readers, f func(u *localUser, from int64)) {
	type here struct {
		user *localUser
		from int64
	}
	var found []here
	s.mu.Lock()
	for _, one := range r.all {
		if u := s.users[one.User]; u != nil {
			found = append(found, here{u, one.From})
		}
	}
	s.mu.Unlock()
	for _, one := range found {
		f(one.user, one.from)
	}
}

// readersFor returns the readers of a conversation, of any version, for a user who asks for
// something there: perhaps they have just joined.
func (s *Server) readersFor(ctx context.Context, conversation, user string) (*readers, error) {
	who, err := s.readers.of(ctx, conversation, 0)
	if err == nil && who.head.Large && !who.has(user) {
		err = s.large.enter(ctx, conversation, []string{user})
	}
	return who, err
}
