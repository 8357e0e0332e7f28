package chat_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

// model is what four users who do anything in any order may expect of the service.
type model struct {
	t     *rapid.T
	db    *store.Store
	s     *chat.Service
	heard *told
	users []chat.User

	rooms    map[string]*room
	opened   []string // the same, in order
	pairs    map[string]string
	sent     map[string]chat.Message // by sender and client id, as it is now
	contacts map[string]map[string]bool
	objects  map[string]map[string]string
	tabs     []*tab
	pos      map[string]int64 // told last, by conversation
}

type room struct {
	direct   bool
	members  map[string]*part
	messages []chat.Message
}

// part is how a user takes part in a room.
type part struct {
	state                 chat.MemberState
	from, read, delivered int64
	missed, missedSeq     int64
}

// unread counts one by one what a client computes.
func (r *room) unread(user string) (n int64) {
	for _, m := range r.messages {
		if m.Sender != user && m.Kind.Counts() && m.Seq > r.members[user].read {
			n++
		}
	}
	return n + r.members[user].missed
}

// tab is a page of one user that keeps what it has read of feeds, and sleeps now and then.
type tab struct {
	user  string
	feeds map[string]*kept
}

type kept struct {
	pos   int64
	items map[string]chat.Item // by what they are
}

// bubble is a test whose time is not real: it has no deadline that rapid could ask for.
type bubble struct{ *testing.T }

// Any order of sends, repeats, changes, marks, joins, leaves and sleeps leaves one history. All
// tabs agree on it that read on from wherever they were.
func TestRandomUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // marks wait for others
		heard := &told{}
		db := open(t, store.Config{}, heard.add)
		round := 0
		rapid.Check(bubble{t}, func(rt *rapid.T) {
			round++
			heard.take()
			m := &model{
				t: rt, db: db, s: chat.New(db, chat.Config{Reach: anyone.Reach, PageSize: 5, InvitationsPerPair: 100}), heard: heard,
				rooms: map[string]*room{}, pairs: map[string]string{}, sent: map[string]chat.Message{},
				contacts: map[string]map[string]bool{}, objects: map[string]map[string]string{}, pos: map[string]int64{},
			}
			for i := range 4 { // users of their own in each round: the database is shared
				id := fmt.Sprintf("u%d-%d", round, i)
				m.users = append(m.users, chat.User{ID: id})
				m.contacts[id], m.objects[id] = map[string]bool{}, map[string]string{}
				for range 2 {
					m.tabs = append(m.tabs, &tab{user: id, feeds: map[string]*kept{}})
				}
			}
			for range 2 {
				rt.Repeat(map[string]func(*rapid.T){
					"send":    m.send,
					"repeat":  m.repeat,
					"revise":  m.revise,
					"group":   m.group,
					"join":    m.join,
					"leave":   m.leave,
					"mark":    m.mark,
					"contact": m.contact,
					"object":  m.object,
					"wake":    m.wake,
					"":        m.listen,
				})
			}
			m.settle()
		})
	})
}

func (m *model) user() chat.User { return rapid.SampledFrom(m.users).Draw(m.t, "user") }

func (m *model) room() (string, *room) {
	if len(m.opened) == 0 {
		m.t.Skip("no conversation yet")
	}
	id := rapid.SampledFrom(m.opened).Draw(m.t, "conversation")
	return id, m.rooms[id]
}

func (m *model) must(what string, err error) {
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

func (m *model) refused(what string, err error, want refusal.Code) {
	if !refusal.Is(err, want) {
		m.t.Fatalf("%s: got %v, want %s", what, err, want)
	}
}

// joined reports whether a user takes part in a room.
func (r *room) joined(user string) bool {
	p := r.members[user]
	return p != nil && p.state == chat.Joined
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
	got, at, err := m.s.Send(m.t.Context(), from, p)
	if first, again := m.sent[from.ID+" "+clientID]; again {
		m.must("send again", err)
		if !reflect.DeepEqual(got, first) || at.Pos == 0 {
			m.t.Fatalf("sent again: got %+v; want it as it is now: %+v", got, first)
		}
		return
	}
	if p.To == from.ID {
		m.refused("to oneself", err, refusal.BadRequest)
		return
	}
	if p.To == "" && !m.rooms[p.Conversation].joined(from.ID) {
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
			m.open(got.Conversation, true, map[string]chat.MemberState{from.ID: chat.Joined, p.To: chat.Joined})
		}
	}
	r := m.rooms[got.Conversation]
	if got.Seq != int64(len(r.messages)+1) || got.N != got.Seq {
		m.t.Fatalf("seq %d, n %d after %d messages: they have no gaps", got.Seq, got.N, len(r.messages))
	}
	r.messages = append(r.messages, got)
	m.sent[from.ID+" "+clientID] = got
	if r.direct {
		for user := range r.members {
			if user != from.ID {
				m.contacts[from.ID][user] = true
			}
		}
	}
}

