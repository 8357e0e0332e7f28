package chat_test

import (
	"fmt"
	"testing"

	"carillon/chat"
	"carillon/limit/limittest"
	"carillon/refusal"
)

// add makes each of users add other to their contacts.
func add(t *testing.T, s *chat.Service, other string, users ...string) {
	t.Helper()
	for _, user := range users {
		if err := s.AddContact(t.Context(), user, other); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody is put into a group without having a say.
func TestAStrangerIsInvitedAndSeesNothingUntilTheyJoin(t *testing.T) {
	ctx := t.Context()
	s, heard := listened(t, chat.Config{})
	for _, u := range []chat.User{alice, bob, carol} {
		if _, _, err := s.Seen(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	add(t, s, "alice", "bob") // bob knows her, carol does not
	c, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol"}, Name: "Team"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Count != 2 || c.Mine.State != chat.Joined || c.Mine.Role != chat.Owner {
		t.Errorf("the group is %+v; want two who have joined, alice its owner", c)
	}
	say(t, s, "alice", c.ID, "a1", "before carol")
	say(t, s, "bob", c.ID, "b1", "before carol, too")

	invited, err := s.Conversation(ctx, "carol", c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if m := invited.Mine; m.State != chat.Invited || m.InvitedBy != "alice" || invited.Name != "Team" || invited.Count != 2 {
		t.Errorf("carol sees the invitation %+v", invited)
	}
	if invited.Last != nil || invited.LastSeq != 0 || invited.N != 0 || invited.Pos != 0 || unread(invited) != 0 ||
		len(invited.Members) != 1 || invited.Members[0].User != alice {
		t.Errorf("carol, who is invited, sees what was written: %+v", invited)
	}
	if list, _, err := s.List(ctx, "carol", "", 0); err != nil || len(list) != 1 || list[0].Mine.State != chat.Invited || list[0].Last != nil {
		t.Errorf("carol's list is %+v, %v", list, err)
	}
	_, _, err = s.Send(ctx, carol, chat.SendParams{Conversation: c.ID, ClientID: "c0", Text: "x"})
	refused(t, "carol writes", err, refusal.NotFound)
	_, err = s.Page(ctx, "carol", c.ID, 0, 0, 0)
	refused(t, "carol reads", err, refusal.NotFound)
	_, err = s.Changes(ctx, "carol", c.ID, 0, 0)
	refused(t, "carol reads the feed", err, refusal.NotFound)
	_, err = s.Members(ctx, "carol", c.ID, "", 0)
	refused(t, "carol asks for members", err, refusal.NotFound)
	_, _, err = s.MayRing(ctx, carol, c.ID, 100)
	refused(t, "carol calls", err, refusal.NotFound)
	refused(t, "carol enters the room", s.MayEnter(ctx, "carol", c.ID), refusal.NotFound)
	refused(t, "carol marks", setMarks(ctx, s, "carol", c.ID, 1, 1), refusal.NotFound)
	if got := resume(t, s, "carol", map[string]chat.FeedPosition{c.ID: position(t, s, "alice", c.ID)}); len(got) != 1 {
		t.Error("carol resumes the feed of a group that she is only invited to")
	}
	if people, ring, err := s.MayRing(ctx, alice, c.ID, 100); err != nil || len(people) != 2 || len(ring) != 1 || ring[0] != "bob" {
		t.Errorf("alice rings %q of %d, %v; want bob, who has joined", ring, len(people), err)
	}

	heard.take()
	joined, err := s.Join(ctx, carol, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if joined.Count != 3 || joined.Mine.State != chat.Joined || joined.Mine.FromSeq != 3 || unread(joined) != 0 || joined.Last != nil || joined.LastSeq != 2 {
		t.Errorf("carol joins %+v; want nothing unread and nothing of before", joined)
	}
	told := heard.take()
	if items := toldOf(told, c.ID); len(items) != 1 || decode[chat.Member](t, items[0].Data).User != carol || decode[chat.Member](t, items[0].Data).State != chat.Joined {
		t.Errorf("the members were told %+v", told)
	}
	if again, err := s.Join(ctx, carol, c.ID); err != nil || again.Mine != joined.Mine || len(heard.take()) > 0 {
		t.Errorf("to join again changes %+v, %v", again.Mine, err)
	}
	say(t, s, "alice", c.ID, "a2", "welcome")
	if got := texts(history(t, s, "carol", c.ID)); got != "3:welcome " {
		t.Errorf("carol reads %q", got)
	}
	if got := texts(of[chat.Message](t, feed(t, s, "carol", c.ID), chat.ItemMessage)); got != "3:welcome " {
		t.Errorf("carol's feed has %q", got)
	}
	if c, _ := get(t, s, "carol", c.ID); unread(c) != 1 {
		t.Errorf("carol has %d unread, want 1", unread(c))
	}
	if page, err := s.Page(ctx, "carol", c.ID, 0, 1, 0); err != nil || len(page.Items) != 1 {
		t.Errorf("after the first message carol reads %d, %v", len(page.Items), err)
	}
}

// Who leaves reads no more, and is told so in every tab; who is invited again begins at that time.
func TestWhoLeavesReadsNoMore(t *testing.T) {
	ctx := t.Context()
	s, heard := listened(t, chat.Config{})
	c := group(t, s, alice, "bob", "carol")
	say(t, s, "bob", c.ID, "b1", "one")
	heard.take()
	if err := s.Leave(ctx, "bob", c.ID); err != nil {
		t.Fatal(err)
	}
	told := heard.take()
	if items := toldOf(told, c.ID); len(items) != 1 || decode[chat.Member](t, items[0].Data).State != chat.Gone {
		t.Errorf("the members were told %+v", told)
	}
	readers, h, err := s.Readers(ctx, c.ID)
	if err != nil || len(readers) != 2 || h.Version != told[0].Version {
		t.Errorf("readers are %+v of version %d, %v; the members were told version %d", readers, h.Version, err, told[0].Version)
	}
	_, err = s.Page(ctx, "bob", c.ID, 0, 0, 0)
	refused(t, "bob reads", err, refusal.NotFound)
	_, err = s.Conversation(ctx, "bob", c.ID)
	refused(t, "bob looks", err, refusal.NotFound)
	_, err = s.Join(ctx, bob, c.ID)
	refused(t, "bob joins uninvited", err, refusal.NotFound)
	refused(t, "bob leaves twice", s.Leave(ctx, "bob", c.ID), refusal.NotFound)
	if list, _, err := s.List(ctx, "bob", "", 0); err != nil || len(list) > 0 {
		t.Errorf("bob's list has %d, %v", len(list), err)
	}
	mine := of[chat.Membership](t, feed(t, s, "bob", chat.OwnFeed), chat.ItemMembership)
	if len(mine) != 1 || mine[0].State != chat.Gone {
		t.Errorf("bob's tabs are told of %+v", mine)
	}
	page, err := s.Page(ctx, "alice", c.ID, 0, 0, 0)
	if err != nil || len(page.Items) != 1 || len(page.Users) != 1 || page.Users[0].ID != "bob" {
		t.Errorf("what bob wrote stays, with his name: %+v, %v", page, err)
	}
	direct := send(t, s, alice, "bob", "a1", "x")
	refused(t, "to leave a conversation of two", s.Leave(ctx, "bob", direct.Conversation), refusal.NotAllowed)
}

// An invitation can be turned down, and too many are not waited for.
func TestInvitationsAreBounded(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Invitations: 3})
	invite := func(i int) (chat.Conversation, error) {
		return s.Create(ctx, chat.User{ID: fmt.Sprint("stranger", i)}, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "alice"}})
	}
	var last chat.Conversation
	for i := range 3 {
		var err error
		if last, err = invite(i); err != nil {
			t.Fatal(err)
		}
	}
	_, err := invite(3)
	refused(t, "a fourth invitation", err, refusal.TooLarge)
	if got := limittest.RefusedBy(t, s.Counts()...)["chat.invitations"]; got != 1 {
		t.Errorf("%d refusals are counted, want 1", got)
	}
	add(t, s, "stranger4", "alice", "bob")
	if c, err := invite(4); err != nil || c.Count != 3 {
		t.Errorf("whom one knows may make one a member: %d have joined, %v", c.Count, err)
	}
	for _, user := range []string{"alice", "bob"} {
		if err := s.Leave(ctx, user, last.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := invite(5); err != nil {
		t.Errorf("after one was turned down: %v", err)
	}
	_, err = s.Join(ctx, bob, last.ID)
	refused(t, "to take an invitation that was turned down", err, refusal.NotFound)
}

// A group of more than so many is large for good. All of them hear of the change with which it became so.
func TestALargeGroupStaysLarge(t *testing.T) {
	s, heard := listened(t, chat.Config{LargeGroup: 2})
	g, err := s.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol"}, Name: "Group"})
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		what        string
		do          func() error
		large, grew bool
	}{
		{"two are not many", func() error { _, err := s.Join(t.Context(), bob, g.ID); return err }, false, false},
		{"three are", func() error { _, err := s.Join(t.Context(), carol, g.ID); return err }, true, true},
		{"a message", func() error {
			_, _, err := s.Send(t.Context(), alice, chat.SendParams{Conversation: g.ID, ClientID: "client-1", Text: "x"})
			return err
		}, true, false},
		{"one leaves", func() error { return s.Leave(t.Context(), "carol", g.ID) }, true, false},
		{"another one", func() error { return s.Leave(t.Context(), "bob", g.ID) }, true, false},
	}
	for _, step := range steps {
		heard.take()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		for _, told := range heard.take() {
			if told.Conversation != "" && (told.Large != step.large || told.Grew != step.grew) {
				t.Errorf("%s: told as large %v, grown %v; want %v, %v", step.what, told.Large, told.Grew, step.large, step.grew)
			}
		}
	}
	for user, want := range map[string]int{"alice": 1, "bob": 0} {
		if groups, err := s.LargeGroups(t.Context(), user); err != nil || len(groups) != want {
			t.Errorf("%s is in %d large groups, %v; want %d", user, len(groups), err, want)
		}
	}
	large := group(t, s, alice, "bob", "carol")
	if _, h, err := s.Readers(t.Context(), large.ID); err != nil || !h.Large {
		t.Errorf("a group that was made of three is large: %v, %v", h.Large, err)
	}
}

// In a large group it is marked what was read, and not what has arrived at each device.
func TestLargeGroupsHaveNoDeliveredMarks(t *testing.T) {
	s, heard := listened(t, chat.Config{LargeGroup: 2})
	g := group(t, s, alice, "bob", "carol")
	say(t, s, "alice", g.ID, "client-1", "x")
	heard.take()
	mark(t, s, "bob", g.ID, 1, 0)
	if told := heard.take(); len(told) > 0 {
		t.Errorf("%d things were told of a message that has arrived", len(told))
	}
	mark(t, s, "bob", g.ID, 1, 1)
	list, err := s.Marks(t.Context(), "alice", []string{g.ID})
	if err != nil || len(list) != 1 || len(list[0].Counts) != 1 || list[0].Counts[0].Read != 1 {
		t.Errorf("marks %+v, %v; want one reader", list, err)
	}
}

// However many groups one user makes, others are still let through to whom they invite.
func TestOneInviterDoesNotKeepOthersOut(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{Invitations: 4, InvitationsPerPair: 2})
	invite := func(from string, more ...string) (chat.Conversation, error) {
		return s.Create(ctx, chat.User{ID: from}, chat.CreateParams{Kind: chat.Group, Members: append(more, "bob")})
	}
	var first chat.Conversation
	for i := range 2 {
		c, err := invite("mallory")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = c
		}
	}
	_, err := invite("mallory")
	refused(t, "mallory's third", err, refusal.TooLarge)
	_, err = invite("mallory", "carol")
	refused(t, "mallory's third, together with another", err, refusal.TooLarge)
	if _, err := invite("mallory", "dora"); err == nil {
		t.Error("the third is let through with others")
	}
	if _, err := invite("stranger"); err != nil {
		t.Errorf("an honest stranger is kept out: %v", err)
	}
	if err := s.Leave(ctx, "bob", first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := invite("mallory"); err != nil {
		t.Errorf("after one was turned down: %v", err)
	}
	if got := limittest.RefusedBy(t, s.Counts()...)["chat.invitations_per_pair"]; got != 3 {
		t.Errorf("%d refusals are counted, want 3", got)
	}
}
