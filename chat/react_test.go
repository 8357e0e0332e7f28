package chat_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/refusal"
)

func reactionsOf(t tester, s *chat.Service, user, conversation string) map[int64]chat.Reactions {
	t.Helper()
	page, err := s.Page(t.Context(), user, conversation, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int64]chat.Reactions{}
	for _, r := range of[chat.Reactions](t, page.Reactions, chat.ItemReactions) {
		all[r.Seq] = r
	}
	return all
}

func TestReactionsAreCounted(t *testing.T) {
	s, heard := listened(t, chat.Config{})
	ctx := t.Context()
	room := group(t, s, bob, "alice", "carol").ID
	say(t, s, "bob", room, "1", "one")
	say(t, s, "bob", room, "2", "two")
	heard.take()
	react := func(user string, seq int64, emoji string, on bool) chat.Reactions {
		t.Helper()
		r, _, err := s.React(ctx, user, room, seq, emoji, on)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	react("alice", 1, "👍", true)
	react("carol", 1, "👍", true)
	react("carol", 1, "🎉", true)
	told := heard.take()
	if len(told) != 3 || told[2].Conversation != room || string(told[2].Item.Data) != `{"seq":1,"counts":{"🎉":1,"👍":2},"user":"carol","emoji":"🎉"}` {
		t.Errorf("told %d times, at last %s", len(told), told[len(told)-1].Item.Data)
	}
	if _, at, err := s.React(ctx, "carol", room, 1, "🎉", true); err != nil || at.Pos != 0 || len(heard.take()) > 0 {
		t.Errorf("the same again is a change at %d, %v", at.Pos, err)
	}
	for user, mine := range map[string][]string{"alice": {"👍"}, "bob": nil, "carol": {"🎉", "👍"}} {
		r := reactionsOf(t, s, user, room)
		if len(r) != 1 || !maps.Equal(r[1].Counts, map[string]int{"👍": 2, "🎉": 1}) || !slices.Equal(r[1].Mine, mine) {
			t.Errorf("%s sees %+v; want mine %v", user, r, mine)
		}
		changed := of[chat.Reactions](t, feed(t, s, user, room), chat.ItemReactions)
		if len(changed) != 1 || !slices.Equal(changed[0].Mine, mine) {
			t.Errorf("the feed of %s has %+v", user, changed)
		}
	}
	if r := react("alice", 1, "👍", false); !r.Off || r.Counts["👍"] != 1 {
		t.Errorf("taken back: %+v", r)
	}
	react("carol", 1, "👍", false)
	react("carol", 1, "🎉", false)
	if r := reactionsOf(t, s, "alice", room)[1]; len(r.Counts) != 0 {
		t.Errorf("after all were taken back: %+v", r)
	}
	for i := range 5 {
		react(fmt.Sprint([]string{"alice", "bob", "carol"}[i%3]), 2, []string{"👍", "❤️", "😂", "😮", "😢"}[i], true)
	}
	page, err := s.WhoReacted(ctx, "alice", room, 2, "👍", "", 0)
	if err != nil || page.Next != "" || len(page.Users) != 1 || page.Users[0].ID != "alice" {
		t.Errorf("with 👍 reacted %+v, %v", page, err)
	}
}

func TestReactionsAreBounded(t *testing.T) {
	s, ctx := service(t, chat.Config{Reactions: 4, UserReactions: 2}), t.Context()
	room := group(t, s, bob, "alice", "carol").ID
	say(t, s, "bob", room, "1", "one")
	emoji := []string{"👍", "❤️", "😂", "😮", "😢"}
	for i, user := range []string{"alice", "alice", "bob", "bob"} {
		if _, _, err := s.React(ctx, user, room, 1, emoji[i], true); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.React(ctx, "alice", room, 1, "😂", true)
	refused(t, "one more of a user", err, refusal.TooLarge)
	_, _, err = s.React(ctx, "carol", room, 1, "😢", true)
	refused(t, "one more kind", err, refusal.TooLarge)
	if _, _, err = s.React(ctx, "carol", room, 1, "👍", true); err != nil {
		t.Errorf("of a kind that is there: %v", err)
	}
	_, _, err = s.React(ctx, "dave", room, 1, "👍", true)
	refused(t, "no member", err, refusal.NotFound)
	_, _, err = s.React(ctx, "carol", room, 2, "👍", true)
	refused(t, "no message", err, refusal.NotFound)
	for _, good := range []string{"👍🏽", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇩🇪", "1️⃣", "☺️", "™️", "⬆️", "❤"} {
		if _, _, err := s.React(ctx, "carol", room, 1, good, false); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a", "ok", "👍👍", " ", "\n", "<", "\xff", "é", "漢", "1", "\u202e👍", fmt.Sprintf("👍%0200d", 1)} {
		_, _, err := s.React(ctx, "carol", room, 1, bad, true)
		refused(t, fmt.Sprintf("%q", bad), err, refusal.BadRequest)
	}
}

func TestWhoJoinedLaterSeesNoOlderReactions(t *testing.T) {
	s, ctx := service(t, chat.Config{}), t.Context()
	room := group(t, s, bob, "alice").ID
	say(t, s, "bob", room, "1", "one")
	if err := s.Clear(ctx, "alice", room, 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.React(ctx, "bob", room, 1, "👍", true); err != nil {
		t.Fatal(err)
	}
	if list := of[chat.Reactions](t, feed(t, s, "alice", room), chat.ItemReactions); len(list) > 0 {
		t.Errorf("alice is told of %+v to a message that she does not see", list)
	}
	_, _, err := s.React(ctx, "alice", room, 1, "👍", true)
	refused(t, "to a message that one does not see", err, refusal.NotFound)
	_, err = s.WhoReacted(ctx, "alice", room, 1, "👍", "", 0)
	refused(t, "who reacted to it", err, refusal.NotFound)
}

func TestRemovedForOneselfAlone(t *testing.T) {
	s, heard := listened(t, chat.Config{Hidden: 3})
	ctx := t.Context()
	room := group(t, s, bob, "alice").ID
	for i := range 5 {
		say(t, s, "bob", room, fmt.Sprint(i), fmt.Sprint("text-", i))
	}
	heard.take()
	for range 2 { // the second time changes nothing
		if err := s.Hide(ctx, "alice", room, []int64{2, 5, 2}); err != nil {
			t.Fatal(err)
		}
	}
	if list := heard.take(); len(list) != 2 || list[0].User != "alice" || list[0].Item.Type != chat.ItemHidden {
		t.Errorf("told %+v, want two to alice", list)
	}
	list := history(t, s, "alice", room)
	if got := texts(list); got != "1:text-0 2: 3:text-2 4:text-3 5: " || list[1].Gone != chat.HiddenMessage {
		t.Errorf("alice sees %s", got)
	}
	if got := texts(history(t, s, "bob", room)); got != "1:text-0 2:text-1 3:text-2 4:text-3 5:text-4 " {
		t.Errorf("bob sees %s", got)
	}
	if c, _ := get(t, s, "alice", room); c.Last == nil || c.Last.Text != "" || c.Last.Gone != chat.HiddenMessage {
		t.Errorf("the last message is %+v", c.Last)
	}
	for _, m := range of[chat.Message](t, feed(t, s, "alice", room), chat.ItemMessage) {
		if hidden := m.Seq == 2 || m.Seq == 5; hidden != (m.Gone != "") || hidden != (m.Text == "") {
			t.Errorf("the feed has %+v", m)
		}
	}
	refused(t, "more than one may", s.Hide(ctx, "alice", room, []int64{1, 3}), refusal.TooLarge)
	refused(t, "none", s.Hide(ctx, "alice", room, nil), refusal.TooLarge)
	refused(t, "no message", s.Hide(ctx, "alice", room, []int64{6}), refusal.NotFound)
	refused(t, "another's conversation", s.Hide(ctx, "carol", room, []int64{1}), refusal.NotFound)
	if got := texts(history(t, s, "alice", room)); got != "1:text-0 2: 3:text-2 4:text-3 5: " {
		t.Errorf("after a refusal alice sees %s", got)
	}
}
