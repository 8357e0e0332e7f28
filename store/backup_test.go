package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carillon/chat"
)

// Nobody who writes waits for a backup. The times are only shown.
func TestNoWriterWaitsForABackup(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{})
	messages, c := direct(t, s)
	filler := strings.Repeat("a page of text ", 1000)
	for i := range 2000 {
		send(t, messages, c, fmt.Sprint("before-", i), filler)
	}
	var made atomic.Bool
	var failed error
	go func() {
		_, failed = Backup(t.Context(), s.cfg.Folder, "", filepath.Join(t.TempDir(), "backup.tar"), "test")
		made.Store(true)
	}()
	measure := func(more func(n int) bool) (took []time.Duration) {
		for n := 0; more(n); n++ {
			began := time.Now()
			send(t, messages, c, fmt.Sprint("measured-", began.UnixNano()), "hello")
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took
	}
	during := measure(func(int) bool { return !made.Load() })
	if failed != nil {
		t.Fatal(failed)
	}
	after := measure(func(n int) bool { return n < 200 })
	p99 := func(d []time.Duration) time.Duration { return d[len(d)*99/100] }
	t.Logf("%d writes during the backup: median %s, p99 %s, longest %s; without: median %s, p99 %s, longest %s", len(during),
		during[len(during)/2], p99(during), during[len(during)-1], after[len(after)/2], p99(after), after[len(after)-1])
}

// send writes a message of alice.
func send(t *testing.T, messages *chat.Service, conversation, clientID, text string) chat.Message {
	t.Helper()
	m, _, err := messages.Send(t.Context(), alice, chat.SendParams{Conversation: conversation, ClientID: clientID, Kind: chat.Text, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOnlyAGoodBackupIsRestored(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{})
	messages, c := direct(t, s)
	send(t, messages, c, "1", "hello")
	file := filepath.Join(t.TempDir(), "backup.tar")
	if _, err := Backup(t.Context(), s.cfg.Folder, "", file, "v1"); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"damaged":          {flipped, "carillon.db is damaged"},
		"cut":              {good[:len(good)/2], "carillon.db after"},
		"without its end":  {good[:2048], "carillon.db"},
		"another file":     {[]byte("PK\x03\x04"), "no backup of carillon"},
		"empty":            {nil, "no backup of carillon"},
		"of a later form":  {bytes.Replace(good, []byte(`"format": 1`), []byte(`"format": 2`), 1), "restore it with version v1"},
		"with other files": {bytes.Replace(good, []byte(`"name": "carillon.db"`), []byte(`"name": "../auth.key"`), 1), "names other files"},
	} {
		t.Run(name, func(t *testing.T) {
			bad, folder := filepath.Join(t.TempDir(), "bad.tar"), filepath.Join(t.TempDir(), "data")
			if err := os.WriteFile(bad, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Restore(t.Context(), bad, folder, filepath.Join(folder, filesFolder), false, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(folder, databaseFile+"*")); len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

// With replace the old database is put aside whole: it can be opened again.
func TestARestoredDatabasePutsTheOldOneAside(t *testing.T) {
	first, _ := openSQLiteStore(t, Config{})
	messages, c := direct(t, first)
	send(t, messages, c, "1", "of the backup")
	file := filepath.Join(t.TempDir(), "backup.tar")
	if _, err := Backup(t.Context(), first.cfg.Folder, "", file, "test"); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	old, err := Open(t.Context(), Config{Folder: folder}, slog.New(slog.DiscardHandler), (&delivered{}).add)
	if err != nil {
		t.Fatal(err)
	}
	opening := old.Opening()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, folder, filepath.Join(folder, filesFolder), false, slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal("a database was replaced")
	}
	if _, err := Restore(t.Context(), file, folder, filepath.Join(folder, filesFolder), true, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	restored, _ := openSQLiteStore(t, Config{Folder: folder})
	for name, opening := range map[string]string{"the backup's": first.Opening(), "the old one's": opening} {
		if err := restored.read(t.Context(), func(v *view) error {
			if known, err := v.Known(opening, v.now); err != nil || known {
				t.Errorf("%s opening: known %t, %v, want that tabs begin anew", name, known, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkDatabase(t.Context(), filepath.Join(folder, databaseFile+oldSuffix)); err != nil {
		t.Error(err)
	}
}