// repeat sends something that was acknowledged before once more, to somewhere else.
func (m *model) repeat(*rapid.T) {
	for _, u := range m.users {
		if first, ok := m.sent[u.ID+" c0"]; ok {
			got, _, err := m.s.Send(m.t.Context(), u, chat.SendParams{Conversation: "elsewhere", ClientID: "c0", Text: "other"})
			if err != nil || !reflect.DeepEqual(got, first) {
				m.t.Fatalf("sent again: got %+v, %v; want %+v", got, err, first)
			}
		}
	}
}

// revise changes a message, and some may have missed it.
func (m *model) revise(*rapid.T) {
	id, r := m.room()
	if len(r.messages) == 0 {
		m.t.Skip("no message yet")
	}
	message := &r.messages[rapid.IntRange(0, len(r.messages)-1).Draw(m.t, "message")]
	var missed []string
	for _, u := range m.users {
		if rapid.Bool().Draw(m.t, "missed") {
			missed = append(missed, u.ID)
		}
	}
	var got chat.Message
	err := m.db.Write(m.t.Context(), id, func(tx chat.Tx) (err error) {
		if err := tx.Lock([]string{id}, missed); err != nil {
			return err
		}
		changed := *message
		changed.Text += "!"
		got, _, err = chat.Revise(tx, changed, missed)
		return err
	})
	m.must("revise", err)
	if got.Revision != message.Revision+1 {
		m.t.Fatalf("revision %d follows %d", got.Revision, message.Revision)
	}
	*message = got
	if _, sent := m.sent[got.Sender+" "+got.ClientID]; sent {
		m.sent[got.Sender+" "+got.ClientID] = got
	}
	for _, user := range missed {
		if p := r.members[user]; r.joined(user) && p.read < got.Seq && p.missedSeq < got.Seq {
			p.missed++
			p.missedSeq = got.Seq
		}
	}
}

func (m *model) group(*rapid.T) {
	creator := m.users[0].ID
	states := map[string]chat.MemberState{creator: chat.Joined}
	members := rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 1, 3, rapid.ID[int]).Draw(m.t, "members")
	vouched := rapid.Bool().Draw(m.t, "vouched")
	var ids []string
	for _, i := range members {
		id := m.users[i].ID
		ids = append(ids, id)
		states[id] = chat.Invited
		if vouched || m.contacts[id][creator] {
			states[id] = chat.Joined
		}
	}
	c, err := m.s.Create(m.t.Context(), m.users[0], chat.CreateParams{Kind: chat.Group, Members: ids, Name: "Group", Vouched: vouched})
	m.must("create group", err)
	m.open(c.ID, false, states)
}

func (m *model) open(id string, direct bool, states map[string]chat.MemberState) {
	m.opened = append(m.opened, id)
	r := &room{direct: direct, members: map[string]*part{}}
	m.rooms[id] = r
	for user, state := range states {
		r.members[user] = &part{state: state}
	}
	m.pos[id] = int64(1 + len(states))
}

func (m *model) join(*rapid.T) {
	user := m.user()
	id, r := m.room()
	c, err := m.s.Join(m.t.Context(), user, id)
	p := r.members[user.ID]
	if p == nil || p.state == chat.Gone {
		m.refused("join", err, refusal.NotFound)
		return
	}
	m.must("join", err)
	if p.state == chat.Invited {
		last := int64(len(r.messages))
		*p = part{state: chat.Joined, from: last + 1, read: last, delivered: last}
	}
	if c.Mine.FromSeq != p.from || c.Mine.State != chat.Joined {
		m.t.Fatalf("%s joined %+v, want it from %d", user.ID, c.Mine, p.from)
	}
}

func (m *model) leave(*rapid.T) {
	user := m.user().ID
	id, r := m.room()
	err := m.s.Leave(m.t.Context(), user, id)
	switch p := r.members[user]; {
	case p == nil || p.state == chat.Gone:
		m.refused("leave", err, refusal.NotFound)
	case r.direct:
		m.refused("leave a conversation of two", err, refusal.NotAllowed)
	default:
		m.must("leave", err)
		p.state = chat.Gone
	}
}

// mark sets marks in several conversations at once.
func (m *model) mark(*rapid.T) {
	user := m.user().ID
	marks := map[string]chat.Marks{}
	any := false
	for range rapid.IntRange(1, 3).Draw(m.t, "conversations") {
		id, r := m.room()
		last := int64(len(r.messages))
		marks[id] = chat.Marks{
			Read:      rapid.Int64Range(0, last+2).Draw(m.t, "read"),
			Delivered: rapid.Int64Range(0, last+2).Draw(m.t, "delivered"),
		}
		any = any || r.joined(user)
	}
	err := m.s.SetMarks(m.t.Context(), user, marks)
	if !any {
		m.refused("not a member", err, refusal.NotFound)
		return
	}
	m.must("mark", err)
	for id, to := range marks {
		r := m.rooms[id]
		if !r.joined(user) {
			continue
		}
		p, last := r.members[user], int64(len(r.messages))
		p.read = max(p.read, min(to.Read, last))
		p.delivered = max(p.delivered, p.read, min(to.Delivered, last))
		if p.missedSeq <= p.read {
			p.missed = 0
		}
	}
}

