package chat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"carillon/chat"
	"carillon/refusal"
)

// pageBytes is the default of Config.PageBytes.
const pageBytes = 48 << 10

// within fails when an answer is larger than a page and one of its things more.
func within(t *testing.T, what string, answer any, things int, largest int) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		t.Fatal(err)
	}
	limit := pageBytes + 1024 // what an answer has around its things
	if things == 1 {
		limit = max(limit, largest+1024)
	}
	if b.Len() > limit {
		t.Errorf("%s: an answer of %d things has %d bytes", what, things, b.Len())
	}
}

// readAll reads everything that a user can read, in every way there is, and fails when an answer
// is too large or something is left out.
func readAll(t *testing.T, s *chat.Service, user string) (conversations, messages, objects int) {
	t.Helper()
	ctx := t.Context()
	const largest = 64 << 10
	var ids []string
	for before := ""; ; {
		list, next, err := s.List(ctx, user, before, 0)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "a list", list, len(list), largest)
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		if before = next; before == "" {
			break
		}
	}
	changed := 0
	for after := ""; ; {
		list, next, err := s.ChangedConversations(ctx, user, 0, after)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "changed conversations", list, len(list), largest)
		changed += len(list)
		if after = next; after == "" {
			break
		}
	}
	if changed != len(ids) {
		t.Errorf("%d conversations are listed, %d found as changed", len(ids), changed)
	}
	rest, asked := ids, 0
	for len(rest) > 0 {
		list, more, err := s.Conversations(ctx, user, rest[:min(100, len(rest))])
		if err != nil || len(list) == 0 {
			t.Fatalf("asked for %d conversations: %d, %v", len(rest), len(list), err)
		}
		within(t, "conversations", list, len(list), largest)
		if !more && len(list) != min(100, len(rest)) {
			t.Errorf("of %d conversations %d are answered, and no more", len(rest), len(list))
		}
		rest, asked = rest[len(list):], asked+len(list)
	}
	if asked != len(ids) {
		t.Errorf("%d conversations are listed, %d answered by id", len(ids), asked)
	}
	for _, id := range ids {
		messages += readConversation(t, s, user, id)
	}
	for after := ""; ; {
		page, next, err := s.Objects(ctx, user, after)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "objects", page, len(page), largest)
		objects += len(page)
		if after = next; after == "" {
			break
		}
	}
	own := readFeed(t, s, user, chat.OwnFeed)
	if own[chat.ItemMembership] != len(ids) || own[chat.ItemObject] != objects {
		t.Errorf("of %d conversations and %d objects the own feed has %v", len(ids), objects, own)
	}
	return len(ids), messages, objects
}

func readConversation(t *testing.T, s *chat.Service, user, id string) (messages int) {
	t.Helper()
	ctx := t.Context()
	c, err := s.Conversation(ctx, user, id)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "a conversation", c, 1, 24<<10)
	if c.Mine.State != chat.Joined {
		return 0
	}
	for before := int64(0); ; {
		page, err := s.Page(ctx, user, id, before, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "a page", page, len(page.Items), 24<<10)
		messages += len(page.Items)
		if !page.More {
			break
		}
		before = page.Items[0].Seq
	}
	forward := 1 // the first is asked for by what is before the second
	for after := int64(1); messages > 0; {
		page, err := s.Page(ctx, user, id, 0, after, 0)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "a page forward", page, len(page.Items), 24<<10)
		forward += len(page.Items)
		if !page.More {
			break
		}
		after = page.Items[len(page.Items)-1].Seq
	}
	members := 0
	for after := ""; ; {
		page, err := s.Members(ctx, user, id, after, 0)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "members", page, len(page.Members), 24<<10)
		members += len(page.Members)
		if after = page.Next; after == "" {
			break
		}
	}
	feed := readFeed(t, s, user, id)
	if messages > 0 && forward != messages || feed[chat.ItemMessage] != messages || feed[chat.ItemMember] != members {
		t.Errorf("%d messages backward, %d forward and %d members; the feed has %v", messages, forward, members, feed)
	}
	return messages
}

// readFeed counts the items of a feed by type.
func readFeed(t *testing.T, s *chat.Service, user, name string) map[chat.ItemType]int {
	t.Helper()
	n := map[chat.ItemType]int{}
	for after := int64(0); ; {
		c, err := s.Changes(t.Context(), user, name, after, 0)
		if err != nil || c.Reset {
			t.Fatalf("feed %s after %d: reset %t, %v", name, after, c.Reset, err)
		}
		within(t, "changes", c, len(c.Items), 24<<10)
		for _, item := range c.Items {
			n[item.Type]++
		}
		after = c.UpTo
		if !c.More {
			return n
		}
	}
}

// profile has as much in it as one may have.
func profile(id string) chat.User {
	return chat.User{ID: id, Name: strings.Repeat("\u2028n\"", 20), Picture: "https://site.example/" + strings.Repeat("&", 2000)}
}

