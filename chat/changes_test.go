package chat_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"carillon/chat"
	"carillon/refusal"
)

// position is what a tab keeps that has read a whole feed.
func position(t tester, s *chat.Service, user, name string) (p chat.FeedPosition) {
	t.Helper()
	items := feed(t, s, user, name)
	for _, item := range items {
		p.Pos = item.Pos
	}
	slices.Reverse(items)
	for _, item := range items[:min(3, len(items))] {
		p.Newest = append(p.Newest, item.Place)
	}
	return p
}

// resume says what has become of the feeds of a tab that has this much of them.
func resume(t tester, s *chat.Service, user string, feeds map[string]chat.FeedPosition) []string {
	t.Helper()
	now, err := s.Now(t.Context()) // the database's, which a test in a bubble does not share
	if err != nil {
		t.Fatalf("ask for the time: %v", err)
	}
	r, err := s.Resume(t.Context(), user, s.Opening(), now, feeds)
	if err != nil || !r.Resumed {
		t.Fatalf("resumed %t, %v", r.Resumed, err)
	}
	slices.Sort(r.Diverged)
	return r.Diverged
}

// From whatever place a tab asks, it is sent all that changed since, or told to begin afresh.
func TestAResumedFeedIsWholeOrBeginsAfresh(t *testing.T) {
	s := service(t, chat.Config{PageSize: 7})
	var conversation string
	for i := range 100 {
		conversation = send(t, s, alice, "bob", fmt.Sprint(i), fmt.Sprint("m", i+1)).Conversation
	}
	whole := feed(t, s, "bob", conversation)
	c, _ := get(t, s, "bob", conversation)
	if len(whole) != 103 || c.Pos != 103 {
		t.Fatalf("the feed has %d items up to %d; want the settings, two members and the messages", len(whole), c.Pos)
	}
	for after := range c.Pos + 1 {
		var got []chat.Item
		for at := after; ; {
			changes, err := s.Changes(t.Context(), "bob", conversation, at, 0)
			if err != nil || changes.Reset || len(changes.Items) > 7 || changes.UpTo < at {
				t.Fatalf("after %d: %d items up to %d, reset %t, %v", at, len(changes.Items), changes.UpTo, changes.Reset, err)
			}
			got = append(got, changes.Items...)
			if at = changes.UpTo; !changes.More {
				break
			}
		}
		if int64(len(got)) != c.Pos-after || len(got) > 0 && got[0].Pos != after+1 {
			t.Fatalf("after %d there are %d items", after, len(got))
		}
	}
	for _, feed := range []string{conversation, chat.OwnFeed} {
		for _, after := range []int64{104, math.MaxInt64} {
			changes, err := s.Changes(t.Context(), "bob", feed, after, 0)
			if err != nil || !changes.Reset || len(changes.Items) > 0 || changes.More {
				t.Errorf("%s after %d, which was never: %+v, %v; want to begin afresh", feed, after, changes, err)
			}
		}
		_, err := s.Changes(t.Context(), "bob", feed, -1, 0)
		refused(t, "after -1", err, refusal.BadRequest)
	}
}

func TestWhoIsFarBehindBeginsAfresh(t *testing.T) {
	s := service(t, chat.Config{})
	c := group(t, s, alice, "bob")
	for i := range 1005 {
		say(t, s, "alice", c.ID, fmt.Sprint(i), "x")
	}
	head, _ := get(t, s, "bob", c.ID)
	for behind, reset := range map[int64]bool{1000: false, 1001: true} {
		changes, err := s.Changes(t.Context(), "bob", c.ID, head.Pos-behind, 0)
		if err != nil || changes.Reset != reset || reset == (len(changes.Items) > 0) {
			t.Errorf("%d behind: reset %t with %d items, %v; want %t", behind, changes.Reset, len(changes.Items), err, reset)
		}
	}
}

