package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"carillon/chat"
	"carillon/refusal"
)

// value reads one counter.
func value(c prometheus.Collector) float64 {
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		panic(err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

// waiting returns when n writes wait behind one that is held.
func waiting(s *Store, n int) {
	wait := func() int {
		if e, is := s.engine.(*postgresEngine); is {
			return int(e.waiting.Load()) - 1
		}
		return len(s.engine.(*sqliteEngine).queue)
	}
	for wait() < n {
		runtime.Gosched()
	}
}

// hold keeps the writer inside a write until release is called.
func hold(t *testing.T, s *Store) (release func() error) {
	t.Helper()
	return holdOn(t, s, "")
}

// holdOn is hold for the writes to one conversation.
func holdOn(t *testing.T, s *Store, conversation string) (release func() error) {
	t.Helper()
	inside, goOn, done := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		done <- s.write(context.Background(), conversation, func(*tx) error {
			close(inside)
			<-goOn
			return nil
		})
	}()
	<-inside
	return func() error {
		close(goOn)
		return <-done
	}
}

func TestWritesThatWaitShareOneCommit(t *testing.T) {
	s, delivered := openSQLiteStore(t, Config{})
	c := chat.New(s, anyone)
	if _, _, err := c.Send(t.Context(), alice, chat.SendParams{To: "bob", ClientID: "first", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	before := value(s.metrics.commits)
	release := hold(t, s)
	const senders = 50
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			if _, _, err := c.Send(t.Context(), alice, chat.SendParams{To: "bob", ClientID: fmt.Sprint(i), Text: "x"}); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		})
	}
	waiting(s, senders)
	if err := release(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if commits := value(s.metrics.commits) - before; commits != 1 {
		t.Errorf("%d messages took %v commits, want 1", senders, commits)
	}
	items := delivered.items(firstConversation(t, c), "")
	items = slices.DeleteFunc(items, func(i chat.Item) bool { return i.Pos <= 4 }) // its settings, two members and the first message
	for i, item := range items {
		if item.Pos != int64(i+5) {
			t.Fatalf("delivered pos %d at place %d: the order of commits is the order of the feed", item.Pos, i+1)
		}
	}
	if n := len(items); n != senders {
		t.Errorf("delivered %d changes, want %d", n, senders)
	}
}

// One write that fails costs the others in its commit nothing.
func TestAFailedWriteLeavesNothingAndDisturbsNobody(t *testing.T) {
	s, delivered := openSQLiteStore(t, Config{})
	release := hold(t, s)
	results := make([]chan error, 3)
	for i, f := range []func(*tx) error{
		func(tx *tx) error { return tx.PutUser(alice) },
		func(tx *tx) error {
			if err := tx.PutUser(bob); err != nil {
				return err
			}
			tx.Tell(chat.Told{User: "bob", Item: chat.Item{Place: chat.Place{Pos: 1}}})
			return errors.New("changed my mind")
		},
		func(tx *tx) error { return tx.PutUser(carol) },
	} {
		results[i] = make(chan error, 1)
		go func() { results[i] <- s.write(context.Background(), "", f) }()
		waiting(s, i+1)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"<nil>", "changed my mind", "<nil>"} {
		if err := <-results[i]; fmt.Sprint(err) != want {
			t.Errorf("write %d: got %v, want %s", i, err, want)
		}
	}
	for id, want := range map[string]bool{"alice": true, "bob": false, "carol": true} {
		var got bool
		if err := s.read(t.Context(), func(v *view) (err error) { _, got, err = v.User(id); return err }); err != nil || got != want {
			t.Errorf("%s is there: %t, %v; want %t", id, got, err, want)
		}
	}
	if items := delivered.items("", "bob"); len(items) != 0 {
		t.Errorf("delivered %v of a write that failed", items)
	}
}

func TestAFullQueueIsBusy(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{Queue: 2})
	release := hold(t, s)
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- s.write(context.Background(), "", func(*tx) error { return nil }) }()
	}
	waiting(s, 2)
	err := s.write(t.Context(), "", func(*tx) error { t.Error("it ran"); return nil })
	if refused, _ := refusal.Of(err); refused.Code != refusal.Busy || refused.Retry == 0 {
		t.Errorf("got %v, want %s with a time to wait", err, refusal.Busy)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("those who waited: %v", err)
		}
	}
}

