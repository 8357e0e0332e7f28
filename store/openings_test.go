package store

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"carillon/chat"
	"carillon/store/pgtest"
)

// openThen opens a folder by a clock that the test owns.
func openThen(t *testing.T, folder string, now *time.Time) *Store {
	t.Helper()
	s, err := openAt(t.Context(), Config{Folder: folder}, slog.New(slog.DiscardHandler), func([]chat.Told) {}, func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // most are closed already
	return s
}

func known(t *testing.T, s *Store, opening string, at time.Time) bool {
	t.Helper()
	return get(t, s, func(v *view) (bool, error) { return v.Known(opening, at.UnixMilli()) })
}

func TestAnOpeningIsKnownUntilItEnded(t *testing.T) {
	folder := t.TempDir()
	begin := time.UnixMilli(1_800_000_000_000)
	now := begin
	s := openThen(t, folder, &now)
	first := s.Opening()
	now = begin.Add(time.Hour)
	if err := s.stillOpen(t.Context()); err != nil { // as the janitor does
		t.Fatal(err)
	}
	now = now.Add(5 * time.Second)
	for _, c := range []struct {
		at   time.Duration
		want bool
	}{{0, true}, {time.Hour + 5*time.Second, true}, {time.Hour + time.Minute, true}, {time.Hour + time.Minute + time.Millisecond, false}} {
		if got := known(t, s, first, begin.Add(c.at)); got != c.want {
			t.Errorf("while it goes on, %v after its begin is known: %t, want %t", c.at, got, c.want)
		}
	}
	if known(t, s, "another", begin) {
		t.Error("an opening that never was is known")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	now = begin.Add(24 * time.Hour)
	s = openThen(t, folder, &now)
	if s.Opening() == first {
		t.Error("two openings have one name")
	}
	ended := begin.Add(time.Hour + 5*time.Second)
	if !known(t, s, first, ended) || !known(t, s, first, ended.Add(openingSlack)) || known(t, s, first, ended.Add(openingSlack+time.Millisecond)) {
		t.Error("an opening is known until it ended and for a minute more, which is when it was closed")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	now = ended.Add(openingsKept + time.Millisecond)
	s = openThen(t, folder, &now)
	if known(t, s, first, ended) {
		t.Error("an opening of more than a month ago is known")
	}
}

// Times of an opening that ends in the future say nothing about what changes from now on.
func TestAClockThatWasSetBackForgetsOpenings(t *testing.T) {
	folder := t.TempDir()
	begin := time.UnixMilli(1_800_000_000_000)
	now := begin
	s := openThen(t, folder, &now)
	first := s.Opening()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = begin.Add(-clockSlack)
	s = openThen(t, folder, &now)
	if !known(t, s, first, begin) {
		t.Error("half a minute back: the opening is forgotten")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = begin.Add(-clockSlack - time.Millisecond)
	s = openThen(t, folder, &now)
	if known(t, s, first, begin) {
		t.Error("further back: the opening is still known")
	}
}

func TestTheClockOfAnOpenDatabaseDoesNotGoBack(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	s := openThen(t, t.TempDir(), &now)
	before := get(t, s, func(v *view) (int64, error) { return v.Now() })
	now = now.Add(-time.Hour)
	put(t, s, func(tx *tx) error { return tx.putGroup("g", "alice") })
	if after := get(t, s, func(v *view) (int64, error) { return v.Now() }); after != before {
		t.Errorf("it was %d, and %d later", before, after)
	}
	heads := get(t, s, func(v *view) ([]chat.Head, error) { return v.ChangedSince(before/60_000, "", 10) })
	if len(heads) != 1 {
		t.Errorf("a group made after the clock was set back did not change since: %v", heads)
	}
}

func TestOldClientIDsAreForgotten(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	s := openThen(t, t.TempDir(), &now)
	send := func(name string, n int) {
		put(t, s, func(tx *tx) error {
			for i := range n {
				m := chat.Message{Conversation: "g", Sender: "alice", ClientID: fmt.Sprintf("%s%d", name, i), Kind: chat.Text, SentAt: tx.now}
				if _, err := tx.append(&m); err != nil {
					return err
				}
			}
			return nil
		})
	}
	left := func(name string) int {
		sent := get(t, s, func(v *view) (map[string]string, error) {
			return v.AllSent("alice", []string{name + "0", name + "1", name + "777", "never"})
		})
		return len(sent)
	}
	put(t, s, func(tx *tx) error { return tx.putGroup("g", "alice") })
	send("old", cleanPage+300) // more than one step
	now = now.Add(time.Millisecond)
	send("new", 2)
	now = now.Add(sentKept)
	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left("old") != 0 || left("new") != 2 {
		t.Errorf("%d old and %d new client ids are left, want 0 and 2", left("old"), left("new"))
	}
	// Its message stays. One that is known but was removed is found without what it said.
	put(t, s, func(tx *tx) error {
		_, err := tx.exec("DELETE FROM messages WHERE seq = ?", cleanPage+302)
		return err
	})
	get(t, s, func(v *view) (bool, error) {
		_, _, kept, err := v.Message("g", 1)
		if !kept || err != nil {
			t.Errorf("the message of a forgotten client id is there: %t, %v", kept, err)
		}
		m, at, sent, err := v.Sent("alice", "new1")
		if !sent || m.Seq != cleanPage+302 || m.Conversation != "g" || at != (chat.Place{}) {
			t.Errorf("a message that was removed is %v at %v, %t", m, at, sent)
		}
		return sent, err
	})
}

// A process that is killed has noted seconds ago that it was there, and a tab that comes back to the
// next one is known.
func TestAnOpeningIsNotedWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := openSQLiteStore(t, Config{})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		until := get(t, s, func(v *view) (until int64, err error) {
			err = v.row("SELECT until_at FROM openings WHERE id = ?", s.Opening()).Scan(&until)
			return until, err
		})
		if ago := time.Since(time.UnixMilli(until)); ago < 0 || ago > stillOpenEvery {
			t.Errorf("after ten minutes it was noted %v ago, want at most %v", ago, stillOpenEvery)
		}
		if err := s.Close(); err != nil { // the next cleanup may be outside of this time
			t.Error(err)
		}
	})
}

func TestADatabaseKeepsItsIDAndNoOtherHasIt(t *testing.T) {
	cfg := Config{Folder: t.TempDir(), URL: pgtest.URL(t)}
	ids := map[string]int{}
	for _, one := range []Config{cfg, cfg, {Folder: t.TempDir(), URL: pgtest.URL(t)}} {
		s, err := Open(t.Context(), one, slog.New(slog.DiscardHandler), func([]chat.Told) {})
		if err != nil {
			t.Fatal(err)
		}
		ids[s.Database()]++
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(ids) != 2 {
		t.Errorf("three openings of two databases have the ids %v", ids)
	}
}
