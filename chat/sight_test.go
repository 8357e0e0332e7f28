package chat_test

import (
	"context"
	"fmt"
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

// memberName is how the member is called in the conversation as asker reads it: the same in its
// head, in the list of its members, and in its feed.
func memberName(t *testing.T, s *chat.Service, asker, conversation, member string) string {
	t.Helper()
	c, _ := get(t, s, asker, conversation)
	page, err := s.Members(t.Context(), asker, conversation, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := s.List(t.Context(), asker, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := slices.IndexFunc(list, func(c chat.Conversation) bool { return c.ID == conversation })
	name := func(where string, members []chat.Member) string {
		i := slices.IndexFunc(members, func(m chat.Member) bool { return m.ID == member })
		if i < 0 {
			t.Fatalf("%s is not in the %s of %s", member, where, asker)
		}
		return members[i].Name
	}
	head := name("head", c.Members)
	for where, members := range map[string][]chat.Member{
		"list":    list[listed].Members,
		"members": page.Members,
		"feed":    of[chat.Member](t, feed(t, s, asker, conversation), chat.ItemMember),
	} {
		if got := name(where, members); got != head {
			t.Errorf("%s is called %q in the %s of %s, and %q in the head", member, got, where, asker, head)
		}
	}
	return head
}

func TestPresenceIsForContactsAndGroups(t *testing.T) {
	ctx := t.Context()
	heard := &told{}
	db := open(t, store.Config{}, heard.add)
	everyone := chat.New(db, anyone)
	s := chat.New(db, chat.Config{Reach: chat.Reach{Known: anyone.Reach.Known, Guests: []string{"support"}, Users: chat.ReachContacts}})
	for _, u := range []chat.User{alice, bob, carol, {ID: "support", Name: "The support"}, guest} {
		if _, _, err := s.Seen(ctx, u); err != nil {
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
	c, err := everyone.DirectWith(ctx, carol, "bob")
	if err != nil {
		t.Fatal(err)
	}
	want("carol", "bob", "nothing")
	want("bob", "carol", "profile")
	if got := memberName(t, s, "carol", c.ID, "bob"); got != "bob" {
		t.Errorf("carol reads the name %q, of who has said nothing to her", got)
	}
	if got := memberName(t, s, "bob", c.ID, "carol"); got != "Carol" {
		t.Errorf("bob, to whom carol opened the conversation, reads the name %q", got)
	}

	heard.take()
	send(t, s, bob, "carol", "b1", "Hello")
	want("carol", "bob", "presence")
	if got := memberName(t, s, "carol", c.ID, "bob"); got != "Bob" {
		t.Errorf("carol, to whom bob wrote, reads the name %q", got)
	}
	var members []chat.Member
	for _, one := range heard.take() {
		if one.Conversation == c.ID {
			members = append(members, of[chat.Member](t, []chat.Item{one.Item}, chat.ItemMember)...)
		}
	}
	if len(members) != 1 || members[0].User != bob {
		t.Errorf("the members were told of %+v, want who bob is", members)
	}
	send(t, s, bob, "carol", "b2", "Hello?")
	for _, one := range heard.take() {
		if one.Item.Type != chat.ItemMessage {
			t.Errorf("with a second message %+v was told", one)
		}
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
	group(t, everyone, alice, "bob")
	want("alice", "bob", "presence")
	want("bob", "alice", "presence")
}

// Who was added, then written to, and is removed has seen the name all the same.
func TestWhatWasShownStaysShown(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Users: chat.ReachContacts}})
	for _, u := range []chat.User{alice, bob} {
		if _, _, err := s.Seen(ctx, u); err != nil {
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

	// A new name is read by those who see it.
	for _, u := range []chat.User{{ID: "alice", Name: "Alice A."}, {ID: "bob", Name: "Bob B."}} {
		if _, _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	if got := memberName(t, s, "bob", m.Conversation, "alice"); got != "Alice A." {
		t.Errorf("bob reads the name %q", got)
	}
	if got := memberName(t, s, "alice", m.Conversation, "bob"); got != "bob" {
		t.Errorf("alice reads the name %q", got)
	}
	page, err := s.Page(ctx, "bob", m.Conversation, 0, 0, 0)
	if err != nil || len(page.Users) != 1 || page.Users[0].Name != "Alice A." {
		t.Errorf("with the message bob reads of %+v, %v; want alice", page.Users, err)
	}
}

// Whom somebody added without being known to them has a name as soon as they say something.
func TestAContactHasANameFromTheirFirstMessageOn(t *testing.T) {
	ctx := t.Context()
	s, heard := listened(t, chat.Config{Reach: chat.Reach{Users: chat.ReachContacts}})
	for _, u := range []chat.User{alice, bob} {
		if _, _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddContact(ctx, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	named := func(items []chat.Item) (names []string) {
		for _, c := range of[chat.Contact](t, items, chat.ItemContact) {
			names = append(names, c.Name)
		}
		return names
	}
	if got := named(feed(t, s, "alice", chat.OwnFeed)); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("alice's contacts are called %q, want the id of bob", got)
	}
	heard.take()
	send(t, s, bob, "alice", "b1", "Hello")
	if got := named(feed(t, s, "alice", chat.OwnFeed)); !slices.Equal(got, []string{"Bob"}) {
		t.Errorf("alice's contacts are called %q, want Bob", got)
	}
	var hers, his []chat.Item
	for _, one := range heard.take() {
		switch one.User {
		case "alice":
			hers = append(hers, one.Item)
		case "bob":
			his = append(his, one.Item)
		}
	}
	if got := named(hers); !slices.Equal(got, []string{"Bob"}) {
		t.Errorf("alice was told of contacts called %q, want Bob", got)
	}
	// What bob is shown of alice, who is a contact of his now, his tabs ask.
	if bare := his[len(his)-1]; bare.Type != "" || bare.Pos == 0 {
		t.Errorf("bob was told of the contact %+v, want a bare item", bare)
	}
	if got := named(feed(t, s, "bob", chat.OwnFeed)); !slices.Equal(got, []string{"Alice"}) {
		t.Errorf("bob's contacts are called %q: alice has added him", got)
	}
}

// What a node reads for all its tabs holds nothing that one of them may not see.
func TestWhatIsReadForEveryoneShowsNobodyApart(t *testing.T) {
	ctx := t.Context()
	db := database(t)
	everyone := chat.New(db, anyone)
	s := chat.New(db, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Users: chat.ReachGroups}})
	for _, u := range []chat.User{alice, bob, carol, {ID: "support", Name: "The support"}} {
		if _, _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	direct, err := s.DirectWith(ctx, alice, "support")
	if err != nil {
		t.Fatal(err)
	}
	group(t, everyone, alice, "bob") // so that they reach each other
	group(t, everyone, alice, "carol")
	team, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(ctx, bob, team.ID); err != nil {
		t.Fatal(err)
	}
	for conversation, want := range map[string][]string{
		direct.ID: nil,
		team.ID:   {"alice", "bob"}, // carol is only invited
	} {
		items, _, err := s.Feed(ctx, conversation, 0)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		bare := 0
		for _, item := range items {
			if item.Type == chat.ItemMember {
				told = append(told, item.User)
			} else if item.Type == "" {
				bare++
			}
		}
		if slices.Sort(told); !slices.Equal(told, want) || bare == 0 {
			t.Errorf("everyone is told of %q, and %d items are bare, want %q", told, bare, want)
		}
	}
	if got := memberName(t, s, "bob", team.ID, "alice"); got != "Alice" {
		t.Errorf("bob, who has joined, reads the name %q", got)
	}
	// Carol has said nothing yet to bob: not even that she takes part.
	page, err := s.Members(ctx, "bob", team.ID, "", 0)
	if i := slices.IndexFunc(page.Members, func(m chat.Member) bool { return m.ID == "carol" }); err != nil || i < 0 || page.Members[i].Name != "carol" {
		t.Errorf("bob reads of members %+v, %v", page.Members, err)
	}
	if c, _, err := s.List(ctx, "carol", "", 0); err != nil || !slices.ContainsFunc(c, func(c chat.Conversation) bool {
		return c.ID == team.ID && len(c.Members) == 1 && c.Members[0].User == alice
	}) {
		t.Errorf("carol is not told who invited her: %+v, %v", c, err)
	}
}

// Many are looked at in one go, and each as if alone.
func TestManyAreShownAsIfAlone(t *testing.T) {
	ctx := t.Context()
	db := database(t)
	everyone := chat.New(db, anyone)
	s := chat.New(db, chat.Config{Reach: chat.Reach{Known: anyone.Reach.Known, Guests: []string{"support"}, Users: chat.ReachContacts}})
	ids := []string{"support"}
	for i := range 12 {
		id := fmt.Sprintf("user%02d", i)
		ids = append(ids, id)
		if _, _, err := s.Seen(ctx, chat.User{ID: id, Name: id}); err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 0:
			if err := s.AddContact(ctx, id, "alice"); err != nil {
				t.Fatal(err)
			}
		case 1:
			group(t, everyone, chat.User{ID: id}, "alice")
		case 2:
			if _, err := everyone.DirectWith(ctx, chat.User{ID: id}, "alice"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := s.Seen(ctx, chat.User{ID: "support", Name: "Support"}); err != nil {
		t.Fatal(err)
	}
	all := append(slices.Clone(ids), "never seen", "nobody", "")
	users, err := s.Present(ctx, "alice", all)
	if err != nil || len(users) != 7 {
		t.Errorf("of many %d are present, %v, want 7", len(users), err)
	}
	for _, id := range ids {
		got := slices.ContainsFunc(users, func(u chat.User) bool { return u.ID == id })
		if alone := shownTo(t, s, "alice", id); got != (alone == "presence") {
			t.Errorf("%s is present among many: %t, and alone is shown %s", id, got, alone)
		}
	}
}

// To whom a token narrows its user to some conversations there is nobody else.
func TestATokenForSomeConversationsShowsTheirMembersOnly(t *testing.T) {
	all := service(t, anyone)
	for _, u := range []chat.User{alice, bob, carol} {
		if _, _, err := all.Seen(context.Background(), u); err != nil {
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
