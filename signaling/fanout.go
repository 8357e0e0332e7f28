package signaling

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	"carillon/bus"
	"carillon/chat"
)

// notice is what goes over the bus to the links of one user: a header, a newline and,
// unless it is a command to the nodes, the frame as the tabs get it.
type notice struct {
	Offset int64    `json:"o,omitempty"` // of an event
	Class  class    `json:"c,omitempty"`
	Key    string   `json:"k,omitempty"`
	Tab    string   `json:"t,omitempty"` // only for this tab
	Order  *command `json:"x,omitempty"`
}

// command tells the nodes something about one user's tabs.
type command struct {
	Tab     string `json:"tab,omitempty"`
	Session string `json:"session,omitempty"`
	Greeted int64  `json:"greeted,omitempty"` // a tab said hello at this time (unix ns): older sessions of it are over
	Synced  *bool  `json:"synced,omitempty"`  // the tab's socket has (or no longer has) everything
	Acked   int64  `json:"acked,omitempty"`   // with synced=false: from where its data channel goes on
	Leg     string `json:"leg,omitempty"`     // of a call: the tab holds it, or with Ended no longer
	Ended   bool   `json:"ended,omitempty"`
	SignOut bool   `json:"sign_out,omitempty"` // of Session, or of all whose token is not newer than Revoked
	Revoked int64  `json:"revoked,omitempty"`  // unix ns
}

func subject(user string) string {
	// A user's id may hold what means something in a subject.
	return "user." + base64.RawURLEncoding.EncodeToString([]byte(user))
}

// maxNotice is what the bus carries at most, less some room for its own header. A larger
// event rings the bell without its content; tabs read it from the log.
const maxNotice = 1<<20 - 4<<10

// toUser is the one way to the tabs of a user, on whichever nodes they are. It does not
// wait. What is lost on the way of durable things is noticed by its offset.
func (s *Server) toUser(user string, n notice, f *frame) {
	header, err := json.Marshal(n)
	if err != nil {
		panic("signaling: " + err.Error()) // plain strings and numbers
	}
	message := append(header, '\n')
	if f != nil && len(header)+len(f.data) < maxNotice {
		message = append(message, f.data...)
	}
	if err := s.bus.Publish(subject(user), message); err != nil {
		s.log.Warn("tell user", "user", user, "err", err)
	}
}

// Deliver tells the tabs of the users concerned about events that have been committed,
// in the order of the commit. The store calls it; it does not block.
func (s *Server) Deliver(events []chat.UserEvent) {
	now := time.Now()
	for _, e := range events {
		c, key := classOf(e.Event)
		s.toUser(e.User, notice{Offset: e.Event.Offset, Class: c, Key: key}, eventFrame(e.Event, now))
		if e.Event.Type == chat.EventMessage {
			s.metrics.messages.Inc()
		}
	}
}

// classOf says which events replace each other: the newest receipt of a user in a
// conversation holds all that the older ones said. On the wire their offsets are skipped.
func classOf(e chat.Event) (class, string) {
	if e.Type != chat.EventReceipt {
		return durable, ""
	}
	var r chat.Receipt
	if json.Unmarshal(e.Data, &r) != nil {
		return durable, ""
	}
	return mergeable, "r\x00" + r.Conversation + "\x00" + r.User
}

// toTab sends a notification to one tab of a user, wherever it is. A mergeable one may be
// replaced by a newer one with its key while the tab is slow.
func (s *Server) toTab(user, tab, method string, params any, c class, key string) {
	s.toUser(user, notice{Tab: tab, Class: c, Key: key}, notification(method, params))
}

// order tells the nodes that have tabs of the user.
func (s *Server) order(user string, c command) { s.toUser(user, notice{Order: &c}, nil) }

// receive hands a notice to the links of this node. It runs on a goroutine of the bus
// and does not wait.
func (h *hub) receive(m bus.Message) {
	header, body, _ := bytes.Cut(m.Data, []byte{'\n'})
	var n notice
	if err := json.Unmarshal(header, &n); err != nil {
		h.server.log.Error("read notice", "user", h.user, "err", err)
		return
	}
	if n.Order != nil {
		h.obey(*n.Order)
		return
	}
	f := &frame{data: body, event: n.Offset > 0}
	links := h.all()
	f.shared = len(links) > 1 && n.Tab == ""
	for _, l := range links {
		if n.Tab != "" && n.Tab != l.tab.Tab {
			continue
		}
		if n.Offset > 0 {
			l.bell(n, f)
		} else {
			l.note(n, f)
		}
	}
}

func (l *link) bell(n notice, f *frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if len(f.data) == 0 { // too large for the bus
		l.follow.newest = max(l.follow.newest, n.Offset)
		l.reloadLocked()
		return
	}
	switch l.follow.bell(n.Offset) {
	case send:
		l.pushLocked(item{frame: f, class: n.Class, key: n.Key})
	case readLog:
		l.server.work.Go(func() { l.catchUp(nil, nil) })
	}
}

// reload reads the log because bells may have been lost.
func (l *link) reload() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reloadLocked()
}

func (l *link) reloadLocked() {
	if !l.closed && l.follow.gap() {
		l.server.work.Go(func() { l.catchUp(nil, nil) })
	}
}

// note passes on what has no offset. What may be dropped is sent only after synced, and
// over a data channel only in place of a socket.
func (l *link) note(n notice, f *frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.follow.phase == muted || n.Class == ephemeral && !l.isSynced {
		return
	}
	l.pushLocked(item{frame: f, class: n.Class, key: n.Key})
}

// bellsLost is called by the bus when it lost messages of a subject, or of any.
func (s *Server) bellsLost(lost string) {
	for _, h := range s.hubs() {
		if lost == "" || lost == subject(h.user) {
			for _, l := range h.all() {
				l.reload()
			}
		}
	}
}

// ephemeralTo tells a user's tabs what they may miss.
func (s *Server) ephemeralTo(user, method string, params any) {
	s.toUser(user, notice{Class: ephemeral}, notification(method, params))
}
