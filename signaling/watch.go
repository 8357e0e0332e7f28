package signaling

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"carillon/bus"
	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// watches are the conversations that tabs of this node have open: they are told of marks and of
// who types there. Of a direct conversation all tabs of both are told.
type watches struct {
	server *Server

	mu    sync.Mutex // taken before those of a connection and outgoing
	open  map[string]*watched
	by    map[*connection][]string
	moved map[string]*movedMarks // of conversations whose marks were told lately, or are to be told
	again map[string]struct{}    // those that are open here, whose marks may have been missed
}

// watched is a conversation that some tab here has open.
type watched struct {
	by           map[*connection]struct{}
	subscription *bus.Subscription // to what other nodes tell; nil when that failed
	typing       time.Time         // who types is told again from then on
}

// movedMarks are what moved since marks of a conversation were last told.
type movedMarks struct {
	members map[string]chat.Marks // that moved by commits of this node
	remote  bool                  // another node says that some moved, in a conversation with many members
}

const (
	maxWatched  = 20                     // conversations that one tab has open
	marksEvery  = 250 * time.Millisecond // between two notifications of marks of a conversation
	restOfCount = 20                     // times as long as counting marks takes nothing is counted there
)

func newWatches(s *Server) *watches {
	return &watches{server: s, open: map[string]*watched{}, by: map[*connection][]string{}, moved: map[string]*movedMarks{}, again: map[string]struct{}{}}
}

func watchSubject(conversation string) string {
	return "watch." + base64.RawURLEncoding.EncodeToString([]byte(conversation))
}

// watch replaces what the connection has open.
func (w *watches) watch(c *connection, conversations []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unwatchLocked(c)
	select {
	case <-c.done:
		return // it has gone, and nothing would end its watching
	default:
	}
	for _, id := range conversations {
		o := w.open[id]
		if o == nil {
			o = &watched{by: map[*connection]struct{}{}}
			w.open[id] = o
			var err error
			if o.subscription, err = w.server.bus.Subscribe(watchSubject(id), func(m bus.Message) { w.receive(id, m) }); err != nil {
				w.server.log.Warn("subscribe to marks", "conversation", id, "err", err)
			}
		}
		o.by[c] = struct{}{}
	}
	if len(conversations) > 0 {
		w.by[c] = conversations
	}
}

func (w *watches) unwatch(c *connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unwatchLocked(c)
}

func (w *watches) unwatchLocked(c *connection) {
	for _, id := range w.by[c] {
		o := w.open[id]
		delete(o.by, c)
		if len(o.by) == 0 {
			delete(w.open, id)
			if o.subscription != nil {
				o.subscription.Close()
			}
		}
	}
	delete(w.by, c)
}

// watchers are the connections here that have a conversation open.
func (w *watches) watchers(conversation string) []*connection {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.open[conversation]; o != nil {
		return slices.Collect(maps.Keys(o.by))
	}
	return nil
}

// sighting is what nodes tell each other about a conversation that tabs have open.
type sighting struct {
	Class  class  `json:"c,omitempty"`
	Key    string `json:"k,omitempty"`
	Except string `json:"e,omitempty"` // a user who is not told
	Counts bool   `json:"n,omitempty"` // marks moved where there are too many to tell each: count them
}

// tell tells those who have a conversation open, on all nodes. It does not wait.
func (w *watches) tell(conversation string, who *readers, n sighting, f *frame) {
	w.tellHere(conversation, who, n, f)
	if w.server.bus.Alone() {
		return
	}
	message := append(append([]byte(w.server.node+"\n"), raw(n)...), '\n')
	if f != nil {
		message = append(message, f.data...)
	}
	w.server.bus.Publish(watchSubject(conversation), message)
}

func (w *watches) tellHere(conversation string, who *readers, n sighting, f *frame) {
	watchers := w.watchers(conversation)
	if len(watchers) == 0 || f == nil {
		return
	}
	f.shared = len(watchers) > 1
	for _, c := range watchers {
		if c.tab.User != n.Except && who.has(c.tab.User) {
			c.note(n.Class, n.Key, f)
		}
	}
}

