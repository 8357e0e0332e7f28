package chat_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

// model is what four users who do anything in any order may expect of the service.
type model struct {
	t     *rapid.T
	s     *chat.Service
	users []chat.User

	conversations map[string]*room
	opened        []string // the same, in order
	pairs         map[string]string
	sent          map[string]chat.Message // by sender and client id
	tabs          []*tab
}

type room struct {
	members  map[string]*chat.Member // marks
	messages []chat.Message
}

// tab follows one user's log and builds from it what the user would see.
type tab struct {
	user   string
	offset int64
	told   int // times it had to page instead
	last   map[string]int64
	marks  map[string]chat.Receipt
}

// Any order of sends, repeats, marks, reads and sleeps leaves one history that all
// tabs agree on.
func TestRandomUse(t *testing.T) {
	db := database(t, store.Config{LogEvents: 12})
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m := &model{
			t: rt, s: chat.New(db, anyone),
			conversations: map[string]*room{}, pairs: map[string]string{}, sent: map[string]chat.Message{},
		}
		for i := range 4 { // users of their own in each round: the database is shared
			u := chat.User{ID: fmt.Sprintf("u%d-%d", round, i)}
			m.users = append(m.users, u)
			for range 2 {
				m.tabs = append(m.tabs, &tab{user: u.ID, last: map[string]int64{}, marks: map[string]chat.Receipt{}})
			}
		}
		for range 4 { // long enough for logs to lose their oldest events
			rt.Repeat(map[string]func(*rapid.T){
				"send":   m.send,
				"repeat": m.repeat,
				"group":  m.group,
				"read":   m.read,
				"wake":   m.wake,
				"":       func(*rapid.T) {},
			})
		}
		m.settle()
	})
}

func (m *model) user() chat.User { return rapid.SampledFrom(m.users).Draw(m.t, "user") }

func (m *model) room() (string, *room) {
	if len(m.opened) == 0 {
		m.t.Skip("no conversation yet")
	}
	id := m.opened[rapid.IntRange(0, len(m.opened)-1).Draw(m.t, "conversation")]
	return id, m.conversations[id]
}

func (m *model) list(user string) []chat.Conversation {
	list, _, err := m.s.List(m.t.Context(), user, "", 0)
	m.must("list", err)
	return list
}

func (m *model) must(what string, err error) {
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

func (m *model) send(*rapid.T) {
	from := m.user()
	clientID := fmt.Sprintf("c%d", rapid.IntRange(0, 30).Draw(m.t, "client id"))
	p := chat.SendParams{ClientID: clientID, Text: fmt.Sprintf("text %d", len(m.sent))}
	if rapid.Bool().Draw(m.t, "direct") {
		p.To = m.user().ID
	} else {
		p.Conversation, _ = m.room()
	}
	got, err := m.s.Send(m.t.Context(), from, p)
	if first, again := m.sent[from.ID+" "+clientID]; again && (p.To != from.ID || err == nil) {
		if err != nil || !reflect.DeepEqual(got, first) {
			m.t.Fatalf("sent again: got %+v, %v; want the first %+v", got, err, first)
		}
		return
	}
	if p.To == from.ID {
		m.refused("to oneself", err, refusal.BadRequest)
		return
	}
	if p.To == "" && m.conversations[p.Conversation].members[from.ID] == nil {
		m.refused("not a member", err, refusal.NotFound)
		return
	}
	m.must("send", err)
	if p.To != "" {
		key := min(from.ID, p.To) + " " + max(from.ID, p.To)
		if known := m.pairs[key]; known != "" && known != got.Conversation {
			m.t.Fatalf("a second conversation %s for %s, there is %s", got.Conversation, key, known)
		}
		if m.pairs[key] == "" {
			m.pairs[key] = got.Conversation
			m.open(got.Conversation, from.ID, p.To)
		}
	}
	r := m.conversations[got.Conversation]
	if got.Seq != int64(len(r.messages)+1) {
		m.t.Fatalf("seq %d after %d messages: seq has no gaps", got.Seq, len(r.messages))
	}
	r.messages = append(r.messages, got)
	m.sent[from.ID+" "+clientID] = got
}

func (m *model) refused(what string, err error, want refusal.Code) {
	if !refusal.Is(err, want) {
		m.t.Fatalf("%s: got %v, want %s", what, err, want)
	}
}

// repeat sends something that was acknowledged before once more, to somewhere else.
func (m *model) repeat(*rapid.T) {
	for _, u := range m.users {
		if first, ok := m.sent[u.ID+" c0"]; ok {
			got, err := m.s.Send(m.t.Context(), u, chat.SendParams{Conversation: "elsewhere", ClientID: "c0", Text: "other"})
			if err != nil || !reflect.DeepEqual(got, first) {
				m.t.Fatalf("sent again: got %+v, %v; want %+v", got, err, first)
			}
		}
	}
}

func (m *model) group(*rapid.T) {
	members := rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 1, 3, rapid.ID[int]).Draw(m.t, "members")
	ids := []string{}
	for _, i := range members {
		ids = append(ids, m.users[i].ID)
	}
	c, err := m.s.Create(m.t.Context(), m.users[0], chat.Group, ids, "Group")
	m.must("create group", err)
	m.open(c.ID, append(ids, m.users[0].ID)...)
}

