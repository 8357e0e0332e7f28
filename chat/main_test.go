package chat_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

func TestMain(m *testing.M) {
	// With -race the database is ten times slower. More with go test ./chat -rapid.checks=1000.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

var (
	alice = chat.User{ID: "alice", Name: "Alice"}
	bob   = chat.User{ID: "bob", Name: "Bob"}
	carol = chat.User{ID: "carol", Name: "Carol"}
	guest = chat.User{ID: "guest-1", Name: "Visitor", Guest: true}
)

// anyone lets everyone write to whatever id they name.
var anyone = chat.Config{Reach: chat.Reach{Known: []string{"*"}}}

// service is a Service over a real database in a folder of its own. Unless cfg says whom it
// knows it knows whatever id somebody names.
func service(t testing.TB, cfg chat.Config) *chat.Service {
	t.Helper()
	if cfg.Reach.Known == nil {
		cfg.Reach.Known = anyone.Reach.Known
	}
	return chat.New(database(t, store.Config{}), cfg)
}

func database(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	cfg.Folder = t.TempDir()
	s, err := store.Open(t.Context(), cfg, slog.New(slog.DiscardHandler), func([]chat.UserEvent) {})
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

func send(t testing.TB, s *chat.Service, from chat.User, to, clientID, text string) chat.Message {
	t.Helper()
	m, err := s.Send(t.Context(), from, chat.SendParams{To: to, ClientID: clientID, Text: text})
	if err != nil {
		t.Fatalf("%s sends %q to %s: %v", from.ID, text, to, err)
	}
	return m
}

// log returns all events of user.
func log(t testing.TB, s *chat.Service, user string) []chat.Event {
	t.Helper()
	var all []chat.Event
	for {
		events, complete, err := s.EventsAfter(t.Context(), user, int64(len(all)), 50)
		if err != nil || !complete {
			t.Fatalf("events of %s after %d: complete %t, %v", user, len(all), complete, err)
		}
		if len(events) == 0 {
			return all
		}
		all = append(all, events...)
	}
}

// of returns the data of those events that are of one type.
func of[T any](t testing.TB, events []chat.Event, kind chat.EventType) []T {
	t.Helper()
	var list []T
	for i, e := range events {
		if e.Offset != int64(i+1) {
			t.Fatalf("event %d has offset %d: offsets have no gaps", i, e.Offset)
		}
		if e.Type != kind {
			continue
		}
		var data T
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatalf("decode %s: %v", e.Data, err)
		}
		list = append(list, data)
	}
	return list
}

func refused(t testing.TB, what string, err error, want refusal.Code) {
	t.Helper()
	if !refusal.Is(err, want) {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

func get(t testing.TB, s *chat.Service, user, conversation string) (chat.Conversation, chat.Member) {
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

func texts(list []chat.Message) string {
	out := ""
	for _, m := range list {
		out += fmt.Sprintf("%d:%s ", m.Seq, m.Text)
	}
	return out
}
