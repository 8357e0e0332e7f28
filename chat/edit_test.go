package chat_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"carillon/chat"
	"carillon/files"
	"carillon/refusal"
	"carillon/store"
)

// write sends a message to a conversation.
func write(t tester, s *chat.Service, from string, p chat.SendParams) chat.Message {
	t.Helper()
	m, _, err := s.Send(t.Context(), chat.User{ID: from}, p)
	if err != nil {
		t.Fatalf("%s sends %+v: %v", from, p, err)
	}
	return m
}

func TestAnswersMentionsAndForwards(t *testing.T) {
	s, ctx := service(t, chat.Config{}), t.Context()
	room, other := group(t, s, alice, "bob").ID, group(t, s, alice, "carol").ID
	first := say(t, s, "bob", room, "1", "one")
	m := write(t, s, "alice", chat.SendParams{Conversation: room, ClientID: "2", Text: "@bob two", ReplyTo: 1, Mentions: []string{"zoe", "bob", "bob"}})
	if m.ReplyTo != 1 || !slices.Equal(m.Mentions, []string{"bob"}) {
		t.Errorf("sent %+v", m)
	}
	if again := write(t, s, "alice", chat.SendParams{Conversation: room, ClientID: "2", Text: "other"}); again.Text != m.Text || again.ReplyTo != 1 || !slices.Equal(again.Mentions, m.Mentions) {
		t.Errorf("sent again it is %+v", again)
	}
	forwarded := write(t, s, "alice", chat.SendParams{Conversation: other, ClientID: "3", Text: "is not looked at", Forward: &chat.MessageRef{Conversation: room, Seq: 1}})
	if forwarded.Text != first.Text || !forwarded.Forwarded || forwarded.Sender != "alice" {
		t.Errorf("forwarded %+v", forwarded)
	}
	if c, _ := get(t, s, "carol", other); c.Last == nil || !c.Last.Forwarded {
		t.Errorf("the head has %+v", c.Last)
	}
	if list := history(t, s, "carol", other); len(list) != 1 || !list[0].Forwarded || list[0].Text != "one" {
		t.Errorf("carol sees %+v", list)
	}
	for what, p := range map[string]chat.SendParams{
		"an answer to what is not there":           {Conversation: room, ClientID: "x1", Text: "x", ReplyTo: 99},
		"a forward of what she does not see":       {Conversation: other, ClientID: "x2", Forward: &chat.MessageRef{Conversation: room, Seq: 1}},
		"a forward of what is not there":           {Conversation: other, ClientID: "x3", Forward: &chat.MessageRef{Conversation: other, Seq: 9}},
		"a forward from where there is no such id": {Conversation: other, ClientID: "x4", Forward: &chat.MessageRef{Conversation: "nowhere", Seq: 1}},
	} {
		_, _, err := s.Send(ctx, carol, p)
		refused(t, what, err, refusal.NotFound)
	}
	_, _, err := s.Send(ctx, alice, chat.SendParams{Conversation: room, ClientID: "x5", Text: "x", ReplyTo: -1})
	refused(t, "a seq below 0", err, refusal.BadRequest)
	_, _, err = s.Send(ctx, alice, chat.SendParams{Conversation: room, ClientID: "x6", Text: "x", Mentions: make([]string, 51)})
	refused(t, "too many mentions", err, refusal.TooLarge)

	some, err := s.Some(ctx, "bob", room, []int64{2, 1, 1, 77})
	if got := texts(of[chat.Message](t, some.Items, chat.ItemMessage)); err != nil || got != "1:one 2:@bob two " || some.More {
		t.Errorf("asked for some: %s, more %t, %v", got, some.More, err)
	}
	_, err = s.Some(ctx, "carol", room, []int64{1})
	refused(t, "some of another's", err, refusal.NotFound)
	_, err = s.Some(ctx, "bob", room, make([]int64, 101))
	refused(t, "too many", err, refusal.TooLarge)
}

func TestMessagesAreEditedAndRecalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, heard := listened(t, chat.Config{EditMinutes: 30, RecallMinutes: 10})
		ctx := t.Context()
		room := group(t, s, alice, "bob", "carol").ID
		for _, id := range []string{"1", "2", "3"} {
			say(t, s, "bob", room, id, "text-"+id)
		}
		say(t, s, "alice", room, "4", "text-4")
		mark(t, s, "carol", room, 4, 1)
		heard.take()
		time.Sleep(9 * time.Minute)

		m, at, err := s.Edit(ctx, "bob", room, 1, "better")
		if err != nil || m.Text != "better" || m.Revision != 1 || m.EditedAt == 0 || at.Pos == 0 {
			t.Fatalf("edited: %+v at %v, %v", m, at, err)
		}
		if told := heard.take(); len(told) != 1 || told[0].Item.Place != at {
			t.Errorf("told %+v, want the change", told)
		}
		m, at, err = s.Recall(ctx, "bob", room, 2)
		if err != nil || m.Text != "" || m.Gone != chat.RecalledMessage || at.Pos == 0 {
			t.Fatalf("recalled: %+v at %v, %v", m, at, err)
		}
		_, _, err = s.Recall(ctx, "bob", room, 2)
		refused(t, "twice", err, refusal.NotFound)
		_, _, err = s.Edit(ctx, "bob", room, 2, "x")
		refused(t, "what was recalled is edited", err, refusal.NotFound)
		_, _, err = s.React(ctx, "carol", room, 2, "👍", true)
		refused(t, "a reaction to it", err, refusal.NotFound)
		_, _, err = s.Send(ctx, carol, chat.SendParams{Conversation: room, ClientID: "a", Text: "x", ReplyTo: 2})
		refused(t, "an answer to it", err, refusal.NotFound)

		for what, err := range map[string]error{
			"another's message is edited by an owner": second(s.Edit(ctx, "alice", room, 1, "x")),
			"another's message is recalled":           second(s.Recall(ctx, "carol", room, 3)),
		} {
			refused(t, what, err, refusal.NotAllowed)
		}
		refused(t, "without text", second(s.Edit(ctx, "bob", room, 1, " ")), refusal.BadRequest)
		refused(t, "in another's conversation", second(s.Edit(ctx, "dave", room, 1, "x")), refusal.NotFound)

		time.Sleep(2 * time.Minute)
		refused(t, "too late", second(s.Recall(ctx, "bob", room, 3)), refusal.NotAllowed)
		if _, _, err := s.Edit(ctx, "bob", room, 3, "still"); err != nil {
			t.Errorf("edited in time: %v", err)
		}
		time.Sleep(20 * time.Minute)
		refused(t, "edited too late", second(s.Edit(ctx, "bob", room, 3, "x")), refusal.NotAllowed)
		if m, _, err := s.Recall(ctx, "alice", room, 3); err != nil || m.Gone != chat.RemovedMessage {
			t.Errorf("removed by an owner: %+v, %v", m, err)
		}
		for _, user := range []string{"alice", "bob", "carol"} {
			if got := texts(history(t, s, user, room)); got != "1:better 2: 3: 4:text-4 " {
				t.Errorf("%s sees %s", user, got)
			}
		}
		if c, _ := get(t, s, "carol", room); unread(c) != 3 {
			t.Errorf("carol has %d unread, want 3: what was recalled counts", unread(c))
		}
	})
}

func second(_ chat.Message, _ chat.Place, err error) error { return err }

func TestAMessageHasAFile(t *testing.T) {
	db := database(t)
	s, ctx := chat.New(db, anyone), t.Context()
	upload(t, db, files.File{ID: "F1", Owner: "alice", State: files.Finished, Name: "a.png", Type: "image/png", Bytes: 7, Width: 2, Height: 3, Thumbnail: "t"})
	upload(t, db, files.File{ID: "F2", Owner: "alice", State: files.Uploading, Name: "b.png", Bytes: 7})
	room, other := group(t, s, alice, "bob").ID, group(t, s, bob, "carol").ID
	named := func(id string) json.RawMessage {
		return json.RawMessage(`{"file":"` + id + `","name":"../x","type":"text/html"}`)
	}
	m := write(t, s, "alice", chat.SendParams{Conversation: room, ClientID: "1", Kind: chat.File, Text: "look", Data: named("F1")})
	if got := decode[chat.FileData](t, m.Data); m.Text != "look" || got.Name != "a.png" || got.Type != "image/png" || got.Width != 2 || !got.Thumbnail {
		t.Errorf("sent %q %s", m.Text, m.Data)
	}
	first := send(t, s, alice, "dave", "d", "hello").Conversation // and as the first to somebody
	write(t, s, "alice", chat.SendParams{To: "erin", ClientID: "2", Kind: chat.File, Data: named("F1")})
	sees := func(user string) bool {
		t.Helper()
		seen, err := s.SeesFiles(ctx, user, []string{"F1"})
		if err != nil {
			t.Fatal(err)
		}
		return len(seen) > 0
	}
	for user, want := range map[string]bool{"bob": true, "carol": false, "dave": false, "erin": true} {
		if got := sees(user); got != want {
			t.Errorf("%s has the file: %t, want %t", user, got, want)
		}
	}
	write(t, s, "bob", chat.SendParams{Conversation: other, ClientID: "3", Forward: &chat.MessageRef{Conversation: room, Seq: 1}})
	if !sees("carol") {
		t.Error("carol does not have the file that was forwarded to her")
	}
	if _, _, err := s.Edit(ctx, "alice", room, 1, ""); err != nil {
		t.Errorf("the caption is taken away: %v", err)
	}
	if _, _, err := s.Recall(ctx, "alice", room, 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Recall(ctx, "bob", other, 1); err != nil {
		t.Fatal(err)
	}
	if sees("bob") || sees("carol") {
		t.Error("who had the message that was recalled still has its file")
	}
	for what, p := range map[string]chat.SendParams{
		"another's file":        {Conversation: room, ClientID: "x1", Kind: chat.File, Data: named("F1")},
		"one that is not there": {Conversation: room, ClientID: "x2", Kind: chat.Voice, Data: named("F9")},
	} {
		_, _, err := s.Send(ctx, bob, p)
		refused(t, what, err, refusal.NotFound)
	}
	_, _, err := s.Send(ctx, alice, chat.SendParams{Conversation: first, ClientID: "x3", Kind: chat.File, Data: named("F2")})
	refused(t, "one that is being uploaded", err, refusal.NotFound)
}

func upload(t *testing.T, db *store.Store, f files.File) {
	t.Helper()
	if err := db.WriteFiles(context.WithoutCancel(t.Context()), func(tx files.Tx) error { return tx.PutFile(f) }); err != nil {
		t.Fatal(err)
	}
}
