package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/refusal"
)

// contacts returns the ids of the user's contacts, read page by page.
func contacts(t *testing.T, s *chat.Service, user string) (ids []string) {
	t.Helper()
	for after := ""; ; {
		page, next, err := s.Contacts(t.Context(), user, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page {
			ids = append(ids, u.ID)
		}
		if next == "" {
			return ids
		}
		after = next
	}
}

// mayRing returns whom a call of from in the conversation rings.
func mayRing(t *testing.T, s *chat.Service, from chat.User, conversation string) ([]string, error) {
	t.Helper()
	_, rung, err := s.MayRing(t.Context(), from, conversation, 100)
	slices.Sort(rung)
	return rung, err
}

func TestAStrangerWhoWritesIsNoContact(t *testing.T) {
	ctx := t.Context()
	db := database(t)
	open := chat.New(db, anyone)
	closed := chat.New(db, chat.Config{Reach: chat.Reach{Known: anyone.Reach.Known, Guests: []string{"support"}, Users: chat.ReachContacts}})

	m := send(t, open, carol, "bob", "c1", "You do not know me")
	if got := contacts(t, open, "bob"); len(got) > 0 {
		t.Errorf("bob, to whom carol wrote, has the contacts %q", got)
	}
	_, err := mayRing(t, closed, carol, m.Conversation)
	refused(t, "carol rings bob", err, refusal.NotAllowed)
	_, err = closed.Create(ctx, carol, chat.CreateParams{Kind: chat.Group, Members: []string{"bob"}, Name: "Mine"})
	refused(t, "carol puts bob into a group", err, refusal.NotAllowed)
	send(t, closed, carol, "bob", "c2", "What was open stays open") // for messages
	if rung, err := mayRing(t, closed, bob, m.Conversation); err != nil || !slices.Equal(rung, []string{"carol"}) {
		t.Errorf("bob, to whom carol wrote, may ring %q, %v", rung, err)
	}

	send(t, closed, bob, "carol", "b1", "Now we talk")
	if got := contacts(t, closed, "bob"); !slices.Equal(got, []string{"carol"}) {
		t.Errorf("bob wrote to carol and has the contacts %q", got)
	}
	if rung, err := mayRing(t, closed, carol, m.Conversation); err != nil || !slices.Equal(rung, []string{"bob"}) {
		t.Errorf("carol rings %q, %v", rung, err)
	}
	if err := closed.RemoveContact(ctx, "bob", "carol"); err != nil {
		t.Fatal(err)
	}
	_, err = mayRing(t, closed, carol, m.Conversation)
	refused(t, "carol rings bob, who removed her", err, refusal.NotAllowed)

	// Nobody has written yet: to be added is enough, for the one who was added.
	_, err = closed.DirectWith(ctx, alice, "bob")
	refused(t, "alice writes to bob", err, refusal.NotAllowed)
	if err := closed.AddContact(ctx, "bob", "alice"); err != nil {
		t.Fatal(err)
	}
	_, err = closed.DirectWith(ctx, bob, "alice")
	refused(t, "bob writes to alice, who has not added him", err, refusal.NotAllowed)
	c, err := closed.DirectWith(ctx, alice, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if rung, err := mayRing(t, closed, alice, c.ID); err != nil || !slices.Equal(rung, []string{"bob"}) {
		t.Errorf("alice, whom bob added, rings %q, %v", rung, err)
	}
	// In a group only the ring of contacts is heard.
	g, err := open.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol", "support"}, Vouched: true})
	if err != nil {
		t.Fatal(err)
	}
	send(t, open, alice, "carol", "a1", "From me to you")
	if rung, err := mayRing(t, closed, alice, g.ID); err != nil || !slices.Equal(rung, []string{"bob", "support"}) {
		t.Errorf("alice rings %q of the group, %v; want bob, who added her, and the support, whom all reach", rung, err)
	}
}

// Where users reach their groups, they also reach who wrote to them: a support answers.
func TestWhoWroteIsReachedInReturn(t *testing.T) {
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Users: chat.ReachGroups}})
	support := chat.User{ID: "support", Name: "Support"}
	for _, from := range []chat.User{guest, alice} {
		c := send(t, s, from, "support", "1", "Hello").Conversation
		if rung, err := mayRing(t, s, support, c); err != nil || !slices.Equal(rung, []string{from.ID}) {
			t.Errorf("the support rings %q, %v; want %s", rung, err, from.ID)
		}
	}
}