// What one user may store, or have stored for another, is answered in pages of bounded size, down to
// the last of it. A tab would be closed for an answer that is too large, and come back for the same.
func TestAnswersAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		fill                             func(t *testing.T, s *chat.Service)
		conversations, messages, objects int
	}{
		"12 messages of angle brackets": {func(t *testing.T, s *chat.Service) {
			for i := range 12 {
				send(t, s, bob, "alice", fmt.Sprint(i), strings.Repeat("<", 16<<10))
			}
		}, 1, 12, 0},
		"100 long messages": {func(t *testing.T, s *chat.Service) {
			for i := range 100 {
				send(t, s, bob, "alice", fmt.Sprint(i), strings.Repeat("An honest sentence, \"quoted\". ", 500))
			}
		}, 1, 100, 0},
		"100 senders with long profiles": {func(t *testing.T, s *chat.Service) {
			members := crowd("member-", 100)
			for _, id := range members {
				if _, _, err := s.Seen(t.Context(), profile(id)); err != nil {
					t.Fatal(err)
				}
			}
			c := group(t, s, alice, members...)
			for _, id := range members {
				say(t, s, id, c.ID, "m", "hello")
			}
		}, 1, 100, 0},
		"100 groups of 100": {func(t *testing.T, s *chat.Service) {
			members := append(crowd("member-", 98), "alice")
			for _, id := range members[:8] {
				if _, _, err := s.Seen(t.Context(), profile(id)); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 100 {
				c := group(t, s, bob, members...)
				say(t, s, "bob", c.ID, fmt.Sprint(i), strings.Repeat("<", 4<<10))
			}
		}, 100, 100, 0},
		"objects": {func(t *testing.T, s *chat.Service) {
			set := func(i int) error {
				return s.SetObject(t.Context(), "alice", "tab", fmt.Sprint("key", i), []byte(`"`+strings.Repeat("<", 8<<10-2)+`"`))
			}
			i := 0
			for ; i < 100; i++ {
				if err := set(i); err != nil {
					refused(t, "more objects than all of them may have", err, refusal.TooLarge)
					break
				}
			}
			if i != 31 {
				t.Errorf("%d objects of 8 KiB fit into 256 KiB", i)
			}
			if err := set(3); err != nil { // in place of one of the same size
				t.Error(err)
			}
		}, 0, 0, 31},
		"strangers' invitations": {func(t *testing.T, s *chat.Service) {
			for i := range 101 {
				stranger := profile(fmt.Sprint("stranger", i/5))
				if _, _, err := s.Seen(t.Context(), stranger); err != nil {
					t.Fatal(err)
				}
				_, err := s.Create(t.Context(), stranger, chat.CreateParams{
					Kind: chat.Group, Members: append(crowd("member-", 5), "alice"), Name: strings.Repeat("<", 128),
				})
				if i == 100 {
					refused(t, "one invitation too many", err, refusal.TooLarge)
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}, 100, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := service(t, chat.Config{})
			test.fill(t, s)
			conversations, messages, objects := readAll(t, s, "alice")
			if conversations != test.conversations || messages != test.messages || objects != test.objects {
				t.Errorf("read %d conversations, %d messages and %d objects; want %d, %d and %d",
					conversations, messages, objects, test.conversations, test.messages, test.objects)
			}
		})
	}
}

// Many tabs with many conversations open are told of marks in bounded answers.
func TestMarksAreAnsweredInBounds(t *testing.T) {
	s := service(t, chat.Config{})
	members := append(crowd(strings.Repeat("m", 55), 48), "alice")
	var ids []string
	for i := range 20 {
		c := group(t, s, bob, members...)
		for n := range 3 {
			say(t, s, "bob", c.ID, fmt.Sprint(i, "-", n), "x")
		}
		ids = append(ids, c.ID)
	}
	list, err := s.Marks(t.Context(), "alice", ids)
	if err != nil || len(list) != len(ids) {
		t.Fatalf("marks of %d conversations, %v", len(list), err)
	}
	within(t, "marks", list, len(list), 0)
	if len(list[0].Members) != 50 {
		t.Errorf("the first has the marks of %d, want 50", len(list[0].Members))
	}
	_, err = s.Marks(t.Context(), "alice", append(ids, ids[0]))
	refused(t, "more than a tab can have open", err, refusal.TooLarge)
}

// What there is of contacts is answered in pages, with their profiles.
func TestContactsAreAnsweredInBounds(t *testing.T) {
	s := service(t, chat.Config{})
	for _, id := range crowd("friend-", 150) {
		if _, _, err := s.Seen(t.Context(), profile(id)); err != nil {
			t.Fatal(err)
		}
		add(t, s, id, "alice")
	}
	n := 0
	for after := ""; ; {
		page, next, err := s.Contacts(t.Context(), "alice", after, 0)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "contacts", page, len(page), 0)
		n += len(page)
		if after = next; after == "" {
			break
		}
	}
	own := readFeed(t, s, "alice", chat.OwnFeed)
	if n != 150 || own[chat.ItemContact] != 150 {
		t.Errorf("read %d contacts by page and %d by the feed, want 150", n, own[chat.ItemContact])
	}
	begins := 0
	for after := int64(0); ; {
		c, err := s.OwnItems(t.Context(), "alice", after)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "what a tab begins with", c, len(c.Items), 0)
		begins += len(c.Items)
		after = c.UpTo
		if !c.More {
			break
		}
	}
	if begins != 150 {
		t.Errorf("a tab begins with %d contacts, want 150", begins)
	}
}
