package chat_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carillon/chat"
	"carillon/refusal"
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
		page, err := s.Page(t.Context(), "bob", id, p.before, p.after, p.limit)
		got := texts(of[chat.Message](t, page.Items, chat.ItemMessage))
		if got != p.want || page.More != p.more || err != nil {
			t.Errorf("before %d after %d limit %d: got %q, more %t, %v; want %q, %t", p.before, p.after, p.limit, got, page.More, err, p.want, p.more)
		}
		if c, _ := get(t, s, "bob", id); page.Pos != c.Pos {
			t.Errorf("a page is as of pos %d, want %d", page.Pos, c.Pos)
		}
	}
	_, err := s.Page(t.Context(), "bob", id, 3, 3, 0)
	refused(t, "both ways", err, refusal.BadRequest)
}

// A list is ordered by the minute of the latest change, whatever that was, and by id. (Minutes go by
// only where the database has the clock of this process, which PostgreSQL has not.)
func TestListComesLatestFirst(t *testing.T) {
	synctest.Test(t, testListComesLatestFirst)
}

func testListComesLatestFirst(t *testing.T) {
	db := database(t)
	s := chat.New(db, anyone)
	for i := range 7 {
		send(t, s, alice, fmt.Sprint("friend", i), fmt.Sprint(i), "Hello")
		time.Sleep(time.Minute)
	}
	seen := map[string]bool{}
	before := chat.Head{Minute: 1 << 62}
	for cursor := ""; ; {
		list, next, err := s.List(t.Context(), "alice", cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			var h chat.Head
			if err := db.Read(t.Context(), func(v chat.View) (err error) { h, _, err = v.Head(c.ID); return err }); err != nil {
				t.Fatal(err)
			}
			if seen[c.ID] || cmp.Or(cmp.Compare(h.Minute, before.Minute), cmp.Compare(h.ID, before.ID)) >= 0 {
				t.Errorf("conversation %s comes twice or out of order", c.ID)
			}
			seen[c.ID], before = true, h
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
	s, heard := listened(t, chat.Config{Objects: 2, ObjectBytes: 20})
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
	objects, next, err := s.Objects(ctx, "alice", "")
	if got, want := fmt.Sprintf("%s", objects), "[{draft \"hi\" tab-1} {theme \"dark\" tab-1}]"; got != want || next != "" || err != nil {
		t.Errorf("objects %s, next %q, %v; want %s", got, next, err, want)
	}
	if o, found, err := s.Object(ctx, "alice", "theme"); err != nil || !found || string(o.Value) != `"dark"` {
		t.Errorf("theme is %s, %t, %v", o, found, err)
	}
	if o, found, err := s.Object(ctx, "alice", "cart"); err != nil || found {
		t.Errorf("what was removed is %s, %v", o, err)
	}
	var told []chat.UserObject
	for _, said := range heard.take() {
		if said.User != "alice" {
			t.Errorf("%s was told of an object of alice", said.User)
		}
		told = append(told, decode[chat.UserObject](t, said.Item.Data))
	}
	if got, want := fmt.Sprintf("%s", told), `[{cart {"items":3} tab-1} {draft "hi" tab-1} {cart null tab-1} {theme "dark" tab-1}]`; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	// A tab that resumes learns each as it is now, once, also that one is gone.
	resumed := of[chat.UserObject](t, feed(t, s, "alice", chat.OwnFeed), chat.ItemObject)
	if got, want := fmt.Sprintf("%s", resumed), `[{draft "hi" tab-1} {cart null tab-1} {theme "dark" tab-1}]`; got != want {
		t.Errorf("the feed has %s, want %s", got, want)
	}
}

func TestANewNameIsSeenByWhoKnowsMe(t *testing.T) {
	s := service(t, chat.Config{})
	ctx := t.Context()
	send(t, s, alice, "bob", "1", "x") // bob was never here
	send(t, s, carol, "dave", "1", "x")
	if c, _ := get(t, s, "alice", send(t, s, alice, "bob", "1", "x").Conversation); c.Members[1].Name != "bob" {
		t.Errorf("somebody unknown is called %q, want the id", c.Members[1].Name)
	}
	for i := range 2 {
		if _, changed, err := s.Seen(ctx, bob); err != nil || changed != (i == 0) {
			t.Fatalf("bob comes in for the %d. time: changed %t, %v", i+1, changed, err)
		}
	}
	if c, _ := get(t, s, "alice", send(t, s, alice, "bob", "1", "x").Conversation); c.Members[1].User != bob {
		t.Errorf("alice sees the member %+v, want %+v", c.Members[1], bob)
	}
	if u, err := s.User(ctx, "alice", "bob"); err != nil || u != bob {
		t.Errorf("alice sees %+v, %v; want %+v", u, err, bob)
	}
	_, err := s.User(ctx, "alice", "nobody")
	refused(t, "a user who never was", err, refusal.NotFound)
	long := chat.User{ID: "long", Name: strings.Repeat("ä", 500), Picture: "http://x/\x00"}
	if _, _, err := s.Seen(ctx, long); err != nil {
		t.Fatal(err)
	}
	if u, err := s.User(ctx, "long", "long"); err != nil || u.Name != strings.Repeat("ä", 64) || u.Picture != "" {
		t.Errorf("a profile too long is kept as %+v, %v", u, err)
	}
}
