package store

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carillon/refusal"
)

func TestTroubleIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		tr := &troubles{log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now}
		fail := func(seconds int) {
			for range seconds {
				tr.failed(errors.New("gone"), 10)
				time.Sleep(time.Second)
			}
		}
		fail(150)
		want := []string{"trouble=away failures=10", "trouble=away failures=600", "trouble=away failures=600"}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("150 s: got %d lines, want %d:\n%s", len(lines), len(want), log.String())
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("line %d: got %s, want %s", i, lines[i], want[i])
			}
		}
		log.Reset()
		tr.worked()
		if got := log.String(); !strings.Contains(got, "work again") || !strings.Contains(got, "failures=290") {
			t.Errorf("at its end: got %q", got)
		}
		log.Reset()
		for range 29 { // what fails and works in turn
			fail(1)
			tr.worked()
		}
		if got := log.String(); got != "" {
			t.Errorf("within the same minute: got %q", got)
		}
	})
}

// A disk is full for SQLite when its file may not grow.
func TestAFullDatabaseSaysSoUntilThereIsRoom(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{})
	pages := func(n string) {
		t.Helper()
		if err := s.write(t.Context(), "", func(tx *tx) error { return tx.row("PRAGMA max_page_count = " + n).Scan(new(int)) }); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Trouble(t.Context()); got != "" {
		t.Fatalf("at first: got %q", got)
	}
	pages("1") // of those that it has already
	large := strings.Repeat("x", 1<<20)
	fill := func() error {
		return s.write(t.Context(), "", func(tx *tx) error {
			_, err := tx.exec("INSERT INTO meta (name, value) VALUES ('large', ?)", large)
			return err
		})
	}
	if err := fill(); !refusal.Is(err, refusal.StorageFailed) {
		t.Fatalf("got %v, want %s", err, refusal.StorageFailed)
	}
	if got := s.troubles.current(); got != Full {
		t.Errorf("got %q, want %q", got, Full)
	}
	pages("1000000")
	if err := fill(); err != nil {
		t.Fatal(err)
	}
	if got := s.Trouble(t.Context()); got != "" {
		t.Errorf("with room: got %q", got)
	}
}
