package client

import (
	"time"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

const (
	marksEvery = time.Second // between two requests that set marks
	maxMarks   = 100         // conversations in one
)

// Mark moves this user's marks in a conversation: up to where this device has the messages, and up
// to where they were shown. They are stored within about a second, with others; a lost connection
// holds them up and loses none.
func (c *Client) Mark(conversation string, m chat.Marks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteMarkLocked(conversation, m)
	if c.conn != nil {
		c.conn.markSoonLocked()
	}
}

func (c *Client) noteMarkLocked(conversation string, m chat.Marks) {
	old := c.marks[conversation]
	c.marks[conversation] = chat.Marks{Delivered: max(old.Delivered, m.Delivered), Read: max(old.Read, m.Read)}
}

// deliveredLocked notes that a message of somebody else has arrived.
func (conn *connection) deliveredLocked(m chat.Message) {
	c := conn.client
	if m.Sender == c.welcome.User.ID {
		return
	}
	c.noteMarkLocked(m.Conversation, chat.Marks{Delivered: m.Seq})
	conn.markSoonLocked()
}

// markSoonLocked sends marks at once, or a second after those before.
func (conn *connection) markSoonLocked() {
	if len(conn.client.marks) == 0 || conn.marking || !conn.synced {
		return
	}
	conn.marking = true
	time.AfterFunc(max(0, time.Until(conn.markedAt.Add(marksEvery))), conn.sendMarks)
}

func (conn *connection) sendMarks() {
	c := conn.client
	c.mu.Lock()
	conn.markedAt = time.Now()
	sent := map[string]chat.Marks{}
	for id, m := range c.marks {
		if len(sent) < maxMarks {
			sent[id] = m
		}
	}
	c.mu.Unlock()
	conn.later(wire.MethodMarksSet, wire.MarksSet{Marks: sent}, func(answer wire.Frame) {
		err := resultOf(answer, nil)
		refused, _ := refusal.Of(err)
		c.mu.Lock()
		defer c.mu.Unlock()
		conn.marking = false
		if err != nil && refused.Retry > 0 {
			conn.markedAt = time.Now().Add(refused.Retry)
		} else {
			for id, m := range sent {
				if c.marks[id] == m {
					delete(c.marks, id) // stored, or refused for good
				}
			}
		}
		conn.markSoonLocked()
	})
}
