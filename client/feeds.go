package client

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// feed is what the client knows of one feed. Only the goroutine that reads changes it, under the
// client's mu.
type feed struct {
	pos     int64                 // all up to here was handed out, or is older than the client
	newest  []chat.Place          // of the newest items that were handed out, by pos
	heard   int64                 // how far the feed has come, as far as was told
	ahead   map[int64]wire.Change // what came before a change that is missing, by pos
	asking  bool                  // what is missing is asked for, or will be soon
	touched int64                 // when something happened to it
}

const (
	maxFeeds   = 10_000 // that a client remembers
	maxAhead   = 100    // changes that wait for one that is missing; more are asked for with it
	maxResumed = 100    // conversations that a hello may name
	keptPlaces = 3      // of the newest items of a feed
)

// positionLocked names the user's own feed and the latest conversations of which there are items to
// compare.
func (c *Client) positionLocked() wire.Resume {
	r := wire.Resume{At: c.at, Opening: c.opening, Feeds: map[string]chat.FeedPosition{}}
	ids := slices.SortedFunc(maps.Keys(c.feeds), func(a, b string) int { return cmp.Compare(c.feeds[b].touched, c.feeds[a].touched) })
	for _, id := range ids {
		f := c.feeds[id]
		if id != chat.OwnFeed && (len(f.newest) == 0 || len(r.Feeds) >= maxResumed) {
			continue
		}
		r.Feeds[id] = chat.FeedPosition{Pos: f.pos, Newest: slices.Clone(f.newest)}
	}
	return r
}

// feedLocked returns a feed. One that is not known begins after pos.
func (c *Client) feedLocked(id string, pos int64) *feed {
	c.touched++
	f := c.feeds[id]
	if f == nil {
		if len(c.feeds) >= maxFeeds {
			delete(c.feeds, c.oldestLocked())
		}
		f = &feed{pos: pos, heard: pos}
		c.feeds[id] = f
	}
	f.touched = c.touched
	return f
}

func (c *Client) oldestLocked() (oldest string) {
	for id, f := range c.feeds {
		if id != chat.OwnFeed && (oldest == "" || f.touched < c.feeds[oldest].touched) {
			oldest = id
		}
	}
	return oldest
}

// welcomed forgets what the server says is void.
func (conn *connection) welcomed(w wire.Welcome) {
	c := conn.client
	c.mu.Lock()
	defer c.mu.Unlock()
	c.welcome, c.greeted = w, conn
	if !w.Resumed {
		clear(c.feeds)
	}
	for _, id := range w.Diverged {
		delete(c.feeds, id)
	}
	for _, f := range c.feeds {
		f.asking = false // who was asked is gone
	}
	c.feedLocked(chat.OwnFeed, 0)
}

// greeting takes a page of what follows the welcome.
func (conn *connection) greeting(g wire.Greeting) {
	c := conn.client
	if g.Pos > 0 {
		conn.page(chat.OwnFeed, g.Items, g.Pos)
	}
	if len(g.Conversations) > 0 {
		conn.heads(g.Conversations)
	}
	if len(g.Conversations) > 0 && c.opts.Conversations != nil {
		c.opts.Conversations(g.Conversations)
	}
	for _, one := range g.Calls {
		conn.greeted[one.Call.ID] = true
		conn.call(one)
	}
}

// heads notes how far conversations have come. Those that are not known begin here.
func (conn *connection) heads(list []chat.Conversation) {
	c := conn.client
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.feeds[chat.OwnFeed]
	for _, h := range list {
		own.remember(h.MineAt)
		if h.Mine.State != chat.Joined {
			continue
		}
		f := c.feedLocked(h.ID, h.Pos)
		f.heard = max(f.heard, h.Pos)
		conn.missingLocked(h.ID, f)
		if h.Last != nil {
			conn.deliveredLocked(*h.Last)
		}
	}
}