// mayTellTyping reports whether those who have a conversation open here are told again that somebody
// types there. Of many who type at once some are not told: nobody could read all their names.
func (w *watches) mayTellTyping(conversation string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.open[conversation]
	if o == nil {
		return true
	}
	if now.Before(o.typing) {
		w.server.metrics.dropped.WithLabelValues("typing").Inc()
		return false
	}
	o.typing = now.Add(pauseAfter(len(o.by)))
	return true
}

// receive takes what another node tells. It runs on a goroutine of the bus.
func (w *watches) receive(conversation string, m bus.Message) {
	node, rest, _ := bytes.Cut(m.Data, []byte{'\n'})
	if string(node) == w.server.node {
		return
	}
	header, body, _ := bytes.Cut(rest, []byte{'\n'})
	var n sighting
	if err := json.Unmarshal(header, &n); err != nil {
		w.server.log.Error("read what is told to watchers", "err", err)
		return
	}
	if n.Counts {
		w.move(conversation, func(m *movedMarks) { m.remote = true })
		return
	}
	if n.Class == ephemeral && !w.mayTellTyping(conversation, time.Now()) {
		return
	}
	f := &frame{data: body}
	w.server.run(func() {
		ctx, cancel := w.server.timeout(requestTime)
		defer cancel()
		if who, err := w.server.readers.of(ctx, conversation, 0); err == nil {
			w.tellHere(conversation, who, n, f)
		}
	})
}

// marksMoved notes marks that a commit of this node has moved. They are told at once, and then at
// most four times a second. It does not wait.
func (w *watches) marksMoved(conversation string, marks []chat.MemberMarks) {
	w.move(conversation, func(m *movedMarks) {
		if m.members == nil {
			m.members = map[string]chat.Marks{}
		}
		for _, one := range marks {
			old := m.members[one.User]
			m.members[one.User] = chat.Marks{Delivered: max(old.Delivered, one.Delivered), Read: max(old.Read, one.Read)}
		}
	})
}

func (w *watches) move(conversation string, note func(*movedMarks)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.moved[conversation]
	if m == nil {
		m = &movedMarks{}
		w.moved[conversation] = m
		w.tellSoon(conversation, 0)
	}
	note(m)
}

// tellSoon tells marks after a while, from a goroutine of its own.
func (w *watches) tellSoon(conversation string, wait time.Duration) {
	time.AfterFunc(wait, func() { w.server.run(func() { w.tellMoved(conversation) }) })
}

// tellMoved tells what has moved since it was called last; when nothing has, it is over.
func (w *watches) tellMoved(conversation string) {
	w.mu.Lock()
	m := w.moved[conversation]
	if m.members == nil && !m.remote {
		delete(w.moved, conversation)
		w.mu.Unlock()
		return
	}
	w.moved[conversation] = &movedMarks{}
	watchers := 0
	if o := w.open[conversation]; o != nil {
		watchers = len(o.by)
	}
	w.mu.Unlock()
	began := time.Now()
	defer func() {
		w.tellSoon(conversation, max(marksEvery, pauseAfter(watchers), restOfCount*time.Since(began)))
	}()

	ctx, cancel := w.server.timeout(requestTime)
	defer cancel()
	who, err := w.server.readers.of(ctx, conversation, 0)
	if err == nil {
		err = w.tellMarks(ctx, conversation, who, m)
	}
	if err != nil {
		w.server.log.Error("tell marks", "conversation", conversation, "err", err)
	}
}

func (w *watches) tellMarks(ctx context.Context, conversation string, who *readers, moved *movedMarks) error {
	key := marksKey + conversation
	if w.server.chat.CountsMarks(who.head) {
		if moved.members != nil {
			w.tell(conversation, who, sighting{Counts: true}, nil)
		}
		if len(w.watchers(conversation)) == 0 {
			return nil
		}
		counts, err := w.server.chat.MarkCounts(ctx, conversation)
		if err == nil {
			marks := chat.ConversationMarks{Conversation: conversation, Counts: counts}
			w.tellHere(conversation, who, sighting{Class: mergeable, Key: key}, notification(wire.NoteMarks, marks))
		}
		return err
	}
	marks := chat.ConversationMarks{Conversation: conversation}
	for user, m := range moved.members {
		marks.Members = append(marks.Members, chat.MemberMarks{User: user, Marks: m})
	}
	if len(marks.Members) == 0 {
		return nil
	}
	f := notification(wire.NoteMarks, marks)
	if !who.direct() {
		w.tell(conversation, who, sighting{Class: mergeable, Key: key}, f)
		return nil
	}
	f.shared = true
	for _, one := range who.all {
		w.server.toUser(one.User, envelope{Class: mergeable, Key: key}, f)
	}
	return nil
}