func TestGuestsRingOnlyWhoWroteToThem(t *testing.T) {
	ctx := t.Context()
	db := database(t)
	s := chat.New(db, chat.Config{Reach: chat.Reach{Known: anyone.Reach.Known, Guests: []string{"support"}}})
	c := send(t, s, guest, "support", "g1", "Hello").Conversation
	if rung, err := mayRing(t, s, guest, c); err != nil || !slices.Equal(rung, []string{"support"}) {
		t.Errorf("the guest rings %q, %v", rung, err)
	}
	// Somebody who was never written to does not become reachable by a conversation that was opened for them.
	opened, err := s.DirectWith(ctx, bob, guest.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mayRing(t, s, guest, opened.ID)
	refused(t, "the guest rings bob, who has not written", err, refusal.NotAllowed)
	send(t, s, bob, guest.ID, "b1", "How can I help?")
	if rung, err := mayRing(t, s, guest, opened.ID); err != nil || !slices.Equal(rung, []string{"bob"}) {
		t.Errorf("the guest rings %q, %v", rung, err)
	}

	g, err := s.Create(ctx, bob, chat.CreateParams{Kind: chat.Group, Members: []string{"alice", "carol", guest.ID}, Name: "Your order", Vouched: true})
	if err != nil {
		t.Fatal(err)
	}
	if rung, err := mayRing(t, s, guest, g.ID); err != nil || !slices.Equal(rung, []string{"bob"}) {
		t.Errorf("in a group the guest rings %q, %v; want bob alone, who wrote to them", rung, err)
	}
	if rung, err := mayRing(t, s, bob, g.ID); err != nil || !slices.Equal(rung, []string{"alice", "carol", guest.ID}) {
		t.Errorf("in a group a user rings %q, %v", rung, err)
	}
	other, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"carol", guest.ID}, Name: "Others", Vouched: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = mayRing(t, s, guest, other.ID)
	refused(t, "the guest rings a group of which nobody wrote to them", err, refusal.NotAllowed)
}

func TestContactsAreBounded(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Contacts: 3})
	for i := range 3 {
		for range 2 {
			if err := s.AddContact(ctx, "alice", fmt.Sprintf("friend%d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	refused(t, "a fourth", s.AddContact(ctx, "alice", "friend3"), refusal.TooLarge)
	refused(t, "herself", s.AddContact(ctx, "alice", "alice"), refusal.BadRequest)
	refused(t, "nobody", s.AddContact(ctx, "alice", "a b"), refusal.BadRequest)
	send(t, s, alice, "friend9", "a1", "Whom one writes to is one all the same")
	if got := contacts(t, s, "alice"); !slices.Equal(got, []string{"friend0", "friend1", "friend2", "friend9"}) {
		t.Errorf("alice has the contacts %q", got)
	}
}

// To add somebody is to let oneself be reached: it shows nothing of them.
func TestAContactIsSeenOnlyByWhoMaySeeThem(t *testing.T) {
	ctx := t.Context()
	db := database(t)
	s := chat.New(db, chat.Config{Reach: chat.Reach{Users: chat.ReachContacts}})
	for _, u := range []chat.User{alice, {ID: "bob", Name: "Robert", Picture: "https://site.example/bob.png"}} {
		if _, _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"bob", "nobody"} {
		if err := s.AddContact(ctx, "alice", id); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.User(ctx, "alice", "bob")
	refused(t, "alice reads the profile of bob, who does not know her", err, refusal.NotFound)
	list := func() []chat.User {
		page, _, err := s.Contacts(ctx, "alice", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	if got, want := list(), []chat.User{{ID: "bob", Name: "bob"}, {ID: "nobody", Name: "nobody"}}; !slices.Equal(got, want) {
		t.Errorf("alice reads as her contacts %+v, want their ids only: %+v", got, want)
	}
	if err := s.AddContact(ctx, "bob", "alice"); err != nil {
		t.Fatal(err)
	}
	if got := list()[0].Name; got != "Robert" {
		t.Errorf("alice, whom bob added, reads %q, want his name", got)
	}
}

func TestATokenForSomeConversationsHasNoContacts(t *testing.T) {
	ctx := t.Context()
	s := service(t, anyone)
	m := send(t, s, alice, "bob", "a1", "hello")
	send(t, s, alice, "carol", "a2", "hello")
	narrowed := s.Within([]string{m.Conversation})
	_, _, err := narrowed.Contacts(ctx, "alice", "", 0)
	refused(t, "list", err, refusal.NotAllowed)
	refused(t, "add", narrowed.AddContact(ctx, "alice", "dave"), refusal.NotAllowed)
	refused(t, "remove", narrowed.RemoveContact(ctx, "alice", "carol"), refusal.NotAllowed)
}