// remember keeps the place of an item that was handed out.
func (f *feed) remember(at chat.Place) {
	if at.Pos == 0 || slices.Contains(f.newest, at) {
		return
	}
	f.newest = append(f.newest, at)
	slices.SortFunc(f.newest, func(a, b chat.Place) int { return cmp.Compare(a.Pos, b.Pos) })
	if len(f.newest) > keptPlaces {
		f.newest = f.newest[len(f.newest)-keptPlaces:]
	}
}

// change takes what was told of a feed, or what a send was answered.
func (conn *connection) change(told wire.Change) {
	c := conn.client
	c.mu.Lock()
	f := c.feedLocked(told.Feed, told.Pos-1)
	f.heard = max(f.heard, told.Pos)
	if told.Type != "" && told.Pos > f.pos+1 {
		if len(f.ahead) >= maxAhead {
			f.ahead = nil
		}
		if f.ahead == nil {
			f.ahead = map[int64]wire.Change{}
		}
		f.ahead[told.Pos] = told
	}
	next := told.Type != "" && told.Pos == f.pos+1
	c.mu.Unlock()
	if next {
		conn.handOut(f, told)
	}
	conn.follow(told.Feed, f)
}

// page takes items of a feed that is whole up to pos with them.
func (conn *connection) page(id string, items []chat.Item, pos int64) {
	c := conn.client
	c.mu.Lock()
	f := c.feedLocked(id, 0)
	c.mu.Unlock()
	for _, item := range items {
		if item.Pos > f.pos {
			conn.handOut(f, wire.Change{Feed: id, Pos: item.Pos, Tag: item.Tag, Type: item.Type, Data: item.Data})
		}
	}
	c.mu.Lock()
	f.pos, f.heard = max(f.pos, pos), max(f.heard, pos)
	c.mu.Unlock()
	conn.follow(id, f)
}

// follow hands out what waited for what was just handed out, and asks for what is missing.
func (conn *connection) follow(id string, f *feed) {
	c := conn.client
	for {
		c.mu.Lock()
		next, there := f.ahead[f.pos+1]
		if !there {
			maps.DeleteFunc(f.ahead, func(pos int64, _ wire.Change) bool { return pos <= f.pos })
			conn.missingLocked(id, f)
			c.mu.Unlock()
			return
		}
		delete(f.ahead, next.Pos)
		c.mu.Unlock()
		conn.handOut(f, next)
	}
}

