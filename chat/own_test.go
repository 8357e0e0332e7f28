package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/refusal"
)

func newest[T any](t tester, s *chat.Service, user string, kind chat.ItemType) (last T) {
	t.Helper()
	list := of[T](t, feed(t, s, user, chat.OwnFeed), kind)
	if len(list) > 0 {
		last = list[len(list)-1]
	}
	return last
}

func TestWhoIsBlockedReachesNobody(t *testing.T) {
	s, ctx := service(t, chat.Config{}), t.Context()
	if err := s.Introduce(ctx, []string{"alice", "bob"}); err != nil {
		t.Fatal(err)
	}
	direct := send(t, s, bob, "alice", "1", "hello").Conversation
	send(t, s, alice, "bob", "2", "hello") // they are contacts of each other
	shared := group(t, s, carol, "alice", "bob").ID
	sees := func() bool {
		users, err := s.Present(ctx, "bob", []string{"alice"})
		if err != nil {
			t.Fatal(err)
		}
		return len(users) > 0
	}
	if !sees() {
		t.Fatal("bob does not see when alice is here")
	}
	if err := s.Block(ctx, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	if sees() {
		t.Error("bob sees when alice is here, who has blocked him")
	}
	if u, err := s.User(ctx, "bob", "alice"); err != nil || u.Name != "alice" {
		t.Errorf("bob sees of alice %+v, %v; want her name still", u, err)
	}
	_, _, err := s.Send(ctx, bob, chat.SendParams{Conversation: direct, ClientID: "3", Text: "x"})
	refused(t, "bob writes to alice", err, refusal.Blocked)
	_, _, err = s.Send(ctx, alice, chat.SendParams{Conversation: direct, ClientID: "3", Text: "x"})
	refused(t, "alice writes to whom she has blocked", err, refusal.Blocked)
	for _, caller := range []chat.User{alice, bob} {
		_, _, err = s.MayRing(ctx, caller, direct, 10)
		refused(t, caller.ID+" calls the other", err, refusal.Blocked)
	}
	if _, ring, err := s.MayRing(ctx, bob, shared, 10); err != nil || !slices.Equal(ring, []string{"carol"}) {
		t.Errorf("a call of bob in the group rings %v, %v; want carol", ring, err)
	}
	_, err = s.Create(ctx, bob, chat.CreateParams{Kind: chat.Group, Members: []string{"alice"}})
	refused(t, "bob makes a group with alice", err, refusal.Blocked)
	_, err = s.Create(ctx, bob, chat.CreateParams{Kind: chat.Group, Members: []string{"alice", "carol"}})
	refused(t, "bob makes a group with alice among others", err, refusal.NotAllowed)
	say(t, s, "bob", shared, "4", "they go on reading each other in groups")

	if page, next, err := s.Blocks(ctx, "alice", "", 0); err != nil || next != "" || len(page) != 1 || page[0].Name != "bob" {
		t.Errorf("alice has blocked %+v, next %q, %v", page, next, err)
	}
	if b := newest[chat.Block](t, s, "alice", chat.ItemBlock); b.User != "bob" || b.Gone {
		t.Errorf("the item of alice's feed is %+v", b)
	}
	if err := s.Unblock(ctx, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	if b := newest[chat.Block](t, s, "alice", chat.ItemBlock); !b.Gone || !sees() {
		t.Errorf("after it was taken back the item is %+v, and bob sees her: %t", b, sees())
	}
	send(t, s, bob, "alice", "5", "again")
}

func TestBlocksAreBounded(t *testing.T) {
	s, ctx := service(t, chat.Config{Blocks: 3}), t.Context()
	for i := range 3 {
		for range 2 { // the second time changes nothing
			if err := s.Block(ctx, "alice", fmt.Sprint("user-", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	refused(t, "one too many", s.Block(ctx, "alice", "user-3"), refusal.TooLarge)
	refused(t, "oneself", s.Block(ctx, "alice", "alice"), refusal.BadRequest)
	refused(t, "no id", s.Block(ctx, "alice", "a b"), refusal.BadRequest)
	page, next, err := s.Blocks(ctx, "alice", "", 2)
	if err != nil || len(page) != 2 || next != "user-1" {
		t.Fatalf("a page of two: %v, next %q, %v", page, next, err)
	}
	if page, next, err = s.Blocks(ctx, "alice", next, 2); err != nil || len(page) != 1 || next != "" {
		t.Errorf("the last page: %v, next %q, %v", page, next, err)
	}
	if got := len(feed(t, s, "alice", chat.OwnFeed)); got != 3 {
		t.Errorf("%d items, want 3", got)
	}
}

func TestPreferencesDecideWhoMay(t *testing.T) {
	s, ctx := service(t, chat.Config{}), t.Context()
	if err := s.Introduce(ctx, []string{"alice", "bob"}); err != nil {
		t.Fatal(err)
	}
	direct := send(t, s, bob, "alice", "1", "hello").Conversation // alice is a contact of bob, not bob of alice
	set := func(change chat.PreferencesChange) chat.Preferences {
		t.Helper()
		p, err := s.SetPreferences(ctx, "alice", change)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	type may struct{ see, call, invite bool }
	ask := func(who chat.User, conversation string) (m may) {
		t.Helper()
		users, err := s.Present(ctx, who.ID, []string{"alice"})
		if err != nil {
			t.Fatal(err)
		}
		m.see = len(users) > 0
		_, ring, err := s.MayRing(ctx, who, conversation, 10)
		m.call = err == nil && slices.Contains(ring, "alice")
		_, err = s.Create(ctx, who, chat.CreateParams{Kind: chat.Group, Members: []string{"alice"}})
		m.invite = err == nil
		return m
	}
	if got := ask(bob, direct); got != (may{true, true, true}) {
		t.Errorf("before anything is decided bob may %+v", got)
	}
	everyone, contacts, nobody := chat.Everyone, chat.ContactsOnly, chat.Nobody
	busy, locale := int64(1_760_000_000_000), "pt-BR"
	set(chat.PreferencesChange{Presence: &contacts, Calls: &contacts, Groups: &contacts, BusyUntil: &busy})
	if got := ask(bob, direct); got != (may{}) {
		t.Errorf("who is no contact may %+v", got)
	}
	if err := s.AddContact(ctx, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	if got := ask(bob, direct); got != (may{true, true, true}) {
		t.Errorf("a contact may %+v", got)
	}
	p := set(chat.PreferencesChange{Presence: &nobody, Calls: &nobody, Groups: &nobody, Locale: &locale})
	if want := (chat.Preferences{Presence: nobody, Calls: nobody, Groups: nobody, BusyUntil: busy, Locale: locale}); p != want {
		t.Errorf("the preferences are %+v, want %+v", p, want)
	}
	if got := ask(bob, direct); got != (may{}) {
		t.Errorf("where nobody may a contact may %+v", got)
	}
	if item := newest[chat.Preferences](t, s, "alice", chat.ItemPreferences); item != p {
		t.Errorf("the item of alice's feed is %+v, want %+v", item, p)
	}
	before := len(feed(t, s, "alice", chat.OwnFeed))
	set(chat.PreferencesChange{})
	if after := len(feed(t, s, "alice", chat.OwnFeed)); after != before {
		t.Errorf("a change of nothing made %d items of %d", after, before)
	}
	set(chat.PreferencesChange{Presence: &everyone})

	wrong, past, long := chat.Audience("friends"), int64(-1), "english please"
	for what, change := range map[string]chat.PreferencesChange{
		"an audience that there is not": {Calls: &wrong}, "a time before 1970": {BusyUntil: &past}, "no locale": {Locale: &long},
	} {
		_, err := s.SetPreferences(ctx, "alice", change)
		refused(t, what, err, refusal.BadRequest)
	}
}

func TestDraftsFollowTheUser(t *testing.T) {
	s, heard := listened(t, chat.Config{Drafts: 2, MessageBytes: 100})
	ctx := t.Context()
	var rooms []string
	for _, other := range []string{"bob", "carol", "dave"} {
		rooms = append(rooms, send(t, s, alice, other, "to-"+other, "hi").Conversation)
	}
	heard.take()
	for _, text := range []string{"I w", "I was"} {
		if err := s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[0], Text: text, ReplyTo: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if list := heard.take(); len(list) != 2 || list[1].User != "alice" || list[1].Item.Type != chat.ItemDraft {
		t.Errorf("told %+v, want two drafts to alice", list)
	}
	d := newest[chat.Draft](t, s, "alice", chat.ItemDraft)
	if d.Text != "I was" || d.ReplyTo != 1 || d.At == 0 || d.Conversation != rooms[0] {
		t.Errorf("the draft is %+v", d)
	}
	if err := s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[1], Text: "x"}); err != nil {
		t.Fatal(err)
	}
	refused(t, "one too many", s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[2], Text: "x"}), refusal.TooLarge)
	refused(t, "one too long", s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[0], Text: fmt.Sprintf("%101d", 1)}), refusal.TooLarge)
	refused(t, "bytes", s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[0], Text: "\xff"}), refusal.BadRequest)
	refused(t, "in another's conversation", s.SetDraft(ctx, "bob", chat.Draft{Conversation: rooms[1], Text: "x"}), refusal.NotFound)
	if err := s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[0]}); err != nil {
		t.Fatal(err)
	}
	if d := newest[chat.Draft](t, s, "alice", chat.ItemDraft); d.Conversation != rooms[0] || d.Text != "" {
		t.Errorf("the draft that was sent is %+v", d)
	}
	if err := s.SetDraft(ctx, "alice", chat.Draft{Conversation: rooms[2], Text: "x"}); err != nil {
		t.Errorf("in place of the one that was sent: %v", err)
	}
}

