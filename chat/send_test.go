package chat_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

func TestAMessageReachesEveryMemberOnce(t *testing.T) {
	s, heard := listened(t, chat.Config{})
	first := send(t, s, alice, "bob", "a1", "Hello")
	if first.Seq != 1 || first.Sender != "alice" || first.ID == "" || first.SentAt == 0 {
		t.Errorf("first message: %+v", first)
	}
	for range 3 { // the answer was lost, the tab sends again
		if again := send(t, s, alice, "bob", "a1", "Hello"); !reflect.DeepEqual(again, first) {
			t.Errorf("sent again: got %+v, want the first %+v", again, first)
		}
	}
	send(t, s, bob, "alice", "a1", "Hi") // client ids are the sender's own
	told := of[chat.Message](t, toldOf(heard.take(), first.Conversation), chat.ItemMessage)
	for _, user := range []string{"alice", "bob"} {
		if mine := of[chat.Membership](t, feed(t, s, user, chat.OwnFeed), chat.ItemMembership); len(mine) != 1 || mine[0].Conversation != first.Conversation || mine[0].State != chat.Joined {
			t.Errorf("%s learnt of the memberships %+v, want the one", user, mine)
		}
		if c, _ := get(t, s, user, first.Conversation); len(c.Members) != 2 || c.Count != 2 || c.Last == nil || c.Last.Text != "Hi" {
			t.Errorf("%s sees the conversation %+v", user, c)
		}
		items := of[chat.Message](t, feed(t, s, user, first.Conversation), chat.ItemMessage)
		page := history(t, s, user, first.Conversation)
		if want := "1:Hello 2:Hi "; texts(items) != want || texts(page) != want || texts(told) != want {
			t.Errorf("%s: feed %q, history %q, told %q, want %q", user, texts(items), texts(page), texts(told), want)
		}
	}
}

// toldOf returns the items that the members of a conversation were told of.
func toldOf(list []chat.Told, conversation string) (items []chat.Item) {
	for _, t := range list {
		if t.Conversation == conversation && t.Item.Pos > 0 {
			items = append(items, t.Item)
		}
	}
	return items
}