// handOut hands out the next item of a feed.
func (conn *connection) handOut(f *feed, item wire.Change) {
	c := conn.client
	if c.opts.Change != nil {
		c.opts.Change(item)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.pos = item.Pos
	f.remember(chat.Place{Pos: item.Pos, Tag: item.Tag})
	switch item.Type {
	case chat.ItemMessage:
		var m chat.Message
		if json.Unmarshal(item.Data, &m) == nil {
			conn.deliveredLocked(m)
		}
	case chat.ItemMembership:
		var m chat.Membership
		if json.Unmarshal(item.Data, &m) != nil || m.Conversation == chat.OwnFeed {
			return
		}
		switch _, known := c.feeds[m.Conversation]; {
		case m.State != chat.Joined:
			delete(c.feeds, m.Conversation)
		case !known && m.FromSeq == 0:
			c.feedLocked(m.Conversation, 0) // it is new: all of it is handed out
		}
	}
}

// missingLocked asks soon for what is missing. Perhaps it is on its way.
func (conn *connection) missingLocked(id string, f *feed) {
	if f.heard > f.pos && !f.asking && conn.synced {
		f.asking = true
		conn.askAfter(id, 50*time.Millisecond+rand.N(150*time.Millisecond))
	}
}

func (conn *connection) askAfter(id string, wait time.Duration) {
	time.AfterFunc(wait, func() { conn.ask(id) })
}

// ask asks for what is missing in a feed.
func (conn *connection) ask(id string) {
	c := conn.client
	c.mu.Lock()
	f := c.feeds[id]
	if f == nil || c.greeted != conn {
		c.mu.Unlock()
		return
	}
	if f.asking = f.heard > f.pos; !f.asking {
		c.mu.Unlock()
		return // it came meanwhile
	}
	q := wire.FeedChanges{Feed: id, After: f.pos}
	c.mu.Unlock()
	conn.later(wire.MethodFeedChanges, q, func(answer wire.Frame) { conn.answered(q, answer) })
}

func (conn *connection) answered(q wire.FeedChanges, answer wire.Frame) {
	c := conn.client
	c.mu.Lock()
	f := c.feeds[q.Feed]
	if f == nil {
		c.mu.Unlock()
		return
	}
	var page wire.Changes
	err := resultOf(answer, &page)
	if err != nil || page.Reset {
		conn.failedLocked(q.Feed, f, page, err)
		c.mu.Unlock()
		if page.Reset && c.opts.Reset != nil {
			c.opts.Reset(q.Feed)
		}
		return
	}
	if page.More {
		f.heard = max(f.heard, page.UpTo+1)
	} else {
		f.asking = false
	}
	c.mu.Unlock()
	conn.page(q.Feed, page.Items, page.UpTo)
	if page.More {
		conn.ask(q.Feed)
	}
}

// failedLocked begins a feed afresh, or forgets one that is no longer the user's, or tries again.
func (conn *connection) failedLocked(id string, f *feed, page wire.Changes, err error) {
	refused, _ := refusal.Of(err)
	switch {
	case err == nil:
		*f = feed{pos: page.UpTo, heard: page.UpTo, touched: f.touched}
	case refused.Retry > 0:
		conn.askAfter(id, refused.Retry)
	case id == chat.OwnFeed:
		f.asking = false
	default:
		delete(conn.client.feeds, id)
	}
}

// endGreeting is called with synced: from now on the client asks for what is missing.
func (conn *connection) endGreeting(s wire.Synced) {
	c := conn.client
	c.mu.Lock()
	c.at, c.opening = s.At, s.Opening
	conn.synced = true
	for id, f := range c.feeds {
		conn.missingLocked(id, f)
	}
	var unsure []string
	if !s.All {
		unsure = slices.DeleteFunc(slices.Collect(maps.Keys(c.feeds)), func(id string) bool { return id == chat.OwnFeed })
	}
	conn.markSoonLocked()
	c.mu.Unlock()
	conn.askHeads(unsure)
	conn.compareCalls()
	if c.opts.Synced != nil {
		c.opts.Synced()
	}
}

// askHeads asks how far conversations have come, because a greeting has left some out.
func (conn *connection) askHeads(ids []string) {
	if len(ids) == 0 {
		return
	}
	n := min(len(ids), maxResumed)
	some, rest := ids[:n], ids[n:]
	conn.later(wire.MethodConversationGet, wire.ConversationGet{Conversations: some}, func(answer wire.Frame) {
		var page wire.Conversations
		if err := resultOf(answer, &page); err != nil {
			if refused, _ := refusal.Of(err); refused.Retry > 0 {
				time.AfterFunc(refused.Retry, func() { conn.askHeads(ids) })
			}
			return
		}
		conn.heads(page.Conversations)
		if page.More {
			had := map[string]bool{}
			for _, h := range page.Conversations {
				had[h.ID] = true
			}
			rest = append(slices.DeleteFunc(slices.Clone(some), func(id string) bool { return had[id] }), rest...)
		}
		conn.askHeads(rest)
	})
}

// pinged notes from when on a hello has to ask, unless something is missing.
func (conn *connection) pinged(p wire.Ping) {
	c := conn.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.At == 0 || !conn.synced {
		return
	}
	for _, f := range c.feeds {
		if f.heard > f.pos {
			return
		}
	}
	c.at, c.opening = p.At, p.Opening
}
