package signaling

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	"carillon/bus"
	"carillon/chat"
)

// envelope is what goes over the bus to the connections of one user: a header, a newline
// and, unless it is a command to the nodes, the frame as the tabs get it.
type envelope struct {
	Offset  int64    `json:"o,omitempty"` // of an event
	Class   class    `json:"c,omitempty"`
	Key     string   `json:"k,omitempty"`
	Tab     string   `json:"t,omitempty"` // only for this tab
	Command *command `json:"x,omitempty"`
}

func subject(user string) string {
	// A user's id may hold what means something in a subject.
	return "user." + base64.RawURLEncoding.EncodeToString([]byte(user))
}

// maxEnvelope is what the bus carries at most, less some room for its own header. The
// envelope of a larger event goes out without the event; tabs read it from the log.
const maxEnvelope = 1<<20 - 4<<10

// toUser is the one way to the tabs of a user, on whichever nodes they are. It does not
// wait. When an event is lost on the way, its offset is missing, and the tab's connection reads
// the log.
func (s *Server) toUser(user string, e envelope, f *frame) {
	header, err := json.Marshal(e)
	if err != nil {
		panic("signaling: " + err.Error()) // plain strings and numbers
	}
	message := append(header, '\n')
	if f != nil && len(header)+len(f.data) < maxEnvelope {
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
		s.toUser(e.User, envelope{Offset: e.Event.Offset, Class: c, Key: key}, eventFrame(e.Event, now))
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
	s.toUser(user, envelope{Tab: tab, Class: c, Key: key}, notification(method, params))
}

// receive hands an envelope to the connections of this node. It runs on a goroutine of the
// bus and does not wait.
func (u *localUser) receive(m bus.Message) {
	header, body, _ := bytes.Cut(m.Data, []byte{'\n'})
	var e envelope
	if err := json.Unmarshal(header, &e); err != nil {
		u.server.log.Error("read envelope", "user", u.id, "err", err)
		return
	}
	if e.Command != nil {
		u.execute(*e.Command, m)
		return
	}
	f := &frame{data: body, event: e.Offset > 0}
	all := u.all()
	f.shared = len(all) > 1 && e.Tab == ""
	for _, c := range all {
		if e.Tab != "" && e.Tab != c.tab.TabID {
			continue
		}
		if e.Offset > 0 {
			c.event(e, f)
			u.server.presence.toldOf(c, f.data)
		} else {
			c.note(e, f)
		}
	}
}

// event sends an event whose envelope came, if it is the next one.
func (c *connection) event(e envelope, f *frame) {
	p := &c.position
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(f.data) == 0 { // too large for the bus
		p.cursor.newest = max(p.cursor.newest, e.Offset)
		c.readAgainLocked()
		return
	}
	mine := c.isForLocked(f)
	switch p.cursor.announced(e.Offset) {
	case send:
		if mine {
			c.push(f, e.Class, e.Key)
		}
	case readLog:
		c.readMissedLocked()
	}
}

// readAgain reads the log because envelopes may have been lost.
func (c *connection) readAgain() {
	c.position.mu.Lock()
	defer c.position.mu.Unlock()
	c.readAgainLocked()
}

func (c *connection) readAgainLocked() {
	if c.position.cursor.lost() {
		c.readMissedLocked()
	}
}

// readMissedLocked starts to read the log; the cursor says that it is being read.
func (c *connection) readMissedLocked() {
	if !c.out.isClosed() {
		c.server.work.Go(func() { c.catchUp(nil, nil) })
	}
}

// note passes on what has no offset. Nothing goes out before the welcome, which tells as much.
// What may be dropped is sent only after synced, and over a data channel only in place of a
// WebSocket.
func (c *connection) note(e envelope, f *frame) {
	p := &c.position
	p.mu.Lock()
	defer p.mu.Unlock()
	if phase := p.cursor.phase; phase == greeting || phase == standby || e.Class == ephemeral && !p.synced {
		return
	}
	if c.isForLocked(f) {
		c.push(f, e.Class, e.Key)
	}
}

// envelopesLost is called by the bus when it lost messages of a subject, or of any.
func (s *Server) envelopesLost(lost string) {
	for _, u := range s.localUsers() {
		if lost == "" || lost == subject(u.id) {
			for _, c := range u.all() {
				c.readAgain()
				s.presence.lookAgainAtAll(c) // what was lost may have said so
			}
		}
	}
}

// ephemeralTo tells a user's tabs what they may miss.
func (s *Server) ephemeralTo(user, method string, params any) {
	s.toUser(user, envelope{Class: ephemeral}, notification(method, params))
}
