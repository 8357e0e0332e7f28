package signaling

import (
	"context"
	"sync"

	"carillon/chat"
)

// readers are who has joined a conversation, at one version of its members. They are never
// edited.
type readers struct {
	version int64
	direct  bool
	all     []chat.Reader

	once sync.Once
	set  map[string]struct{} // of all; made when it is first asked for
}

// other is the other one of a direct conversation; empty in a group.
func (r *readers) other(user string) string {
	if !r.direct {
		return ""
	}
	for _, one := range r.all {
		if one.User != user {
			return one.User
		}
	}
	return ""
}

func (r *readers) has(user string) bool {
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
	chat *chat.Service

	mu    sync.Mutex
	known *lru[string, *readers]
}

func newReaders(service *chat.Service) *readersCache {
	return &readersCache{chat: service, known: newLRU[string, *readers](maxMembers)}
}

// of returns the readers as of version or later; of any version that is known for 0. A
// conversation that is not there has none.
func (c *readersCache) of(ctx context.Context, conversation string, version int64) (*readers, error) {
	if r := c.get(conversation, version); r != nil {
		return r, nil
	}
	all, h, err := c.chat.Readers(ctx, conversation)
	if err != nil {
		return nil, err
	}
	r := &readers{version: h.Version, direct: h.Kind == chat.Direct, all: all}
	if h.ID == "" {
		return r, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, found := c.known.get(conversation); found && before.version > r.version {
		return before, nil
	}
	c.known.put(conversation, r, len(all)+1)
	return r, nil
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
	if r, found := c.known.get(conversation); found && r.version >= version {
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