func TestAConversationAsItConcernsTheUser(t *testing.T) {
	s, ctx := service(t, chat.Config{}), t.Context()
	room := group(t, s, bob, "alice").ID
	say(t, s, "bob", room, "1", "one")
	until, yes, no := int64(1_760_000_000_000), true, false
	if err := s.SetMine(ctx, "alice", room, chat.MineChange{MutedUntil: &until, Archived: &yes, Favourite: &yes}); err != nil {
		t.Fatal(err)
	}
	c, _ := get(t, s, "alice", room)
	if c.Mine.MutedUntil != until || c.Mine.Archived != 1 || !c.Mine.Favourite {
		t.Errorf("the membership is %+v", c.Mine)
	}
	if m := newest[chat.Membership](t, s, "alice", chat.ItemMembership); m != c.Mine {
		t.Errorf("the item is %+v, the head has %+v", m, c.Mine)
	}
	say(t, s, "bob", room, "2", "two")
	mark(t, s, "alice", room, 2, 2)
	if err := s.SetMine(ctx, "alice", room, chat.MineChange{Favourite: &no}); err != nil {
		t.Fatal(err)
	}
	if c, _ = get(t, s, "alice", room); c.Mine.MutedUntil != until || c.Mine.Archived != 1 || c.Mine.Favourite || c.Mine.Read != 2 {
		t.Errorf("after one change the membership is %+v", c.Mine)
	}
	if c, _ := get(t, s, "bob", room); c.Mine.MutedUntil != 0 {
		t.Errorf("bob's membership is %+v", c.Mine)
	}
	past := int64(-1)
	refused(t, "a time before 1970", s.SetMine(ctx, "alice", room, chat.MineChange{MutedUntil: &past}), refusal.BadRequest)
	refused(t, "another's conversation", s.SetMine(ctx, "carol", room, chat.MineChange{Favourite: &yes}), refusal.NotFound)
}