func (m *model) open(id string, users ...string) {
	m.opened = append(m.opened, id)
	m.conversations[id] = &room{members: map[string]*chat.Member{}}
	for _, u := range users {
		m.conversations[id].members[u] = &chat.Member{}
	}
}

func (m *model) read(*rapid.T) {
	user := m.user().ID
	id, r := m.room()
	seq := rapid.Int64Range(0, int64(len(r.messages))+2).Draw(m.t, "seq")
	err := m.s.MarkRead(m.t.Context(), user, id, seq)
	mine := r.members[user]
	if mine == nil {
		m.refused("not a member", err, refusal.NotFound)
		return
	}
	m.must("read", err)
	mine.Read = max(mine.Read, min(seq, int64(len(r.messages))))
	mine.Delivered = max(mine.Delivered, mine.Read)
}

// wake lets a tab catch up: with everything, or told that it must page. It may
// acknowledge what it got.
func (m *model) wake(*rapid.T) {
	m.catchUp(rapid.SampledFrom(m.tabs).Draw(m.t, "tab"), rapid.Bool().Draw(m.t, "ack"))
}

func (m *model) catchUp(tab *tab, ack bool) {
	ctx := m.t.Context()
	for {
		events, complete, err := m.s.EventsAfter(ctx, tab.user, tab.offset, 7)
		m.must("resume", err)
		if !complete {
			m.page(tab)
			break
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			tab.take(m, e)
		}
	}
	if !ack {
		return
	}
	m.must("ack", m.s.MarkDelivered(ctx, tab.user, tab.offset))
	for _, r := range m.conversations {
		if mine := r.members[tab.user]; mine != nil {
			for _, message := range r.messages {
				if message.Sender != tab.user {
					mine.Delivered = max(mine.Delivered, message.Seq)
				}
			}
		}
	}
}

// take applies one event, which must be the next one and never contradict an earlier.
func (tab *tab) take(m *model, e chat.Event) {
	if e.Offset != tab.offset+1 {
		m.t.Fatalf("%s got event %d after %d: a hole", tab.user, e.Offset, tab.offset)
	}
	tab.offset = e.Offset
	switch e.Type {
	case chat.EventMessage:
		var got chat.Message
		m.must("decode", json.Unmarshal(e.Data, &got))
		if got.Seq != tab.last[got.Conversation]+1 {
			m.t.Fatalf("%s got message %d after %d of %s", tab.user, got.Seq, tab.last[got.Conversation], got.Conversation)
		}
		tab.last[got.Conversation] = got.Seq
		if want := m.conversations[got.Conversation].messages[got.Seq-1]; !reflect.DeepEqual(got, want) {
			m.t.Fatalf("%s got %+v, the sender was answered %+v", tab.user, got, want)
		}
	case chat.EventReceipt:
		var r chat.Receipt
		m.must("decode", json.Unmarshal(e.Data, &r))
		key := r.Conversation + " " + r.User
		if was := tab.marks[key]; r.Read < was.Read || r.Delivered < was.Delivered {
			m.t.Fatalf("%s was told %+v after %+v: a mark went back", tab.user, r, was)
		}
		tab.marks[key] = r
	}
}

// page is what a tab does that was told it missed events.
func (m *model) page(tab *tab) {
	tab.told++
	var err error
	tab.offset, err = m.s.Offset(m.t.Context(), tab.user)
	m.must("offset", err)
	for _, c := range m.list(tab.user) {
		tab.last[c.ID] = c.LastSeq
		for _, member := range c.Members {
			tab.marks[c.ID+" "+member.ID] = chat.Receipt{Delivered: member.Delivered, Read: member.Read}
		}
	}
}

// settle compares everything with the model once all tabs have caught up.
func (m *model) settle() {
	for _, tab := range m.tabs {
		m.catchUp(tab, false)
	}
	for id, r := range m.conversations {
		for user, mine := range r.members {
			c, err := m.s.Conversation(m.t.Context(), user, id)
			m.must("conversation", err)
			unread := 0
			for _, message := range r.messages {
				if message.Sender != user && message.Seq > mine.Read {
					unread++
				}
			}
			if c.Unread != unread || c.LastSeq != int64(len(r.messages)) {
				m.t.Fatalf("%s in %s: unread %d, last %d; want %d, %d", user, id, c.Unread, c.LastSeq, unread, len(r.messages))
			}
			for _, got := range c.Members {
				if got.ID == user && (got.Read != mine.Read || got.Delivered != mine.Delivered) {
					m.t.Fatalf("%s in %s: read %d, delivered %d; want %d, %d", user, id, got.Read, got.Delivered, mine.Read, mine.Delivered)
				}
			}
			page, _, err := m.s.Page(m.t.Context(), user, id, 0, 0, 0)
			m.must("page", err)
			if len(page) != len(r.messages) || len(page) > 0 && !reflect.DeepEqual(page, r.messages) {
				m.t.Fatalf("history of %s: %s, want %s", id, texts(page), texts(r.messages))
			}
		}
	}
	for _, tab := range m.tabs {
		for id, r := range m.conversations {
			if r.members[tab.user] != nil && tab.last[id] != int64(len(r.messages)) {
				m.t.Fatalf("a tab of %s knows %s up to %d of %d", tab.user, id, tab.last[id], len(r.messages))
			}
		}
	}
}