// missed notes that what the bus carries under a subject was lost, under any when it is empty.
// Nodes tell each other of a mark once: marks that were lost with it are told again by the next sweep.
func (w *watches) missed(lost string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, o := range w.open {
		if lost == "" || lost == watchSubject(id) || o.hasTabOf(lost) {
			w.again[id] = struct{}{}
		}
	}
}

// hasTabOf reports whether it is open in a tab of the user whose subject this is.
func (o *watched) hasTabOf(lost string) bool {
	for c := range o.by {
		if lost == subject(c.tab.User) {
			return true
		}
	}
	return false
}

// tellAgain tells the tabs of this node how the marks are now in what they have open, where some
// may have been missed. What it does not come to is left to the next sweep.
func (w *watches) tellAgain(ctx context.Context) error {
	w.mu.Lock()
	again := w.again
	w.again = map[string]struct{}{}
	w.mu.Unlock()
	for id := range again {
		if err := w.tellAll(ctx, id); err != nil {
			w.mu.Lock()
			maps.Copy(w.again, again)
			w.mu.Unlock()
			return err
		}
		delete(again, id)
	}
	return nil
}

// tellAll tells the tabs of this node that have a conversation open how all marks there are now.
func (w *watches) tellAll(ctx context.Context, conversation string) error {
	who, err := w.server.readers.of(ctx, conversation, 0)
	if err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	watchers := w.watchers(conversation)
	member := slices.IndexFunc(watchers, func(c *connection) bool { return who.has(c.tab.User) })
	if member < 0 {
		return nil
	}
	marks, err := w.server.chat.Marks(ctx, watchers[member].tab.User, []string{conversation})
	if err != nil {
		return fmt.Errorf("read marks: %w", err)
	}
	for _, one := range marks {
		w.tellHere(conversation, who, sighting{Class: mergeable, Key: marksKey + conversation}, notification(wire.NoteMarks, one))
	}
	return nil
}

// conversationWatch answers how the marks are now of those conversations of the user's.
func (c *connection) conversationWatch(ctx context.Context, p wire.ConversationWatch) (none wire.MarksList, _ error) {
	if len(p.Conversations) > maxWatched {
		return none, refusal.New(refusal.TooLarge, "A tab watches at most %d conversations.", maxWatched)
	}
	if err := c.spend(len(p.Conversations)); err != nil {
		return none, err
	}
	var mine []string
	for _, id := range p.Conversations {
		who, err := c.server.readersFor(ctx, id, c.tab.User)
		if err != nil {
			return none, err
		}
		if who.has(c.tab.User) && c.scope.Covers(id) && !slices.Contains(mine, id) {
			mine = append(mine, id)
		}
	}
	c.server.watches.watch(c, mine) // before the marks are read, so that none is missed
	all, err := c.chat.Marks(ctx, c.tab.User, mine)
	for _, one := range all {
		c.charge(len(one.Members) + len(one.Counts))
	}
	return wire.MarksList{Conversations: list(all)}, err
}

// typing tells who has the conversation open, and the other of a direct one in all their tabs. It
// is not kept: who misses it misses nothing.
func (c *connection) typing(ctx context.Context, p wire.Typing) error {
	who, err := c.server.readersFor(ctx, p.Conversation, c.tab.User)
	if err != nil {
		return err
	}
	if !who.has(c.tab.User) || !c.scope.Covers(p.Conversation) {
		return refusal.New(refusal.NotFound, "There is no such conversation, or you are not a member of it.")
	}
	p.User = c.tab.User
	if who.direct() {
		c.server.ephemeralTo(who.other(p.User), wire.NoteTyping, p)
		return nil
	}
	if !c.server.watches.mayTellTyping(p.Conversation, time.Now()) {
		return nil
	}
	c.server.watches.tell(p.Conversation, who, sighting{Class: ephemeral, Except: p.User}, notification(wire.NoteTyping, p))
	return nil
}
