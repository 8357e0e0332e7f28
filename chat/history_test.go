package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

func TestPages(t *testing.T) {
	s := service(t, chat.Config{PageSize: 4})
	var id string
	for i := range 10 {
		id = send(t, s, alice, "bob", fmt.Sprint(i+1), fmt.Sprint("m", i+1)).Conversation
	}
	for _, p := range []struct {
		before, after int64
		limit         int
		want          string
		more          bool
	}{
		{0, 0, 0, "7:m7 8:m8 9:m9 10:m10 ", true},
		{7, 0, 3, "4:m4 5:m5 6:m6 ", true},
		{4, 0, 100, "1:m1 2:m2 3:m3 ", false},
		{1, 0, 4, "", false},
		{0, 5, 4, "6:m6 7:m7 8:m8 9:m9 ", true},
		{0, 6, 4, "7:m7 8:m8 9:m9 10:m10 ", false},
		{0, 10, 4, "", false},
	} {
		page, more, err := s.Page(t.Context(), "bob", id, p.before, p.after, p.limit)
		if texts(page) != p.want || more != p.more || err != nil {
			t.Errorf("before %d after %d limit %d: got %q, more %t, %v; want %q, %t", p.before, p.after, p.limit, texts(page), more, err, p.want, p.more)
		}
	}
	_, _, err := s.Page(t.Context(), "bob", id, 3, 3, 0)
	refused(t, "both ways", err, refusal.BadRequest)
}

func TestListComesLatestFirst(t *testing.T) {
	s := service(t, chat.Config{})
	for i := range 7 {
		send(t, s, alice, fmt.Sprint("friend", i), fmt.Sprint(i), "Hello")
	}
	seen := map[string]bool{}
	var at int64 = 1 << 62
	for cursor := ""; ; {
		list, next, err := s.List(t.Context(), "alice", cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			if seen[c.ID] || c.Last.SentAt > at {
				t.Errorf("conversation %s comes twice or out of order", c.ID)
			}
			seen[c.ID], at = true, c.Last.SentAt
		}
		if cursor = next; next == "" {
			break
		}
	}
	if len(seen) != 7 {
		t.Errorf("listed %d conversations, want 7", len(seen))
	}
	_, _, err := s.List(t.Context(), "alice", "nonsense", 0)
	refused(t, "a made-up cursor", err, refusal.BadRequest)
}

func TestResumeIsWholeOrTold(t *testing.T) {
	s := chat.New(database(t, store.Config{LogEvents: 20}), anyone)
	for i := range 100 {
		send(t, s, alice, "bob", fmt.Sprint(i), "x")
	}
	newest, err := s.Offset(t.Context(), "bob")
	if err != nil || newest != 101 {
		t.Fatalf("newest offset %d, %v; want 101", newest, err)
	}
	for after := int64(-1); after <= newest+1; after++ {
		events, complete, err := s.EventsAfter(t.Context(), "bob", after, 100)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case after < newest-30 || after > newest:
			if complete || events != nil {
				t.Errorf("after %d: complete %t with %d events, want to be told", after, complete, len(events))
			}
		case after >= newest-20:
			if !complete || int64(len(events)) != newest-after || len(events) > 0 && events[0].Offset != after+1 {
				t.Errorf("after %d: complete %t with %d events, want all %d", after, complete, len(events), newest-after)
			}
		case complete != (int64(len(events)) == newest-after):
			t.Errorf("after %d: complete %t with %d of %d events: a part", after, complete, len(events), newest-after)
		}
	}
}

func TestAccepted(t *testing.T) {
	s := service(t, chat.Config{})
	send(t, s, alice, "bob", "a1", "x")
	send(t, s, bob, "alice", "b1", "x")
	got, err := s.Accepted(t.Context(), "alice", []string{"a0", "a1", "b1", "\x00"})
	if err != nil || fmt.Sprint(got) != "[a1]" {
		t.Errorf("accepted %v, %v; want [a1]", got, err)
	}
	_, err = s.Accepted(t.Context(), "alice", make([]string, 1001))
	refused(t, "too many", err, refusal.TooLarge)
}

func TestObjectsAreSharedByAllTabs(t *testing.T) {
	s := service(t, chat.Config{Objects: 2, ObjectBytes: 20})
	ctx := t.Context()
	set := func(key, value string) error { return s.SetObject(ctx, "alice", "tab-1", key, json.RawMessage(value)) }
	for _, p := range [][2]string{{"cart", `{ "items": 3 }`}, {"draft", `"hi"`}, {"cart", `null`}, {"gone", `null`}, {"theme", `"dark"`}} {
		if err := set(p[0], p[1]); err != nil {
			t.Fatalf("set %s: %v", p[0], err)
		}
	}
	refused(t, "a third", set("more", "1"), refusal.TooLarge)
	refused(t, "a large one", set("draft", `"`+strings.Repeat("x", 30)+`"`), refusal.TooLarge)
	refused(t, "no JSON", set("draft", "{"), refusal.BadRequest)
	refused(t, "no key", set("", "1"), refusal.BadRequest)
	objects, err := s.Objects(ctx, "alice")
	if got, want := fmt.Sprintf("%s", objects), "[{draft \"hi\" tab-1} {theme \"dark\" tab-1}]"; got != want || err != nil {
		t.Errorf("objects %s, %v; want %s", got, err, want)
	}
	told := of[chat.UserObject](t, log(t, s, "alice"), chat.EventUserObject)
	if got, want := fmt.Sprintf("%s", told), `[{cart {"items":3} tab-1} {draft "hi" tab-1} {cart null tab-1} {theme "dark" tab-1}]`; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestANewNameReachesWhoKnowsMe(t *testing.T) {
	s := service(t, chat.Config{})
	ctx := t.Context()
	send(t, s, alice, "bob", "1", "x") // bob was never here
	send(t, s, carol, "dave", "1", "x")
	if c, _ := get(t, s, "alice", send(t, s, alice, "bob", "1", "x").Conversation); c.Members[1].Name != "bob" {
		t.Errorf("somebody unknown is called %q, want the id", c.Members[1].Name)
	}
	for range 2 {
		if _, err := s.Seen(ctx, bob); err != nil {
			t.Fatal(err)
		}
	}
	for user, want := range map[string]int{"alice": 1, "bob": 1, "carol": 0} {
		if got := of[chat.User](t, log(t, s, user), chat.EventProfile); len(got) != want || want == 1 && got[0] != bob {
			t.Errorf("%s was told of %+v, want %d profiles", user, got, want)
		}
	}
	if u, err := s.User(ctx, "alice", "bob"); err != nil || u != bob {
		t.Errorf("alice sees %+v, %v; want %+v", u, err, bob)
	}
	_, err := s.User(ctx, "alice", "nobody")
	refused(t, "a user who never was", err, refusal.NotFound)
	long := chat.User{ID: "long", Name: strings.Repeat("ä", 500), Picture: "http://x/\x00"}
	if _, err := s.Seen(ctx, long); err != nil {
		t.Fatal(err)
	}
	if u, err := s.User(ctx, "long", "long"); err != nil || u.Name != strings.Repeat("ä", 64) || u.Picture != "" {
		t.Errorf("a profile too long is kept as %+v, %v", u, err)
	}
}
