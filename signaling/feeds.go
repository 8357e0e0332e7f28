package signaling

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"carillon/chat"
	"carillon/wire"
)

// feedID names the feed of a conversation or that of a user. The other is empty.
type feedID struct{ conversation, user string }

// name is what the tabs that are told of the feed call it.
func (id feedID) name() string {
	if id.user != "" {
		return chat.OwnFeed
	}
	return id.conversation
}

// feed is what a node knows of a feed: up to where its tabs were told.
type feed struct {
	id    feedID
	group *largeGroup // whose it is; nil: of a user, or of a conversation that is not large

	heard atomic.Int64 // highest pos that an envelope brought
	told  atomic.Int64 // of cursor, to be read without the lock

	mu      sync.Mutex // held while tabs are told, so that changes reach them in order
	cursor  cursor
	turn    inTurn
	reading bool // what is missing will be read, or is being read
}

const (
	maxFeeds   = 100_000               // whose cursors a node remembers
	holeWait   = 50 * time.Millisecond // for a change that another node is about to tell
	maxMembers = 1_000_000             // whom a node remembers as members of conversations
)

// feeds are the cursors of a node. They may be forgotten at any time.
type feeds struct {
	mu    sync.Mutex
	known *lru[feedID, *feed]
}

func newFeeds() *feeds { return &feeds{known: newLRU[feedID, *feed](maxFeeds)} }

// of returns a feed, which begins when it is first asked for.
func (fs *feeds) of(id feedID) *feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, found := fs.known.get(id)
	if !found {
		f = &feed{id: id}
		fs.known.put(id, f, 1)
	}
	return f
}

// begun reports whether it is known how far the tabs were told.
func (f *feed) begun() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursor.begun
}

// hear reports whether a change that an envelope brings may be new. Each change of a conversation
// comes once for each of its members here.
func (f *feed) hear(pos int64) bool {
	if pos <= f.told.Load() {
		return false
	}
	for {
		heard := f.heard.Load()
		switch {
		case pos == heard:
			return false
		case pos < heard || f.heard.CompareAndSwap(heard, pos):
			return true
		}
	}
}

// announce brings a change to the tabs of this node when it is its turn. It does not wait.
func (s *Server) announce(f *feed, n notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.group != nil && !f.cursor.begun {
		_ = f.hear(n.pos) // who enters the group reads it then
		return
	}
	tell, missing := f.cursor.take(n)
	s.tellLocked(f, tell)
	if missing && !f.reading {
		f.reading = true
		time.AfterFunc(holeWait, func() {
			if !s.run(func() { _ = s.readHole(f) }) {
				return // the server closes
			}
		})
	}
}

// tellLocked tells the tabs here, at once or when they may be told again. It does not wait.
func (s *Server) tellLocked(f *feed, tell []notice) {
	f.told.Store(f.cursor.told)
	due, soon := f.turn.add(tell, time.Now())
	if due {
		s.tellNowLocked(f)
	}
	if soon > 0 {
		time.AfterFunc(soon, func() {
			s.run(func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.turn.soon = false
				s.tellNowLocked(f)
			})
		})
	}
}

// tellNowLocked tells what waits for its turn. Pushing does not wait.
func (s *Server) tellNowLocked(f *feed) {
	most := 0
	for _, n := range f.turn.take() {
		tabs := 0
		switch {
		case f.id.user != "":
			if u := s.localUser(f.id.user); u != nil {
				tabs = u.tell(f.id.name(), n, true)
			}
		case f.group != nil:
			tabs = s.large.tellLocked(f.group, n)
		case n.readers != nil:
			s.eachReader(n.readers, func(u *localUser, from int64) {
				tabs += u.tell(f.id.conversation, n, n.seq == 0 || n.seq >= from)
			})
		}
		if n.sight != nil {
			s.sightChanged(f, n)
		}
		most = max(most, tabs)
	}
	f.turn.until = time.Now().Add(pauseAfter(most))
}