func TestWhoGivesUpHasWrittenNothing(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{})
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.write(ctx, "", func(tx *tx) error { return tx.PutUser(alice) }) }()
	waiting(s, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := s.read(t.Context(), func(v *view) error {
		if _, found, err := v.User("alice"); found || err != nil {
			t.Errorf("alice is there: %t, %v", found, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A disk that is full refuses all that waits, keeps what was there, and is forgotten
// once there is room again: the same messages sent again stand there once.
func TestAFullDisk(t *testing.T) {
	s, delivered := openSQLiteStore(t, Config{})
	c := chat.New(s, anyone)
	pages := func(limit string) {
		t.Helper()
		if err := s.write(t.Context(), "", func(tx *tx) error {
			var n int
			return tx.row("PRAGMA max_page_count = " + limit).Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Repeat("so much to say ", 500)
	send := func(n int) error {
		_, _, err := c.Send(t.Context(), alice, chat.SendParams{To: "bob", ClientID: fmt.Sprint(n), Text: text})
		return err
	}
	if err := send(0); err != nil {
		t.Fatal(err)
	}
	conversation := firstConversation(t, c)
	pages("60")
	stored, failed := 1, 0
	for n := 1; n < 40; n++ {
		err := send(n)
		switch refused, _ := refusal.Of(err); {
		case err == nil:
			stored++
		case refused.Code == refusal.StorageFailed && refused.Retry > 0:
			failed++
		default:
			t.Fatalf("send %d: got %v, want %s with a time to wait", n, err, refusal.StorageFailed)
		}
	}
	if failed == 0 {
		t.Fatal("the disk never was full")
	}
	if n := len(delivered.items(conversation, "")); n != stored {
		t.Errorf("delivered %d messages while %d were stored", n, stored)
	}
	pages("1000000")
	for n := range 40 {
		if err := send(n); err != nil {
			t.Errorf("send %d with room again: %v", n, err)
		}
	}
	if n := len(delivered.items(conversation, "")); n != 40 {
		t.Errorf("delivered %d messages, want 40", n)
	}
	seq := int64(0)
	for _, m := range history(t, c, "bob", conversation) {
		if seq++; m.Seq != seq {
			t.Fatalf("message %d has seq %d", seq, m.Seq)
		}
	}
	if seq != 40 {
		t.Errorf("history has %d messages, want 40", seq)
	}
}

func firstConversation(t *testing.T, c *chat.Service) string {
	t.Helper()
	list, _, err := c.List(t.Context(), "bob", "", 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("list: %v, %v", list, err)
	}
	return list[0].ID
}

func TestAFolderHasOneOwner(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder with spaces & signs #%?")
	s, _ := openSQLiteStore(t, Config{Folder: folder})
	quiet := slog.New(slog.DiscardHandler)
	_, err := Open(t.Context(), Config{Folder: folder}, quiet, nil)
	if err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), folder) {
		t.Errorf("opened twice: got %v, want an error that names the folder", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := s.write(t.Context(), "", func(*tx) error { return nil }); !refusal.Is(err, refusal.Busy) {
		t.Errorf("write after close: got %v, want %s", err, refusal.Busy)
	}
	if err := s.read(t.Context(), func(*view) error { return nil }); !refusal.Is(err, refusal.Busy) {
		t.Errorf("read after close: got %v, want %s", err, refusal.Busy)
	}
	again, _ := openSQLiteStore(t, Config{Folder: folder})
	if again.Opening() == s.Opening() || again.Opening() == "" {
		t.Errorf("the openings are named %q and %q", s.Opening(), again.Opening())
	}
	if _, err := Open(t.Context(), Config{}, quiet, nil); err == nil {
		t.Error("opened without a folder")
	}
}

func TestANewerDatabaseIsLeftAlone(t *testing.T) {
	folder := t.TempDir()
	s, _ := openSQLiteStore(t, Config{Folder: folder})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(folder, "carillon.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Config{Folder: folder}, slog.New(slog.DiscardHandler), nil)
	if err == nil || !strings.Contains(err.Error(), "99") || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v, want an error that names both versions", err)
	}
}

// A write that fails half way, as on a broken disk, is as if it had never been. Here the
// kernel refuses to let the log grow.
func TestAFailingDisk(t *testing.T) {
	s, delivered := openSQLiteStore(t, Config{})
	c := chat.New(s, anyone)
	send := func(n int) error {
		_, _, err := c.Send(t.Context(), alice, chat.SendParams{To: "bob", ClientID: fmt.Sprint(n), Text: strings.Repeat("x", 5000)})
		return err
	}
	if err := send(0); err != nil {
		t.Fatal(err)
	}
	conversation := firstConversation(t, c)
	wal, err := os.Stat(filepath.Join(s.cfg.Folder, "carillon.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	var free unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &free); err != nil {
		t.Fatal(err)
	}
	limit := func(l unix.Rlimit) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	limit(unix.Rlimit{Cur: uint64(wal.Size()) + 10000, Max: free.Max}) // a page or two of several
	for n := range 5 {
		if err := send(n + 1); !refusal.Is(err, refusal.StorageFailed) {
			t.Errorf("send %d: got %v, want %s", n+1, err, refusal.StorageFailed)
		}
		if err := s.Read(t.Context(), func(v chat.View) error {
			h, _, err := v.Head(conversation)
			if h.LastSeq != 1 {
				t.Errorf("the conversation has %d messages, want 1", h.LastSeq)
			}
			return err
		}); err != nil {
			t.Errorf("reading while writing fails: %v", err)
		}
	}
	limit(free)
	for n := range 6 {
		if err := send(n); err != nil {
			t.Errorf("send %d with a disk that works: %v", n, err)
		}
	}
	for i, item := range delivered.items(conversation, "") {
		if item.Seq != int64(i+1) {
			t.Errorf("delivered message %d at place %d", item.Seq, i+1)
		}
	}
	if n := len(delivered.items(conversation, "")); n != 6 {
		t.Errorf("delivered %d messages, want each of 6 once", n)
	}
}
