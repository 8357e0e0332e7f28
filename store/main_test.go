package store

import (
	"log/slog"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"carillon/chat"
)

// TestMain also plays the processes that the tests kill and trace.
func TestMain(m *testing.M) {
	if folder := os.Getenv("CARILLON_TEST_SENDER"); folder != "" {
		sendUntilKilled(folder)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// bell keeps what the store delivered.
type bell struct {
	mu     sync.Mutex
	events []chat.UserEvent
}

func (b *bell) ring(events []chat.UserEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, events...)
}

func (b *bell) of(user string) (events []chat.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if e.User == user {
			events = append(events, e.Event)
		}
	}
	return events
}

// open opens a database in a folder of its own unless cfg names one.
func open(t testing.TB, cfg Config) (*Store, *bell) {
	t.Helper()
	if cfg.Folder == "" {
		cfg.Folder = t.TempDir()
	}
	b := &bell{}
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler), b.ring)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, b
}

var alice, bob, carol = chat.User{ID: "alice", Name: "Alice"}, chat.User{ID: "bob", Name: "Bob"}, chat.User{ID: "carol", Name: "Carol"}
