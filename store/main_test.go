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

// anyone lets everyone write to whatever id they name.
var anyone = chat.Config{Reach: chat.Reach{Known: []string{"*"}}}

// delivered keeps what the store has delivered.
type delivered struct {
	mu     sync.Mutex
	events []chat.UserEvent
}

func (d *delivered) add(events []chat.UserEvent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, events...)
}

func (d *delivered) of(user string) (events []chat.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.User == user {
			events = append(events, e.Event)
		}
	}
	return events
}

// open opens a database in a folder of its own unless cfg names one.
func open(t testing.TB, cfg Config) (*Store, *delivered) {
	t.Helper()
	if cfg.Folder == "" {
		cfg.Folder = t.TempDir()
	}
	d := &delivered{}
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler), d.add)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, d
}

var alice, bob, carol = chat.User{ID: "alice", Name: "Alice"}, chat.User{ID: "bob", Name: "Bob"}, chat.User{ID: "carol", Name: "Carol"}
