package chat_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/chat"
	"carillon/refusal"
)

// To whom a token narrows to some conversations there are no others.
func TestATokenForSomeConversations(t *testing.T) {
	ctx := t.Context()
	all := service(t, chat.Config{})
	open := send(t, all, bob, "alice", "b1", "Open")
	shut := send(t, all, carol, "alice", "c1", "Shut")
	s := all.Within([]string{open.Conversation})

	if _, _, err := s.Send(ctx, alice, chat.SendParams{Conversation: open.Conversation, ClientID: "a1", Text: "x"}); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Send(ctx, alice, chat.SendParams{To: "bob", ClientID: "a2", Text: "x"}); err != nil {
		t.Error(err)
	}
	if got := history(t, s, "alice", open.Conversation); len(got) != 3 {
		t.Errorf("history of %d messages", len(got))
	}
	list, _, err := s.List(ctx, "alice", "", 0)
	if err != nil || len(list) != 1 || list[0].ID != open.Conversation {
		t.Errorf("the list has %d conversations, %v; want the one", len(list), err)
	}
	send(t, all, alice, "carol", "a9", "Said with another token")
	for what, err := range map[string]error{
		"writes": func() error {
			_, _, err := s.Send(ctx, alice, chat.SendParams{Conversation: shut.Conversation, ClientID: "a3", Text: "x"})
			return err
		}(),
		"writes to the user": func() error {
			_, _, err := s.Send(ctx, alice, chat.SendParams{To: "carol", ClientID: "a4", Text: "x"})
			return err
		}(),
		"writes to somebody new": func() error {
			_, _, err := s.Send(ctx, alice, chat.SendParams{To: "dave", ClientID: "a5", Text: "x"})
			return err
		}(),
		"asks what became of a message": func() error {
			_, _, err := s.Send(ctx, alice, chat.SendParams{Conversation: open.Conversation, ClientID: "a9", Text: "x"})
			return err
		}(),
		"reads":  func() error { _, err := s.Page(ctx, "alice", shut.Conversation, 0, 0, 0); return err }(),
		"looks":  func() error { _, err := s.Conversation(ctx, "alice", shut.Conversation); return err }(),
		"marks":  setMarks(ctx, s, "alice", shut.Conversation, 1, 1),
		"leaves": s.Leave(ctx, "alice", shut.Conversation),
		"joins":  func() error { _, err := s.Join(ctx, alice, shut.Conversation); return err }(),
		"opens":  func() error { _, err := s.DirectWith(ctx, alice, "carol"); return err }(),
		"begins": func() error { _, err := s.DirectWith(ctx, alice, "dave"); return err }(),
	} {
		refused(t, what, err, refusal.NotFound)
	}
	_, err = s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob"}})
	refused(t, "makes a group", err, refusal.NotAllowed)
	if list, _, err := all.List(ctx, "dave", "", 0); err != nil || len(list) > 0 {
		t.Errorf("dave has %d conversations, %v: what was refused was kept", len(list), err)
	}

	// Nor is it told that what it sent to others has arrived.
	if got, err := s.Accepted(ctx, "alice", []string{"a1", "a9", "never"}); err != nil || !slices.Equal(got, []string{"a1"}) {
		t.Errorf("of the messages %q are accepted, %v; want that of its conversation", got, err)
	}

	// Of many marks those of its conversations are set.
	marks := map[string]chat.Marks{open.Conversation: {Delivered: 1}, shut.Conversation: {Delivered: 1}}
	if err := s.SetMarks(ctx, "alice", marks); err != nil {
		t.Fatal(err)
	}
	for conversation, want := range map[string]int64{open.Conversation: 1, shut.Conversation: 0} {
		if _, m := get(t, all, "alice", conversation); m.Delivered != want {
			t.Errorf("delivered %d, want %d", m.Delivered, want)
		}
	}

	if list, _, err := all.Within([]string{}).List(ctx, "alice", "", 0); err != nil || len(list) > 0 {
		t.Errorf("a token for no conversation lists %d, %v", len(list), err)
	}
}

// Of the own feed such a token gets its conversations' memberships, and is told how far it is.
func TestATokenForSomeConversationsReadsOnlyTheirFeeds(t *testing.T) {
	ctx := t.Context()
	all := service(t, chat.Config{})
	open := send(t, all, bob, "alice", "b1", "Open")
	shut := send(t, all, carol, "alice", "c1", "Shut")
	if err := all.SetObject(ctx, "alice", "tab-1", "draft", []byte(`"to carol"`)); err != nil {
		t.Fatal(err)
	}
	send(t, all, alice, "carol", "a1", "now a contact")
	whole, err := all.Changes(ctx, "alice", chat.OwnFeed, 0, 0)
	if err != nil || len(whole.Items) != 4 {
		t.Fatalf("alice has %d items, %v; want two memberships, an object and a contact", len(whole.Items), err)
	}

	s := all.Within([]string{open.Conversation})
	c, err := s.Changes(ctx, "alice", chat.OwnFeed, 0, 0)
	if mine := of[chat.Membership](t, c.Items, chat.ItemMembership); err != nil || len(c.Items) != 1 || len(mine) != 1 || mine[0].Conversation != open.Conversation || c.UpTo != whole.UpTo {
		t.Errorf("the token reads %+v up to %d, %v; want one membership up to %d", c.Items, c.UpTo, err, whole.UpTo)
	}
	if c, err := s.OwnItems(ctx, "alice", 0); err != nil || len(c.Items) != 0 {
		t.Errorf("the token begins with %+v, %v", c.Items, err)
	}
	_, err = s.Changes(ctx, "alice", shut.Conversation, 0, 0)
	refused(t, "the feed of another conversation", err, refusal.NotFound)
	list, _, err := s.ChangedConversations(ctx, "alice", 0, "")
	if err != nil || len(list) != 1 || list[0].ID != open.Conversation {
		t.Errorf("the token is told of %d changed conversations, %v", len(list), err)
	}
	r, err := s.Resume(ctx, "alice", s.Opening(), time.Now().UnixMilli(), map[string]chat.FeedPosition{
		open.Conversation: position(t, all, "alice", open.Conversation), shut.Conversation: position(t, all, "alice", shut.Conversation),
	})
	if err != nil || !r.Resumed || !slices.Equal(r.Diverged, []string{shut.Conversation}) {
		t.Errorf("resumed: %+v, %v; want the other conversation forgotten", r, err)
	}
	if got := len(history(t, all, "alice", shut.Conversation)); got != 2 {
		t.Errorf("of the other conversation %d messages are left", got)
	}
}

// What a token lists is in its first pages, however much there is beside it.
func TestATokenForSomeConversationsListsThemWithoutGaps(t *testing.T) {
	s := service(t, chat.Config{PageSize: 2})
	for i := range 9 {
		send(t, s, alice, fmt.Sprint("user", i), fmt.Sprint("a", i), "hello")
	}
	pages := func(s *chat.Service) (ids []string, sizes []int) {
		for before := ""; ; {
			page, next, err := s.List(t.Context(), "alice", before, 0)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(page))
			for _, c := range page {
				ids = append(ids, c.ID)
			}
			if before = next; before == "" {
				return ids, sizes
			}
		}
	}
	all, _ := pages(s)
	want := []string{all[4], all[7], all[8]}
	got, sizes := pages(s.Within(want))
	if !slices.Equal(got, want) || !slices.Equal(sizes, []int{2, 1}) {
		t.Errorf("got %q in pages of %v, want %q in pages of 2 and 1", got, sizes, want)
	}
}