// Who sends a message again learns what has become of it since.
func TestAMessageSentAgainIsAnsweredAsItIsNow(t *testing.T) {
	heard := &told{}
	db := open(t, store.Config{}, heard.add)
	s := chat.New(db, anyone)
	first := send(t, s, alice, "bob", "a1", "Hello")
	var revised chat.Message
	var at chat.Place
	err := db.Write(t.Context(), first.Conversation, func(tx chat.Tx) (err error) {
		m := first
		m.Text = "Hello!"
		revised, at, err = chat.Revise(tx, m, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	heard.take()
	again, place, err := s.Send(t.Context(), alice, chat.SendParams{To: "bob", ClientID: "a1", Text: "Hello"})
	if err != nil || !reflect.DeepEqual(again, revised) || place != at || again.Revision != 1 || again.Text != "Hello!" {
		t.Errorf("sent again: got %+v at %+v, %v; want %+v at %+v", again, place, err, revised, at)
	}
	if told := heard.take(); len(told) > 0 {
		t.Errorf("the repetition told %+v", told)
	}
}

// Fifty tabs write at once into one conversation, each one again and again.
func TestOneOrderUnderManySenders(t *testing.T) {
	s, heard := listened(t, chat.Config{})
	const senders, each = 50, 3
	users := make([]chat.User, senders)
	ids := make([]string, senders)
	for i := range users {
		ids[i] = fmt.Sprintf("user%d", i)
		users[i] = chat.User{ID: ids[i], Name: ids[i]}
	}
	c := group(t, s, users[0], ids[1:]...)
	var wg sync.WaitGroup
	for _, u := range users {
		wg.Go(func() {
			for n := range each {
				p := chat.SendParams{Conversation: c.ID, ClientID: fmt.Sprintf("m%d", n), Text: fmt.Sprintf("%s says %d", u.ID, n)}
				for range 1 + n%2 { // every other one twice
					if _, _, err := s.Send(t.Context(), u, p); err != nil {
						t.Errorf("%s sends %d: %v", u.ID, n, err)
					}
				}
			}
		})
	}
	wg.Wait()
	written := history(t, s, ids[7], c.ID)
	if len(written) != senders*each {
		t.Fatalf("history has %d messages, want %d", len(written), senders*each)
	}
	next := map[string]int{}
	for i, m := range written {
		if m.Seq != int64(i+1) {
			t.Fatalf("message %d has seq %d: seq has no gaps", i, m.Seq)
		}
		if want := fmt.Sprintf("%s says %d", m.Sender, next[m.Sender]); m.Text != want {
			t.Fatalf("seq %d: got %q, want %q: one sender's messages stay in order", m.Seq, m.Text, want)
		}
		next[m.Sender]++
	}
	for _, id := range ids {
		if got := of[chat.Message](t, feed(t, s, id, c.ID), chat.ItemMessage); texts(got) != texts(written) {
			t.Errorf("the feed that %s reads has another order or other messages than the history", id)
		}
	}
	told := toldOf(heard.take(), c.ID)
	if got := of[chat.Message](t, told, chat.ItemMessage); texts(got) != texts(written) {
		t.Error("another order or other messages were told than the history has")
	}
	for i, item := range told[1:] {
		if item.Pos != told[i].Pos+1 {
			t.Errorf("told pos %d after %d: pos has no gaps", item.Pos, told[i].Pos)
		}
	}
}

func TestWhoMayWrite(t *testing.T) {
	s := service(t, chat.Config{MessageBytes: 100})
	m := send(t, s, alice, "bob", "a1", "Hello")
	ctx := t.Context()
	for _, p := range []struct {
		what string
		from chat.User
		p    chat.SendParams
		want refusal.Code
	}{
		{"a stranger", carol, chat.SendParams{Conversation: m.Conversation, ClientID: "c", Text: "x"}, refusal.NotFound},
		{"no such conversation", alice, chat.SendParams{Conversation: "none", ClientID: "c", Text: "x"}, refusal.NotFound},
		{"nowhere", alice, chat.SendParams{ClientID: "c", Text: "x"}, refusal.BadRequest},
		{"two places", alice, chat.SendParams{Conversation: m.Conversation, To: "bob", ClientID: "c", Text: "x"}, refusal.BadRequest},
		{"to oneself", alice, chat.SendParams{To: "alice", ClientID: "c", Text: "x"}, refusal.BadRequest},
		{"a user who cannot be", alice, chat.SendParams{To: "a\nb", ClientID: "c", Text: "x"}, refusal.BadRequest},
		{"no client id", alice, chat.SendParams{To: "bob", Text: "x"}, refusal.BadRequest},
		{"a long client id", alice, chat.SendParams{To: "bob", ClientID: strings.Repeat("x", 65), Text: "x"}, refusal.BadRequest},
		{"nothing", alice, chat.SendParams{To: "bob", ClientID: "c", Text: " \n"}, refusal.BadRequest},
		{"too much", alice, chat.SendParams{To: "bob", ClientID: "c", Text: strings.Repeat("ä", 51)}, refusal.TooLarge},
		{"no UTF-8", alice, chat.SendParams{To: "bob", ClientID: "c", Text: "\xff"}, refusal.BadRequest},
		{"a call log", alice, chat.SendParams{To: "bob", ClientID: "c", Kind: chat.Call, Text: "x"}, refusal.BadRequest},
		{"text with data", alice, chat.SendParams{To: "bob", ClientID: "c", Text: "x", Data: []byte(`{"a":1}`)}, refusal.BadRequest},
	} {
		_, _, err := s.Send(ctx, p.from, p.p)
		refused(t, p.what, err, p.want)
	}
	if got := history(t, s, "alice", m.Conversation); len(got) != 1 {
		t.Errorf("history after refusals: %d messages, want 1", len(got))
	}
	_, err := s.Page(ctx, "carol", m.Conversation, 0, 0, 0)
	refused(t, "a stranger reads", err, refusal.NotFound)
	_, err = s.Conversation(ctx, "carol", m.Conversation)
	refused(t, "a stranger looks", err, refusal.NotFound)
	_, err = s.Changes(ctx, "carol", m.Conversation, 0, 0)
	refused(t, "a stranger reads the feed", err, refusal.NotFound)
	_, err = s.Members(ctx, "carol", m.Conversation, "", 0)
	refused(t, "a stranger asks for members", err, refusal.NotFound)
	_, err = s.Join(ctx, carol, m.Conversation)
	refused(t, "a stranger joins", err, refusal.NotFound)
	refused(t, "a stranger leaves", s.Leave(ctx, "carol", m.Conversation), refusal.NotFound)
	refused(t, "a stranger marks", setMarks(ctx, s, "carol", m.Conversation, 1, 1), refusal.NotFound)
	if list, err := s.Marks(ctx, "carol", []string{m.Conversation}); err != nil || len(list) > 0 {
		t.Errorf("a stranger is told the marks %+v, %v", list, err)
	}
	if list, more, err := s.Conversations(ctx, "carol", []string{m.Conversation}); err != nil || more || len(list) > 0 {
		t.Errorf("a stranger is told of %+v, %v", list, err)
	}
}

func TestWhoMayReachWhom(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Users: chat.ReachGroups}})
	send(t, s, guest, "support", "g1", "Hello")
	send(t, s, alice, "support", "a1", "Hello")
	_, _, err := s.Send(ctx, guest, chat.SendParams{To: "bob", ClientID: "g2", Text: "Hello"})
	refused(t, "guest to bob", err, refusal.NotAllowed)
	_, err = s.Create(ctx, guest, chat.CreateParams{Kind: chat.Group, Members: []string{"support", "bob"}})
	refused(t, "guest makes a group with bob", err, refusal.NotAllowed)
	_, err = s.Create(ctx, guest, chat.CreateParams{Kind: chat.Group, Members: []string{"support"}})
	refused(t, "guest makes a group with support", err, refusal.NotAllowed)
	_, err = s.DirectWith(ctx, alice, "bob")
	refused(t, "alice to bob without a group", err, refusal.NotAllowed)
	for _, u := range []chat.User{alice, bob, guest} {
		if _, _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.User(ctx, "guest-1", "bob")
	refused(t, "guest looks at bob", err, refusal.NotFound)

	// What the support began, its guest may go on with.
	m := send(t, service(t, chat.Config{}), bob, "guest-1", "b1", "Hello")
	if m.Seq != 1 {
		t.Errorf("bob to guest: seq %d, want 1", m.Seq)
	}
	contacts := service(t, chat.Config{Reach: chat.Reach{Users: chat.ReachContacts}})
	_, err = contacts.DirectWith(ctx, alice, "bob")
	refused(t, "alice to bob who is no contact", err, refusal.NotAllowed)
}

func TestGuestsMakeGroupsOnlyWhereTheyMay(t *testing.T) {
	ctx := t.Context()
	for allowed, want := range map[bool]refusal.Code{false: refusal.NotAllowed, true: ""} {
		s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support", "sales"}, GuestGroups: allowed}})
		_, err := s.Create(ctx, guest, chat.CreateParams{Kind: chat.Group, Members: []string{"support", "sales"}})
		if want == "" && err != nil || want != "" && !refusal.Is(err, want) {
			t.Errorf("guest_groups = %v: got %v, want %q", allowed, err, want)
		}
		_, err = s.Create(ctx, guest, chat.CreateParams{Kind: chat.Group, Members: []string{"support", "bob"}})
		refused(t, "with somebody whom guests do not reach", err, refusal.NotAllowed)
	}
}

func TestOneDirectConversationPerPair(t *testing.T) {
	s := service(t, chat.Config{})
	ids := make([]string, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			me, other := alice, "bob"
			if i%2 == 1 {
				me, other = bob, "alice"
			}
			c, err := s.Create(t.Context(), me, chat.CreateParams{Kind: chat.Direct, Members: []string{other}})
			if err != nil {
				t.Errorf("%s: %v", me.ID, err)
			}
			ids[i] = c.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two conversations for one pair: %v", ids)
		}
	}
	if _, err := s.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob"}, Name: "Two"}); err != nil {
		t.Errorf("a group of the same pair: %v", err)
	}
	_, err := s.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: []string{"alice"}, Name: "Me"})
	refused(t, "a group of one", err, refusal.BadRequest)
	_, err = s.Create(t.Context(), alice, chat.CreateParams{Kind: "club", Members: []string{"bob"}})
	refused(t, "an unknown kind", err, refusal.BadRequest)
	_, err = s.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: make([]string, 10_000)})
	refused(t, "too many members", err, refusal.TooLarge)
	_, err = s.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob"}, Name: strings.Repeat("n", 129)})
	refused(t, "too long a name", err, refusal.TooLarge)
}
