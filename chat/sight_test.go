package chat_test

import (
	"context"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

// What asker is shown of a user: nothing, the profile, or presence too.
func shownTo(t *testing.T, s *chat.Service, asker, user string) string {
	t.Helper()
	present, err := s.Present(t.Context(), asker, []string{user})
	if err != nil {
		t.Fatal(err)
	}
	if len(present) > 0 {
		return "presence"
	}
	if _, err := s.User(t.Context(), asker, user); err == nil {
		return "profile"
	} else if !refusal.Is(err, refusal.NotFound) {
		t.Fatal(err)
	}
	return "nothing"
}

// memberName is how the member is called in the conversation as asker reads it.
func memberName(t *testing.T, s *chat.Service, asker, conversation, member string) string {
	t.Helper()
	c, err := s.Conversation(t.Context(), asker, conversation)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.Members, func(m chat.Member) bool { return m.ID == member })
	return c.Members[i].Name
}

func TestPresenceIsForContactsAndGroups(t *testing.T) {
	ctx := t.Context()
	db := database(t, store.Config{})
	open := chat.New(db, anyone)
	s := chat.New(db, chat.Config{Reach: chat.Reach{Known: anyone.Reach.Known, Guests: []string{"support"}, Users: chat.ReachContacts}})
	for _, u := range []chat.User{alice, bob, carol, {ID: "support", Name: "The support"}, guest} {
		if _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	want := func(asker, user, want string) {
		t.Helper()
		if got := shownTo(t, s, asker, user); got != want {
			t.Errorf("%s is shown %s of %s, want %s", asker, got, user, want)
		}
	}
	want("alice", "alice", "presence")
	want("alice", "support", "presence")
	want(guest.ID, "support", "presence")
	want("alice", "bob", "nothing")

	// Carol opens a conversation, and says nothing: she has shown herself, bob has not.
	c, err := open.DirectWith(ctx, carol, "bob")
	if err != nil {
		t.Fatal(err)
	}
	want("carol", "bob", "nothing")
	want("bob", "carol", "profile")
	if got := memberName(t, s, "carol", c.ID, "bob"); got != "bob" {
		t.Errorf("carol reads the name %q, of who has said nothing to her", got)
	}
	if list, _, err := s.List(ctx, "carol", "", 0); err != nil || list[0].Members[0].Name == "Bob" || list[0].Members[1].Name == "Bob" {
		t.Errorf("carol lists %+v, %v", list, err)
	}

	send(t, s, bob, "carol", "b1", "Hello")
	want("carol", "bob", "presence")
	if got := memberName(t, s, "carol", c.ID, "bob"); got != "Bob" {
		t.Errorf("carol, to whom bob wrote, reads the name %q", got)
	}
	if got := of[chat.User](t, log(t, s, "carol"), chat.EventProfile); !slices.Contains(got, bob) {
		t.Errorf("carol was told of the profiles %+v, want that of bob", got)
	}
	if err := s.RemoveContact(ctx, "bob", "carol"); err != nil {
		t.Fatal(err)
	}
	want("carol", "bob", "profile")

	if err := s.AddContact(ctx, "bob", "alice"); err != nil {
		t.Fatal(err)
	}
	want("alice", "bob", "presence")
	want("bob", "alice", "nothing")
	if err := s.RemoveContact(ctx, "bob", "alice"); err != nil {
		t.Fatal(err)
	}
	want("alice", "bob", "nothing")
	if _, err := open.Create(ctx, alice, chat.Group, []string{"bob"}, ""); err != nil {
		t.Fatal(err)
	}
	want("alice", "bob", "presence")
	want("bob", "alice", "presence")
}

// Who was added, then written to, and is removed has seen the name all the same.
func TestWhatWasShownStaysShown(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Users: chat.ReachContacts}})
	for _, u := range []chat.User{alice, bob} {
		if _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		if err := s.AddContact(ctx, pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
	}
	m := send(t, s, alice, "bob", "a1", "Hello")
	for _, pair := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		if err := s.RemoveContact(ctx, pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
	}
	if got := contacts(t, s, "alice"); len(got) > 0 {
		t.Errorf("alice has the contacts %q", got)
	}
	if got := shownTo(t, s, "bob", "alice"); got != "profile" {
		t.Errorf("bob, to whom alice wrote, is shown %s", got)
	}
	if got := shownTo(t, s, "alice", "bob"); got != "nothing" {
		t.Errorf("alice, to whom bob did not write, is shown %s", got)
	}

	// A new name reaches those who see it.
	heard := func(user, name string) bool {
		return slices.ContainsFunc(of[chat.User](t, log(t, s, user), chat.EventProfile), func(u chat.User) bool { return u.Name == name })
	}
	for _, u := range []chat.User{{ID: "alice", Name: "Alice A."}, {ID: "bob", Name: "Bob B."}} {
		if _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	if !heard("bob", "Alice A.") {
		t.Error("bob was not told how alice is called now")
	}
	if heard("alice", "Bob B.") {
		t.Error("alice was told how bob is called now")
	}
	if got := memberName(t, s, "alice", m.Conversation, "bob"); got != "bob" {
		t.Errorf("alice reads the name %q", got)
	}
}

// To whom a token narrows its user to some conversations there is nobody else.
func TestATokenForSomeConversationsShowsTheirMembersOnly(t *testing.T) {
	all := service(t, anyone)
	for _, u := range []chat.User{alice, bob, carol} {
		if _, err := all.Seen(context.Background(), u); err != nil {
			t.Fatal(err)
		}
	}
	open := send(t, all, alice, "bob", "a1", "Open").Conversation
	send(t, all, alice, "carol", "a2", "Shut")
	s := all.Within([]string{open, "none"})
	for user, want := range map[string]string{"alice": "presence", "bob": "presence", "carol": "nothing", "nobody": "nothing"} {
		if got := shownTo(t, s, "alice", user); got != want {
			t.Errorf("alice is shown %s of %s, want %s", got, user, want)
		}
	}
	// A conversation that is listed, and of which one is no member, shows nobody.
	if got := shownTo(t, s, "carol", "bob"); got != "nothing" {
		t.Errorf("carol is shown %s of bob", got)
	}
}
