package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

// To whom a token narrows to some conversations there are no others.
func TestATokenForSomeConversations(t *testing.T) {
	ctx := t.Context()
	all := service(t, chat.Config{})
	open := send(t, all, bob, "alice", "b1", "Open")
	shut := send(t, all, carol, "alice", "c1", "Shut")
	s := all.Within([]string{open.Conversation})

	if _, err := s.Send(ctx, alice, chat.SendParams{Conversation: open.Conversation, ClientID: "a1", Text: "x"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Send(ctx, alice, chat.SendParams{To: "bob", ClientID: "a2", Text: "x"}); err != nil {
		t.Error(err)
	}
	if page, _, err := s.Page(ctx, "alice", open.Conversation, 0, 0, 0); err != nil || len(page) != 3 {
		t.Errorf("history of %d messages, %v", len(page), err)
	}
	list, _, err := s.List(ctx, "alice", "", 0)
	if err != nil || len(list) != 1 || list[0].ID != open.Conversation {
		t.Errorf("the list has %d conversations, %v; want the one", len(list), err)
	}
	send(t, all, alice, "carol", "a9", "Said with another token")
	for what, err := range map[string]error{
		"writes": func() error {
			_, err := s.Send(ctx, alice, chat.SendParams{Conversation: shut.Conversation, ClientID: "a3", Text: "x"})
			return err
		}(),
		"writes to the user": func() error {
			_, err := s.Send(ctx, alice, chat.SendParams{To: "carol", ClientID: "a4", Text: "x"})
			return err
		}(),
		"writes to somebody new": func() error {
			_, err := s.Send(ctx, alice, chat.SendParams{To: "dave", ClientID: "a5", Text: "x"})
			return err
		}(),
		"asks what became of a message": func() error {
			_, err := s.Send(ctx, alice, chat.SendParams{Conversation: open.Conversation, ClientID: "a9", Text: "x"})
			return err
		}(),
		"reads":  func() error { _, _, err := s.Page(ctx, "alice", shut.Conversation, 0, 0, 0); return err }(),
		"looks":  func() error { _, err := s.Conversation(ctx, "alice", shut.Conversation); return err }(),
		"marks":  s.MarkRead(ctx, "alice", shut.Conversation, 1),
		"opens":  func() error { _, err := s.DirectWith(ctx, alice, "carol"); return err }(),
		"begins": func() error { _, err := s.DirectWith(ctx, alice, "dave"); return err }(),
	} {
		refused(t, what, err, refusal.NotFound)
	}
	_, err = s.Create(ctx, alice, chat.Group, []string{"bob"}, "")
	refused(t, "makes a group", err, refusal.NotAllowed)
	if list, _, err := all.List(ctx, "dave", "", 0); err != nil || len(list) > 0 {
		t.Errorf("dave has %d conversations, %v: what was refused was kept", len(list), err)
	}

	// What it acknowledges delivers what it was sent, and nothing else.
	newest, err := all.Offset(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	delivered := func(conversation string) int64 {
		t.Helper()
		_, m := get(t, all, "alice", conversation)
		return m.Delivered
	}
	if err := s.MarkDelivered(ctx, "alice", newest); err != nil {
		t.Fatal(err)
	}
	if o, s := delivered(open.Conversation), delivered(shut.Conversation); o != 1 || s != 0 {
		t.Errorf("delivered %d and %d, want 1 and 0", o, s)
	}
	if err := all.MarkDelivered(ctx, "alice", newest); err != nil {
		t.Fatal(err)
	}
	if got := delivered(shut.Conversation); got != 1 {
		t.Errorf("a tab that was sent everything delivered up to %d, want 1", got)
	}

	if list, _, err := all.Within([]string{}).List(ctx, "alice", "", 0); err != nil || len(list) > 0 {
		t.Errorf("a token for no conversation lists %d, %v", len(list), err)
	}
}

// What a tab with such a token has acknowledged is not read again at its next acknowledgement,
// unless there is something before it that the tab was not sent.
func TestATokenForSomeConversationsAcknowledgesWhatItWasSent(t *testing.T) {
	ctx := t.Context()
	db := database(t, store.Config{})
	all := chat.New(db, anyone)
	open := send(t, all, bob, "alice", "b1", "Open")
	s := all.Within([]string{open.Conversation})
	acked := func() (offset int64) {
		if err := db.Read(ctx, func(v chat.View) (err error) { offset, err = v.Acked("alice"); return err }); err != nil {
			t.Fatal(err)
		}
		return offset
	}
	acknowledge := func() (offset int64) {
		offset, err := all.Offset(ctx, "alice")
		if err == nil {
			err = s.MarkDelivered(ctx, "alice", offset)
		}
		if err != nil {
			t.Fatal(err)
		}
		return offset
	}
	upTo := acknowledge()
	if got := acked(); got != upTo {
		t.Errorf("acknowledged up to %d, want %d", got, upTo)
	}
	send(t, all, carol, "alice", "c1", "Shut")
	send(t, all, bob, "alice", "b2", "Open")
	acknowledge()
	if got := acked(); got != upTo {
		t.Errorf("acknowledged up to %d, past what the tab was not sent; want %d", got, upTo)
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