// A tab goes on with a feed only if it is the one that it knows.
func TestFeedsThatAreNotTheTabsOwnAreForgotten(t *testing.T) {
	s := service(t, chat.Config{})
	mine := send(t, s, alice, "bob", "a1", "one").Conversation
	send(t, s, bob, "alice", "b1", "two")
	others := send(t, s, carol, "dave", "c1", "not for alice").Conversation
	good, own := position(t, s, "alice", mine), position(t, s, "alice", chat.OwnFeed)
	if got := resume(t, s, "alice", map[string]chat.FeedPosition{mine: good, chat.OwnFeed: own}); len(got) > 0 {
		t.Errorf("a tab that knows everything is to forget %q", got)
	}
	if got := resume(t, s, "alice", map[string]chat.FeedPosition{mine: {}, chat.OwnFeed: {}}); len(got) > 0 {
		t.Errorf("a tab that knows nothing yet is to forget %q", got)
	}
	with := func(p chat.FeedPosition, change func(*chat.FeedPosition)) chat.FeedPosition {
		p.Newest = slices.Clone(p.Newest)
		change(&p)
		return p
	}
	for what, change := range map[string]func(*chat.FeedPosition){
		"a pos from the future": func(p *chat.FeedPosition) { p.Pos += 1000 },
		"tags of another history": func(p *chat.FeedPosition) {
			for i := range p.Newest {
				p.Newest[i].Tag++
			}
		},
		"one tag of another history": func(p *chat.FeedPosition) { p.Newest[0].Tag++ },
		"no tag":                     func(p *chat.FeedPosition) { p.Newest = nil },
	} {
		feeds := map[string]chat.FeedPosition{mine: with(good, change), chat.OwnFeed: with(own, change)}
		if got := resume(t, s, "alice", feeds); len(got) != 2 {
			t.Errorf("with %s only %q are to be forgotten", what, got)
		}
	}
	// One of the newest is enough: the others may have changed since.
	one := with(good, func(p *chat.FeedPosition) { p.Newest[0].Pos, p.Newest[1].Pos = 1<<40, 1<<41 })
	if got := resume(t, s, "alice", map[string]chat.FeedPosition{mine: one}); len(got) > 0 {
		t.Errorf("with one tag left the tab is to forget %q", got)
	}
	none := with(good, func(p *chat.FeedPosition) { p.Newest = []chat.Place{{Pos: 1 << 40}} })
	if got := resume(t, s, "alice", map[string]chat.FeedPosition{mine: none}); len(got) != 1 {
		t.Error("a conversation of which no tag is left goes on")
	}
	foreign := position(t, s, "carol", others)
	feeds := map[string]chat.FeedPosition{others: foreign, "none": good, "\x00": good, mine: good}
	if got := resume(t, s, "alice", feeds); !slices.Equal(got, slices.Sorted(slices.Values([]string{"\x00", "none", others}))) {
		t.Errorf("with feeds of others the tab is to forget %q", got)
	}
	for i := range 101 {
		feeds[fmt.Sprint("conversation", i)] = good
	}
	_, err := s.Resume(t.Context(), "alice", s.Opening(), time.Now().UnixMilli(), feeds)
	refused(t, "a resume with very many feeds", err, refusal.TooLarge)
}

// Who was away while everything that they knew of their own feed has changed is sent what changed,
// not all of it.
func TestTheOwnFeedGoesOnAfterAllItsNewestItemsHaveChanged(t *testing.T) {
	s := service(t, chat.Config{})
	for i := range 50 {
		if err := s.SetObject(t.Context(), "alice", "tab", fmt.Sprint(i), []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, other := range []string{"bob", "carol", "dave"} {
		ids = append(ids, send(t, s, chat.User{ID: other}, "alice", "1", "x").Conversation)
	}
	known := position(t, s, "alice", chat.OwnFeed)
	for _, id := range ids {
		mark(t, s, "alice", id, 1, 1)
	}
	if got := resume(t, s, "alice", map[string]chat.FeedPosition{chat.OwnFeed: known}); len(got) > 0 {
		t.Errorf("the tab is to forget %q", got)
	}
	if c, err := s.Changes(t.Context(), "alice", chat.OwnFeed, known.Pos, 0); err != nil || len(c.Items) != 3 {
		t.Errorf("%d items have changed, %v; want the three memberships", len(c.Items), err)
	}
}

// A tab whose history is not of this database begins anew.
func TestAnotherDatabaseIsNotResumed(t *testing.T) {
	s := service(t, chat.Config{})
	mine := send(t, s, alice, "bob", "a1", "one").Conversation
	feeds := map[string]chat.FeedPosition{mine: position(t, s, "alice", mine)}
	now := time.Now()
	for what, from := range map[string]struct {
		opening string
		at      time.Time
	}{
		"nothing":                  {"", time.Time{}},
		"another database":         {service(t, chat.Config{}).Opening(), now},
		"a time that has not been": {s.Opening(), now.Add(time.Hour)},
		"nonsense":                 {"\x00", now},
	} {
		r, err := s.Resume(t.Context(), "alice", from.opening, from.at.UnixMilli(), feeds)
		if err != nil || r.Resumed || len(r.Diverged) > 0 || r.Opening != s.Opening() || r.At < now.Add(-time.Minute).UnixMilli() {
			t.Errorf("resumed from %s: %+v, %v", what, r, err)
		}
	}
}

// What has changed since a time is found page by page, with a minute to spare.
func TestChangedConversationsAreFound(t *testing.T) {
	s := service(t, chat.Config{PageSize: 3})
	want := map[string]bool{}
	for i := range 8 {
		want[send(t, s, alice, fmt.Sprint("friend", i), fmt.Sprint(i), "Hello").Conversation] = true
	}
	send(t, s, bob, "carol", "b1", "of others")
	find := func(since time.Time) map[string]bool {
		got := map[string]bool{}
		for after := ""; ; {
			list, next, err := s.ChangedConversations(t.Context(), "alice", since.UnixMilli(), after)
			if err != nil || len(list) > 3 {
				t.Fatalf("%d conversations, %v", len(list), err)
			}
			for _, c := range list {
				got[c.ID] = true
			}
			if after = next; after == "" {
				return got
			}
		}
	}
	if got := find(time.Now()); len(got) != len(want) {
		t.Errorf("found %d, want %d", len(got), len(want))
	}
	if got := find(time.Now().Add(3 * time.Minute)); len(got) > 0 {
		t.Errorf("found %d that have not changed", len(got))
	}
}
