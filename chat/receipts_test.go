package chat_test

import (
	"fmt"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

func TestReceiptsNeverGoBack(t *testing.T) {
	s := service(t, chat.Config{})
	ctx := t.Context()
	var conversation string
	for i := range 5 {
		conversation = send(t, s, alice, "bob", fmt.Sprint(i), fmt.Sprint(i)).Conversation
	}
	if c, _ := get(t, s, "bob", conversation); c.Unread != 5 || c.LastSeq != 5 || c.Last == nil || c.Last.Text != "4" {
		t.Errorf("bob before: %+v", c)
	}
	if c, _ := get(t, s, "alice", conversation); c.Unread != 0 {
		t.Errorf("alice has %d unread of her own, want 0", c.Unread)
	}
	deliver := func(offset int64) {
		t.Helper()
		if err := s.MarkDelivered(ctx, "bob", offset); err != nil {
			t.Fatal(err)
		}
	}
	read := func(seq int64) {
		t.Helper()
		if err := s.MarkRead(ctx, "bob", conversation, seq); err != nil {
			t.Fatal(err)
		}
	}
	deliver(3) // the conversation, and two messages
	deliver(2)
	read(1)
	read(4) // reading is receiving
	read(3)
	deliver(5)
	read(99) // nobody reads what is not there
	refused(t, "a seq below 0", s.MarkRead(ctx, "bob", conversation, -1), refusal.BadRequest)
	refused(t, "an ack from the future", s.MarkDelivered(ctx, "bob", 1000), refusal.BadRequest)

	if c, m := get(t, s, "bob", conversation); m.Delivered != 5 || m.Read != 5 || c.Unread != 0 {
		t.Errorf("bob after: delivered %d, read %d, unread %d; want 5, 5, 0", m.Delivered, m.Read, c.Unread)
	}
	told := func(user string) (out string) {
		for _, r := range of[chat.Receipt](t, log(t, s, user), chat.EventReceipt) {
			out += fmt.Sprintf("%s %d/%d unread %d; ", r.User, r.Delivered, r.Read, r.Unread)
		}
		return out
	}
	if got, want := told("alice"), "bob 2/0 unread 0; bob 2/1 unread 0; bob 4/4 unread 0; bob 5/5 unread 0; "; got != want {
		t.Errorf("alice was told\n%s, want\n%s", got, want)
	}
	if got, want := told("bob"), "bob 2/1 unread 4; bob 4/4 unread 1; bob 5/5 unread 0; "; got != want {
		t.Errorf("bob's tabs were told\n%s, want\n%s", got, want)
	}
}

// A tab that slept longer than the log lasts has paged instead, and says so by acknowledging.
func TestDeliveryAcrossAGapInTheLog(t *testing.T) {
	s := chat.New(database(t, store.Config{LogEvents: 16}), anyone)
	var last chat.Message
	for i := range 100 {
		last = send(t, s, alice, "bob", fmt.Sprint(i), "x")
	}
	other := send(t, s, carol, "bob", "c", "x")
	newest, err := s.Offset(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.MarkDelivered(t.Context(), "bob", newest-2); err != nil { // all but carol's
		t.Fatal(err)
	}
	if _, m := get(t, s, "bob", last.Conversation); m.Delivered != 100 {
		t.Errorf("of alice's: delivered %d, want 100", m.Delivered)
	}
	if _, m := get(t, s, "bob", other.Conversation); m.Delivered != 0 {
		t.Errorf("of carol's: delivered %d, want 0", m.Delivered)
	}
}

func TestInLargeGroupsReceiptsAreOnesOwn(t *testing.T) {
	s := service(t, chat.Config{ReceiptMembers: 2})
	c, err := s.Create(t.Context(), alice, chat.Group, []string{"bob", "carol"}, "Three")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(t.Context(), alice, chat.SendParams{Conversation: c.ID, ClientID: "1", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkRead(t.Context(), "bob", c.ID, 1); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]int{"alice": 0, "bob": 1, "carol": 0} {
		if got := of[chat.Receipt](t, log(t, s, user), chat.EventReceipt); len(got) != want {
			t.Errorf("%s was told %d receipts, want %d", user, len(got), want)
		}
	}
	if _, m := get(t, s, "bob", c.ID); m.Read != 1 {
		t.Errorf("bob's mark is %d, want 1", m.Read)
	}
}