func (m *model) contact(*rapid.T) {
	user, other := m.user().ID, m.user().ID
	if user == other {
		return
	}
	if rapid.Bool().Draw(m.t, "add") {
		m.must("add contact", m.s.AddContact(m.t.Context(), user, other))
		m.contacts[user][other] = true
	} else {
		m.must("remove contact", m.s.RemoveContact(m.t.Context(), user, other))
		delete(m.contacts[user], other)
	}
}

func (m *model) object(*rapid.T) {
	user, key := m.user().ID, rapid.SampledFrom([]string{"a", "b"}).Draw(m.t, "key")
	value := rapid.SampledFrom([]string{"1", `"<two>"`, "null"}).Draw(m.t, "value")
	m.must("set object", m.s.SetObject(m.t.Context(), user, "tab", key, []byte(value)))
	m.objects[user][key] = value
	if value == "null" {
		delete(m.objects[user], key)
	}
}

// listen follows what was told. In each conversation pos has no gaps.
func (m *model) listen(*rapid.T) {
	for _, said := range m.heard.take() {
		r := m.rooms[said.Conversation]
		if r == nil || said.Item.Pos == 0 {
			continue
		}
		if said.Item.Pos != m.pos[said.Conversation]+1 {
			m.t.Fatalf("told pos %d of %s after %d", said.Item.Pos, said.Conversation, m.pos[said.Conversation])
		}
		m.pos[said.Conversation] = said.Item.Pos
	}
}

// wake lets a tab read on in one of its feeds, or in all.
func (m *model) wake(*rapid.T) {
	tab := rapid.SampledFrom(m.tabs).Draw(m.t, "tab")
	if rapid.Bool().Draw(m.t, "all") {
		m.readOn(tab)
		return
	}
	id, r := m.room()
	if r.joined(tab.user) {
		m.readFeed(tab, id)
	}
}

// readOn reads on in all feeds of a tab, and forgets those that it may read no more.
func (m *model) readOn(tab *tab) {
	m.readFeed(tab, chat.OwnFeed)
	for id, r := range m.rooms {
		if r.joined(tab.user) {
			m.readFeed(tab, id)
			continue
		}
		_, err := m.s.Changes(m.t.Context(), tab.user, id, 0, 0)
		m.refused("a feed that is not theirs", err, refusal.NotFound)
		delete(tab.feeds, id)
	}
}

func (m *model) readFeed(tab *tab, name string) {
	k := tab.feeds[name]
	if k == nil {
		k = &kept{items: map[string]chat.Item{}}
		tab.feeds[name] = k
	}
	for {
		c, err := m.s.Changes(m.t.Context(), tab.user, name, k.pos, 0)
		m.must("changes", err)
		if c.Reset || c.UpTo < k.pos {
			m.t.Fatalf("%s after %d of %s: reset %t, up to %d", tab.user, k.pos, name, c.Reset, c.UpTo)
		}
		for _, item := range c.Items {
			if item.Pos <= k.pos || item.Pos > c.UpTo {
				m.t.Fatalf("after %d, whole up to %d, there is an item at %d", k.pos, c.UpTo, item.Pos)
			}
			k.items[m.what(item)] = item
		}
		if k.pos = c.UpTo; !c.More {
			return
		}
	}
}

// what names what an item is, whatever has become of it.
func (m *model) what(item chat.Item) string {
	switch item.Type {
	case chat.ItemMessage:
		return fmt.Sprint("message ", decode[chat.Message](m.t, item.Data).Seq)
	case chat.ItemMember:
		return "member " + decode[chat.Member](m.t, item.Data).ID
	case chat.ItemMembership:
		return "membership " + decode[chat.Membership](m.t, item.Data).Conversation
	case chat.ItemContact:
		return "contact " + decode[chat.Contact](m.t, item.Data).ID
	case chat.ItemObject:
		return "object " + decode[chat.UserObject](m.t, item.Data).Key
	}
	return string(item.Type)
}

