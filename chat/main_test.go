package chat_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
	"carillon/store/pgtest"
)

func TestMain(m *testing.M) {
	// With -race the database is ten times slower. More with go test ./chat -rapid.checks=1000.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	os.Exit(pgtest.Main(func() int {
		code := m.Run()
		if code == 0 {
			if err := goleak.Find(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		return code
	}))
}

var (
	alice = chat.User{ID: "alice", Name: "Alice"}
	bob   = chat.User{ID: "bob", Name: "Bob"}
	carol = chat.User{ID: "carol", Name: "Carol"}
	guest = chat.User{ID: "guest-1", Name: "Visitor", Guest: true}
)

// tester is a test, or one try of a property.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// anyone lets everyone write to whatever id they name.
var anyone = chat.Config{Reach: chat.Reach{Known: []string{"*"}}}

// service is a Service over a real database in a folder of its own. Unless cfg says whom it
// knows it knows whatever id somebody names.
func service(t testing.TB, cfg chat.Config) *chat.Service {
	t.Helper()
	s, _ := listened(t, cfg)
	return s
}

// listened is service, with what it tells.
func listened(t testing.TB, cfg chat.Config) (*chat.Service, *told) {
	t.Helper()
	if cfg.Reach.Known == nil {
		cfg.Reach.Known = anyone.Reach.Known
	}
	heard := &told{}
	return chat.New(open(t, store.Config{}, heard.add), cfg), heard
}

func database(t testing.TB) *store.Store { return open(t, store.Config{}, func([]chat.Told) {}) }

func open(t testing.TB, cfg store.Config, deliver func([]chat.Told)) *store.Store {
	t.Helper()
	cfg.Folder, cfg.URL = t.TempDir(), pgtest.URL(t)
	// The context of a test ends before its cleanup, in which the database is closed.
	s, err := store.Open(context.WithoutCancel(t.Context()), cfg, slog.New(slog.DiscardHandler), deliver)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// told keeps what a store hands on after its commits.
type told struct {
	mu   sync.Mutex
	list []chat.Told
}

func (h *told) add(list []chat.Told) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, list...)
}

// take returns what was told since the last time.
func (h *told) take() []chat.Told {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.list
	h.list = nil
	return list
}

func send(t tester, s *chat.Service, from chat.User, to, clientID, text string) chat.Message {
	t.Helper()
	m, _, err := s.Send(t.Context(), from, chat.SendParams{To: to, ClientID: clientID, Text: text})
	if err != nil {
		t.Fatalf("%s sends %q to %s: %v", from.ID, text, to, err)
	}
	return m
}

// say sends a message to a conversation.
func say(t tester, s *chat.Service, from, conversation, clientID, text string) chat.Message {
	t.Helper()
	m, _, err := s.Send(t.Context(), chat.User{ID: from}, chat.SendParams{Conversation: conversation, ClientID: clientID, Text: text})
	if err != nil {
		t.Fatalf("%s says %q: %v", from, text, err)
	}
	return m
}

// group makes a group in which all take part.
func group(t tester, s *chat.Service, creator chat.User, members ...string) chat.Conversation {
	t.Helper()
	c, err := s.Create(t.Context(), creator, chat.CreateParams{Kind: chat.Group, Members: members, Name: "Group", Vouched: true})
	if err != nil {
		t.Fatalf("%s makes a group: %v", creator.ID, err)
	}
	return c
}

// mark sets a user's marks in one conversation.
func mark(t tester, s *chat.Service, user, conversation string, delivered, read int64) {
	t.Helper()
	if err := setMarks(t.Context(), s, user, conversation, delivered, read); err != nil {
		t.Fatalf("%s marks %s: %v", user, conversation, err)
	}
}

func setMarks(ctx context.Context, s *chat.Service, user, conversation string, delivered, read int64) error {
	return s.SetMarks(ctx, user, map[string]chat.Marks{conversation: {Delivered: delivered, Read: read}})
}

// feed returns all items of a feed, read page by page.
func feed(t tester, s *chat.Service, user, name string) (items []chat.Item) {
	t.Helper()
	var pos int64
	for after := int64(0); ; {
		c, err := s.Changes(t.Context(), user, name, after, 50)
		if err != nil || c.Reset {
			t.Fatalf("feed %s of %s after %d: reset %t, %v", name, user, after, c.Reset, err)
		}
		for _, item := range c.Items {
			if item.Pos <= pos || item.Pos > c.UpTo {
				t.Fatalf("feed %s: item at %d after one at %d, whole up to %d", name, item.Pos, pos, c.UpTo)
			}
			pos = item.Pos
		}
		items = append(items, c.Items...)
		after = c.UpTo
		if !c.More {
			return items
		}
	}
}

// of returns the data of those items that are of one type.
func of[T any](t tester, items []chat.Item, kind chat.ItemType) (list []T) {
	t.Helper()
	for _, item := range items {
		if item.Type == kind {
			list = append(list, decode[T](t, item.Data))
		}
	}
	return list
}

func decode[T any](t tester, data json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("decode %s: %v", data, err)
	}
	return v
}

// history returns all messages that a user sees of a conversation, read page by page from the end.
func history(t tester, s *chat.Service, user, conversation string) (list []chat.Message) {
	t.Helper()
	for before := int64(0); ; {
		page, err := s.Page(t.Context(), user, conversation, before, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		list = append(of[chat.Message](t, page.Items, chat.ItemMessage), list...)
		if !page.More {
			return list
		}
		before = list[0].Seq
	}
}

func refused(t tester, what string, err error, want refusal.Code) {
	t.Helper()
	if !refusal.Is(err, want) {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

// get returns a conversation as user sees it, and user among its members.
func get(t tester, s *chat.Service, user, conversation string) (chat.Conversation, chat.Member) {
	t.Helper()
	c, err := s.Conversation(t.Context(), user, conversation)
	if err != nil {
		t.Fatalf("conversation %s of %s: %v", conversation, user, err)
	}
	for _, m := range c.Members {
		if m.ID == user {
			return c, m
		}
	}
	t.Fatalf("conversation %s: %s is not among its members", conversation, user)
	return c, chat.Member{}
}

// unread is what a client shows, see chat.Membership.
func unread(c chat.Conversation) int64 {
	return c.N - max(c.Mine.ReadN, c.Floor.N) - c.Mine.OwnAhead + c.Mine.Missed
}

func texts(list []chat.Message) string {
	out := ""
	for _, m := range list {
		out += fmt.Sprintf("%d:%s ", m.Seq, m.Text)
	}
	return out
}