// sightChanged lets tabs look again whom of those they watch they may see.
func (s *Server) sightChanged(f *feed, n notice) {
	user := f.id.user
	switch {
	case n.sight.Left != "":
		s.readers.forget(n.sight.Left) // of the change of the conversation a node without other members hears nothing
		s.large.lookSoon(n.sight.Left, user)
		s.presence.membershipChanged(user, true)
	case n.sight.Joined != "":
		s.large.lookSoon(n.sight.Joined, user)
		s.presence.membershipChanged(user, false)
	case f.group != nil:
		s.presence.memberChanged(n.sight.Member, func(other string) bool { return s.large.has(f.group.id, other) })
	case n.sight.Member != "":
		s.presence.memberChanged(n.sight.Member, n.readers.has)
	case n.sight.Sender != "":
		s.presence.wrote(n.sight.Sender, n.readers.other(n.sight.Sender))
	}
}

// tell passes a change on to all tabs of the user here, and returns how many there are. Who may not
// see it learns that there is one, so that the numbers of the tab go on.
func (u *localUser) tell(name string, n notice, visible bool) (tabs int) {
	if !visible {
		n.frame = nil
	}
	all := u.all()
	for _, c := range all {
		c.change(name, n)
	}
	return len(all)
}

// readHole reads what is missing in a feed, once for all tabs of this node.
func (s *Server) readHole(f *feed) error {
	ctx, cancel := s.timeout(requestTime)
	defer cancel()
	for {
		f.mu.Lock()
		after := f.cursor.told
		missing := len(f.cursor.ahead) > 0
		f.reading = missing
		f.mu.Unlock()
		if !missing {
			return nil // it came meanwhile
		}
		s.metrics.holes.Inc()
		items, pos, err := s.changesAfter(ctx, f, after)
		f.mu.Lock()
		if err != nil {
			f.reading = false // until the next change, or the next sweep
			f.mu.Unlock()
			s.log.Error("read feed", "feed", f.id, "after", after, "err", err)
			return err
		}
		tell, _ := f.cursor.read(items, pos)
		s.tellLocked(f, tell)
		f.mu.Unlock()
	}
}

// changesAfter reads the changes of a feed, up to pos. When there are more than fit into a page,
// the tabs are only told how far the feed has come, and ask for themselves.
func (s *Server) changesAfter(ctx context.Context, f *feed, after int64) (notices []notice, pos int64, err error) {
	id := f.id
	var items []chat.Item
	var who *readers
	var version int64
	if id.user != "" {
		var c chat.Changes
		if c, err = s.chat.Changes(ctx, id.user, chat.OwnFeed, after, 0); err != nil {
			return nil, 0, err
		}
		items, pos = c.Items, c.UpTo
	} else {
		var h chat.Head
		if items, h, err = s.chat.Feed(ctx, id.conversation, after); err != nil {
			return nil, 0, err
		}
		whole := len(items) == 0 || items[len(items)-1].Pos == h.Pos
		switch {
		case f.group == nil:
			who, err = s.readers.of(ctx, id.conversation, h.Version)
		case !whole: // and so is what they say of its members
			who, err = s.readers.here(ctx, id.conversation)
			version = who.head.Version
		default:
			version = h.Version
		}
		if err != nil {
			return nil, 0, err
		}
		pos = h.Pos
	}
	if n := len(items); n > 0 && items[n-1].Pos < pos {
		return []notice{{pos: pos, readers: who, version: version}}, pos, nil
	}
	for _, item := range items {
		notices = append(notices, newNotice(id.name(), item, who))
	}
	if n := len(notices); n > 0 {
		notices[n-1].version = version
	}
	return notices, pos, nil
}

func newNotice(name string, item chat.Item, who *readers) notice {
	f := changeFrame(wire.Change{Feed: name, Pos: item.Pos, Tag: item.Tag, Type: item.Type, Data: item.Data, Count: item.Count})
	f.shared = true
	return notice{pos: item.Pos, frame: f, seq: item.Seq, readers: who, sight: sightOf(item, who)}
}

// sightOf returns what an item may change of whom others may see. A membership that is not new
// comes with each mark, and then the user has read something.
func sightOf(item chat.Item, who *readers) *sight {
	switch item.Type {
	case chat.ItemMessage:
		if who.direct() {
			return &sight{Sender: item.User}
		}
	case chat.ItemMember:
		return &sight{Member: item.User, Reads: item.Joined, From: item.From}
	case chat.ItemMembership:
		var m chat.Membership
		switch {
		case json.Unmarshal(item.Data, &m) != nil:
		case m.State != chat.Joined:
			return &sight{Left: m.Conversation}
		case m.Read < max(m.FromSeq, 1):
			return &sight{Joined: m.Conversation}
		}
	}
	return nil
}
