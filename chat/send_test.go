package chat_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"carillon/chat"
	"carillon/refusal"
)

func TestAMessageReachesEveryMemberOnce(t *testing.T) {
	s := service(t, chat.Config{})
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
	for _, user := range []string{"alice", "bob"} {
		events := log(t, s, user)
		if made := of[chat.Conversation](t, events, chat.EventConversation); len(made) != 1 || made[0].ID != first.Conversation || len(made[0].Members) != 2 {
			t.Errorf("%s heard of conversations %+v, want the one", user, made)
		}
		got := texts(of[chat.Message](t, events, chat.EventMessage))
		page, more, err := s.Page(t.Context(), user, first.Conversation, 0, 0, 10)
		if want := "1:Hello 2:Hi "; got != want || texts(page) != want || more || err != nil {
			t.Errorf("%s: events %q, history %q, want %q; %v", user, got, texts(page), want, err)
		}
	}
}

// Fifty tabs write at once into one conversation, each one again and again.
func TestOneOrderUnderManySenders(t *testing.T) {
	s := service(t, chat.Config{})
	const senders, each = 50, 3
	users := make([]chat.User, senders)
	ids := make([]string, senders)
	for i := range users {
		ids[i] = fmt.Sprintf("user%d", i)
		users[i] = chat.User{ID: ids[i], Name: ids[i]}
	}
	c, err := s.Create(t.Context(), users[0], chat.Group, ids[1:], "Everyone")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, u := range users {
		wg.Go(func() {
			for n := range each {
				p := chat.SendParams{Conversation: c.ID, ClientID: fmt.Sprintf("m%d", n), Text: fmt.Sprintf("%s says %d", u.ID, n)}
				for range 1 + n%2 { // every other one twice
					if _, err := s.Send(t.Context(), u, p); err != nil {
						t.Errorf("%s sends %d: %v", u.ID, n, err)
					}
				}
			}
		})
	}
	wg.Wait()
	var history []chat.Message
	for more := true; more; {
		var page []chat.Message
		if page, more, err = s.Page(t.Context(), ids[7], c.ID, 0, int64(max(1, len(history))), 100); err != nil {
			t.Fatal(err)
		}
		if len(history) == 0 { // after 0 would mean before
			first, _, err := s.Page(t.Context(), ids[7], c.ID, 2, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			history = first
		}
		history = append(history, page...)
	}
	if len(history) != senders*each {
		t.Fatalf("history has %d messages, want %d", len(history), senders*each)
	}
	next := map[string]int{}
	for i, m := range history {
		if m.Seq != int64(i+1) {
			t.Fatalf("message %d has seq %d: seq has no gaps", i, m.Seq)
		}
		if want := fmt.Sprintf("%s says %d", m.Sender, next[m.Sender]); m.Text != want {
			t.Fatalf("seq %d: got %q, want %q: one sender's messages stay in order", m.Seq, m.Text, want)
		}
		next[m.Sender]++
	}
	for _, id := range ids {
		if got := of[chat.Message](t, log(t, s, id), chat.EventMessage); texts(got) != texts(history) {
			t.Errorf("%s was told an other order or other messages than the history has", id)
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
		_, err := s.Send(ctx, p.from, p.p)
		refused(t, p.what, err, p.want)
	}
	if page, _, err := s.Page(ctx, "alice", m.Conversation, 0, 0, 0); err != nil || len(page) != 1 {
		t.Errorf("history after refusals: %d messages, want 1; %v", len(page), err)
	}
	_, _, err := s.Page(ctx, "carol", m.Conversation, 0, 0, 0)
	refused(t, "a stranger reads", err, refusal.NotFound)
	_, err = s.Conversation(ctx, "carol", m.Conversation)
	refused(t, "a stranger looks", err, refusal.NotFound)
	refused(t, "a stranger marks", s.MarkRead(ctx, "carol", m.Conversation, 1), refusal.NotFound)
}

func TestWhoMayReachWhom(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Users: chat.ReachGroups}})
	send(t, s, guest, "support", "g1", "Hello")
	send(t, s, alice, "support", "a1", "Hello")
	_, err := s.Send(ctx, guest, chat.SendParams{To: "bob", ClientID: "g2", Text: "Hello"})
	refused(t, "guest to bob", err, refusal.NotAllowed)
	_, err = s.Create(ctx, guest, chat.Group, []string{"support", "bob"}, "")
	refused(t, "guest makes a group with bob", err, refusal.NotAllowed)
	_, err = s.Create(ctx, guest, chat.Group, []string{"support"}, "")
	refused(t, "guest makes a group with support", err, refusal.NotAllowed)
	_, err = s.DirectWith(ctx, alice, "bob")
	refused(t, "alice to bob without a group", err, refusal.NotAllowed)
	for _, u := range []chat.User{alice, bob, guest} {
		if _, err := s.Seen(ctx, u); err != nil {
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
		_, err := s.Create(ctx, guest, chat.Group, []string{"support", "sales"}, "")
		if want == "" && err != nil || want != "" && !refusal.Is(err, want) {
			t.Errorf("guest_groups = %v: got %v, want %q", allowed, err, want)
		}
		_, err = s.Create(ctx, guest, chat.Group, []string{"support", "bob"}, "")
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
			c, err := s.Create(t.Context(), me, chat.Direct, []string{other}, "")
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
	if _, err := s.Create(t.Context(), alice, chat.Group, []string{"bob"}, "Two"); err != nil {
		t.Errorf("a group of the same pair: %v", err)
	}
	_, err := s.Create(t.Context(), alice, chat.Group, []string{"alice"}, "Me")
	refused(t, "a group of one", err, refusal.BadRequest)
	_, err = s.Create(t.Context(), alice, "club", []string{"bob"}, "")
	refused(t, "an unknown kind", err, refusal.BadRequest)
	_, err = s.Create(t.Context(), alice, chat.Group, make([]string, 100), "")
	refused(t, "too many members", err, refusal.TooLarge)
	_, err = s.Create(t.Context(), alice, chat.Group, []string{"bob"}, strings.Repeat("n", 129))
	refused(t, "too long a name", err, refusal.TooLarge)
}
