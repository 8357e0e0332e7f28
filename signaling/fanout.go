package signaling

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

	"carillon/bus"
	"carillon/chat"
)

// Deliver takes what a commit changed to the tabs that it concerns, on all nodes. The store calls
// it, in the order of the commits; it does not block. Changes of one feed keep their order.
func (s *Server) Deliver(all []chat.Told) {
	for _, t := range all {
		if len(t.Marks) > 0 {
			s.watches.marksMoved(t.Conversation, t.Marks)
		}
		if t.Item.Pos > 0 {
			s.hand(told{id: feedID{conversation: t.Conversation, user: t.User}, version: t.Version, large: t.Large, grew: t.Grew, item: t.Item})
		}
	}
}

// told is a change of a feed on its way to the tabs, from a commit of this node (item) or from
// another node (notice).
type told struct {
	id      feedID
	version int64 // of the conversation's members
	large   bool  // the conversation is
	grew    bool  // it is with this change
	item    chat.Item

	remote bool
	notice notice
}

const (
	fanOuts     = 4    // goroutines that tell changes; those of one feed go through one
	fanOutQueue = 4096 // changes that wait for each
)

// hand gives a change to its goroutine. When too many wait it is dropped: a sweep finds it.
func (s *Server) hand(t told) {
	select {
	case s.fanOut[maphash.Comparable(s.seed, t.id)%fanOuts] <- t:
	default:
		s.metrics.dropped.WithLabelValues("fan_out").Inc()
		s.sweepSoon()
	}
}

func (s *Server) tellChanges(queue <-chan told) {
	for {
		select {
		case <-s.done:
			return
		case t := <-queue:
			s.tellChange(t)
		}
	}
}

// tellChange tells first the tabs of this node, directly, and then the other nodes. What the
// database fails to say is told by a later sweep.
func (s *Server) tellChange(t told) {
	if t.large {
		s.tellLarge(t)
		return
	}
	var who *readers
	if t.id.conversation != "" {
		ctx, cancel := s.timeout(requestTime)
		defer cancel()
		var err error
		if who, err = s.readers.of(ctx, t.id.conversation, t.version); err != nil {
			s.log.Error("read members", "conversation", t.id.conversation, "err", err)
			return
		}
		if who.head.Large { // it has become so meanwhile
			s.tellLarge(t)
			return
		}
	}
	if t.remote {
		t.notice.readers = who
		s.announce(s.feeds.of(t.id), t.notice)
		return
	}
	s.metrics.changes.WithLabelValues(string(t.item.Type)).Inc()
	n := newNotice(t.id.name(), t.item, who)
	s.announce(s.feeds.of(t.id), n)
	if s.bus.Alone() {
		return
	}
	message := s.pack(envelope{Feed: t.id.name(), Pos: n.pos, Seq: n.seq, Version: t.version, Sight: n.sight}, n.frame)
	if who == nil {
		s.publish(t.id.user, message)
		return
	}
	for _, one := range who.all {
		s.publish(one.User, message)
	}
}

// envelope is what goes over the bus to the tabs of one user on other nodes. It is a header and,
// unless it is a command to the nodes, the frame as the tabs get it. Before it stands the node
// that sent it, which has told its own tabs already.
type envelope struct {
	Class   class    `json:"c,omitempty"`
	Key     string   `json:"k,omitempty"`
	Tab     string   `json:"t,omitempty"` // only for this tab
	Command *command `json:"x,omitempty"`

	Call *toldCall `json:"l,omitempty"` // the number of its change

	Feed    string `json:"f,omitempty"` // a change of it
	Pos     int64  `json:"p,omitempty"`
	Seq     int64  `json:"s,omitempty"` // of a message
	Version int64  `json:"v,omitempty"` // of the conversation's members
	Sight   *sight `json:"g,omitempty"`
}

func subject(user string) string {
	// A user's id may hold what means something in a subject.
	return "user." + base64.RawURLEncoding.EncodeToString([]byte(user))
}

// maxEnvelope is what the bus carries at most, less some room for its own header. A larger frame
// is left out: of a change the tabs then ask.
const maxEnvelope = 1<<20 - 4<<10

func (s *Server) pack(e envelope, f *frame) []byte {
	header := raw(e)
	message := make([]byte, 0, len(s.node)+len(header)+2)
	message = append(append(append(append(message, s.node...), '\n'), header...), '\n')
	if f != nil && len(message)+len(f.data) < maxEnvelope {
		message = append(message, f.data...)
	}
	return message
}