func TestClearingTakesMessagesFromOneMember(t *testing.T) {
	s, ctx := service(t, chat.Config{}), t.Context()
	room := group(t, s, bob, "alice").ID
	for i := range 5 {
		say(t, s, "bob", room, fmt.Sprint(i), fmt.Sprint("text-", i))
	}
	say(t, s, "alice", room, "a", "mine")
	if err := s.Clear(ctx, "alice", room, 3); err != nil {
		t.Fatal(err)
	}
	if got := texts(history(t, s, "alice", room)); got != "4:text-3 5:text-4 6:mine " {
		t.Errorf("alice sees %s", got)
	}
	if got := len(history(t, s, "bob", room)); got != 6 {
		t.Errorf("bob sees %d messages, want all 6", got)
	}
	c, _ := get(t, s, "alice", room)
	if got := unread(c); got != 2 || c.Mine.FromSeq != 4 {
		t.Errorf("alice has %d unread from seq %d on; want 2, from 4", got, c.Mine.FromSeq)
	}
	if err := s.Clear(ctx, "alice", room, 1000); err != nil {
		t.Fatal(err)
	}
	if c, _ = get(t, s, "alice", room); c.Mine.FromSeq != 7 || unread(c) != 0 || c.Last != nil {
		t.Errorf("after all was cleared: %+v, last %+v", c.Mine, c.Last)
	}
	say(t, s, "bob", room, "new", "new")
	if got := texts(history(t, s, "alice", room)); got != "7:new " {
		t.Errorf("alice sees %s", got)
	}
	refused(t, "nothing", s.Clear(ctx, "alice", room, 0), refusal.BadRequest)
	refused(t, "another's conversation", s.Clear(ctx, "carol", room, 1), refusal.NotFound)
}