// settle compares everything with the model once all tabs have read on, with those that begin now.
func (m *model) settle() {
	m.listen(nil)
	for _, u := range m.users {
		m.tabs = append(m.tabs, &tab{user: u.ID, feeds: map[string]*kept{}})
	}
	for _, tab := range m.tabs {
		m.readOn(tab)
		m.checkOwn(tab)
		positions := map[string]chat.FeedPosition{}
		for id, k := range tab.feeds {
			if id != chat.OwnFeed {
				m.checkFeed(tab, id)
			}
			if len(k.items) > 0 {
				positions[id] = k.position()
			}
		}
		if got := resume(m.t, m.s, tab.user, positions); len(got) > 0 {
			m.t.Fatalf("a tab that has read on is to forget %q", got)
		}
	}
	for id, r := range m.rooms {
		for user := range r.members {
			if r.joined(user) {
				m.checkView(user, id)
			}
		}
	}
}

func (k *kept) position() chat.FeedPosition {
	p := chat.FeedPosition{Pos: k.pos}
	items := slices.SortedFunc(maps.Values(k.items), func(a, b chat.Item) int { return int(b.Pos - a.Pos) })
	for _, item := range items[:min(3, len(items))] {
		p.Newest = append(p.Newest, item.Place)
	}
	return p
}

// checkOwn compares a tab's own feed.
func (m *model) checkOwn(tab *tab) {
	contacts, objects := map[string]bool{}, map[string]string{}
	for what, item := range tab.feeds[chat.OwnFeed].items {
		switch item.Type {
		case chat.ItemContact:
			if c := decode[chat.Contact](m.t, item.Data); !c.Gone {
				contacts[c.ID] = true
			}
		case chat.ItemObject:
			if o := decode[chat.UserObject](m.t, item.Data); string(o.Value) != "null" {
				objects[o.Key] = string(o.Value)
			}
		case chat.ItemMembership:
			got := decode[chat.Membership](m.t, item.Data)
			p := m.rooms[got.Conversation].members[tab.user]
			if got.State != p.state || got.FromSeq != p.from || got.Read != p.read || got.Missed != p.missed {
				m.t.Fatalf("a tab of %s has the %s %+v, want %+v", tab.user, what, got, p)
			}
		}
	}
	if !maps.Equal(contacts, m.contacts[tab.user]) || !maps.Equal(objects, m.objects[tab.user]) {
		m.t.Fatalf("a tab of %s has contacts %v and objects %v; want %v and %v", tab.user, contacts, objects, m.contacts[tab.user], m.objects[tab.user])
	}
	for id, r := range m.rooms {
		if _, there := tab.feeds[chat.OwnFeed].items["membership "+id]; there != (r.members[tab.user] != nil) {
			m.t.Fatalf("a tab of %s has a membership of %s: %t", tab.user, id, there)
		}
	}
}

// checkFeed compares what a tab keeps of a conversation.
func (m *model) checkFeed(tab *tab, id string) {
	r := m.rooms[id]
	from := r.members[tab.user].from
	var got, want []chat.Message
	for _, message := range r.messages {
		if message.Seq >= from {
			want = append(want, message)
		}
	}
	states := map[string]chat.MemberState{}
	for _, item := range tab.feeds[id].items {
		switch item.Type {
		case chat.ItemMessage:
			got = append(got, decode[chat.Message](m.t, item.Data))
		case chat.ItemMember:
			member := decode[chat.Member](m.t, item.Data)
			states[member.ID] = member.State
		}
	}
	slices.SortFunc(got, func(a, b chat.Message) int { return int(a.Seq - b.Seq) })
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		m.t.Fatalf("a tab of %s keeps of %s %s, want %s", tab.user, id, texts(got), texts(want))
	}
	for user, p := range r.members {
		if states[user] != p.state {
			m.t.Fatalf("a tab of %s keeps that %s is %q, want %q", tab.user, user, states[user], p.state)
		}
	}
}

// checkView compares what a user is answered about a conversation.
func (m *model) checkView(user, id string) {
	r := m.rooms[id]
	p := r.members[user]
	c, mine := get(m.t, m.s, user, id)
	joined := 0
	for other := range r.members {
		if r.joined(other) {
			joined++
		}
	}
	if unread(c) != r.unread(user) || c.LastSeq != int64(len(r.messages)) || c.Count != joined || c.Pos != m.pos[id] {
		m.t.Fatalf("%s in %s: unread %d, last %d, %d members, pos %d; want %d, %d, %d, %d", user, id,
			unread(c), c.LastSeq, c.Count, c.Pos, r.unread(user), len(r.messages), joined, m.pos[id])
	}
	if mine.Read != p.read || mine.Delivered != p.delivered {
		m.t.Fatalf("%s in %s: read %d, delivered %d; want %d, %d", user, id, mine.Read, mine.Delivered, p.read, p.delivered)
	}
	want := slices.DeleteFunc(slices.Clone(r.messages), func(message chat.Message) bool { return message.Seq < p.from })
	if got := history(m.t, m.s, user, id); len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		m.t.Fatalf("history of %s: %s, want %s", id, texts(got), texts(want))
	}
}