// unpack is the opposite of pack. It is not ok for what this node has told: its own tabs know it.
func (s *Server) unpack(m bus.Message) (e envelope, f *frame, ok bool) {
	node, rest, _ := bytes.Cut(m.Data, []byte{'\n'})
	if string(node) == s.node {
		return e, nil, false
	}
	header, body, _ := bytes.Cut(rest, []byte{'\n'})
	if err := json.Unmarshal(header, &e); err != nil {
		s.log.Error("read envelope", "subject", m.Subject, "err", err)
		return e, nil, false
	}
	if len(body) > 0 {
		f = &frame{data: body, shared: true}
	}
	return e, f, true
}

// publish does not wait. An envelope that is lost on the way is missed by the numbers of the feed,
// or found by a sweep.
func (s *Server) publish(user string, message []byte) { s.bus.Publish(subject(user), message) }

// toUser is the one way to the tabs of a user for what is in no feed: first those here, directly,
// then the other nodes. It does not wait.
func (s *Server) toUser(user string, e envelope, f *frame) {
	if u := s.localUser(user); u != nil {
		u.take(e, f, noMessage)
	}
	if !s.bus.Alone() {
		s.publish(user, s.pack(e, f))
	}
}

// noMessage is in place of that of the bus when tabs are told directly: nobody waits for a reply.
var noMessage bus.Message

// toTab sends a notification to one tab of a user, wherever it is. A mergeable one may be
// replaced by a newer one with its key while the tab is slow.
func (s *Server) toTab(user, tab, method string, params any, c class, key string) {
	s.toUser(user, envelope{Tab: tab, Class: c, Key: key}, notification(method, params))
}

// receive hands an envelope of another node to the connections of this one. It runs on a
// goroutine of the bus and does not wait.
func (u *localUser) receive(m bus.Message) {
	s := u.server
	e, f, ok := s.unpack(m)
	if !ok {
		return
	}
	if e.Feed == "" {
		u.take(e, f, m)
		return
	}
	id := feedID{conversation: e.Feed}
	if e.Feed == chat.OwnFeed {
		id = feedID{user: u.id}
	}
	if s.feeds.of(id).hear(e.Pos) {
		s.hand(told{id: id, version: e.Version, remote: true, notice: notice{pos: e.Pos, frame: f, seq: e.Seq, sight: e.Sight}})
	}
}

// take hands what is in no feed to the user's connections here.
func (u *localUser) take(e envelope, f *frame, m bus.Message) {
	if e.Command != nil {
		u.execute(*e.Command, m)
		return
	}
	if f == nil {
		return // too large for the bus
	}
	if e.Call != nil {
		f.aged = true
		u.server.liveCalls.note(strings.TrimPrefix(e.Key, callKey), u.id, *e.Call)
	}
	for _, c := range u.all() {
		if e.Tab == "" || e.Tab == c.tab.TabID {
			c.note(e.Class, e.Key, f)
		}
	}
}

// change tells the tab of a change of a feed. Before the welcome the connection only remembers
// that there is one.
func (c *connection) change(feed string, n notice) {
	if !c.isForChange(feed, n.frame) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase {
	case greeting:
		if c.early == nil {
			c.early = map[string]int64{}
		}
		c.early[feed] = max(c.early[feed], n.pos)
	case live:
		c.out.push(item{frame: n.frame, class: change, key: feed, pos: n.pos})
	}
}

// note passes on what is in no feed. Nothing goes out before the welcome, which tells as much.
// What may be dropped is sent only after synced, and over a data channel only in place of a
// WebSocket.
func (c *connection) note(class class, key string, f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != live || class == ephemeral && !c.synced || !c.isFor(f.data) {
		return
	}
	c.push(f, class, key)
}

// envelopesLost is called by the bus when it lost messages of a subject, or, with an empty one, of
// any: this node or another one was without the bus.
func (s *Server) envelopesLost(lost string) {
	s.watches.missed(lost)
	if lost == "" {
		s.run(func() { s.presence.heartbeat(time.Now()) }) // who misses a change of presence reads this node again
		if s.calls != nil {
			s.calls.SweepSoon()
		}
	}
	s.sweepSoon()
	for _, u := range s.localUsers() {
		if lost == "" || lost == subject(u.id) {
			for _, c := range u.all() {
				s.presence.lookAgainAtAll(c) // what was lost may have said so
			}
		}
	}
}

// ephemeralTo tells a user's tabs what they may miss.
func (s *Server) ephemeralTo(user, method string, params any) {
	s.toUser(user, envelope{Class: ephemeral}, notification(method, params))
}
