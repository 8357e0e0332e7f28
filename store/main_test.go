package store

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"carillon/chat"
	"carillon/store/pgtest"
)

// TestMain also plays the processes that the tests kill and trace.
func TestMain(m *testing.M) {
	if folder := os.Getenv("CARILLON_TEST_SENDER"); folder != "" {
		sendUntilKilled(folder)
		os.Exit(0)
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

// anyone lets everyone write to whatever id they name.
var anyone = chat.Config{Reach: chat.Reach{Known: []string{"*"}}}

// delivered keeps what the store has delivered.
type delivered struct {
	silent atomic.Bool // keeps nothing

	mu   sync.Mutex
	told []chat.Told
}

func (d *delivered) add(told []chat.Told) {
	if d.silent.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, told...)
}

// items are those of the feed of a conversation, or of a user.
func (d *delivered) items(conversation, user string) (items []chat.Item) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.told {
		if t.Conversation == conversation && t.User == user && t.Item.Pos > 0 {
			items = append(items, t.Item)
		}
	}
	return items
}

// open opens a database of its own unless cfg names one, of the engine that this run is for.
func open(t testing.TB, cfg Config) (*Store, *delivered) {
	t.Helper()
	if cfg.Folder == "" {
		cfg.URL = pgtest.URL(t)
	}
	return openSQLiteStore(t, cfg)
}

// openSQLiteStore is open for what only SQLite does.
func openSQLiteStore(t testing.TB, cfg Config) (*Store, *delivered) {
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
