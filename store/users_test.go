package store

import (
	"fmt"
	"testing"
	"time"

	"carillon/chat"
)

func TestRevocationNeverGoesBack(t *testing.T) {
	s, _ := open(t, Config{})
	at := time.UnixMilli(1_800_000_000_000)
	want := time.Time{}
	check := func() {
		t.Helper()
		if got, err := s.ValidAfter(t.Context(), "alice"); !got.Equal(want) || err != nil {
			t.Errorf("valid after %v, %v; want %v", got, err, want)
		}
	}
	check()
	for _, step := range []time.Duration{0, time.Hour, -time.Hour} {
		if err := s.Revoke(t.Context(), "alice", at.Add(step)); err != nil {
			t.Fatal(err)
		}
		want = at.Add(max(step, want.Sub(at)))
		check()
	}
	if _, err := chat.New(s, anyone).Seen(t.Context(), alice); err != nil { // a profile does not undo it
		t.Fatal(err)
	}
	check()
}

func TestOldEventsLeaveTheLog(t *testing.T) {
	s, _ := open(t, Config{LogHours: 24})
	now := time.UnixMilli(1_800_000_000_000)
	s.now = func() time.Time { return now }
	if err := s.write(t.Context(), func(tx *tx) error {
		for i := range 250 { // more users than the janitor takes into one transaction
			for _, hours := range []int{-30, -25, -1, -26, 0} { // the clock jumped once
				at := now.Add(time.Duration(hours) * time.Hour).UnixMilli()
				if err := tx.Announce(fmt.Sprintf("user%03d", i), chat.EventProfile, at, []byte("{}"), chat.Mark{}); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	left := func(want string) {
		t.Helper()
		if err := s.trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, user := range []string{"user000", "user137", "user249"} {
			if err := s.read(t.Context(), func(v *view) error {
				events, err := v.Events(user, 0, 10)
				offsets := []int64{}
				for _, e := range events {
					offsets = append(offsets, e.Offset)
				}
				if fmt.Sprint(offsets) != want {
					t.Errorf("%s keeps events %v, want %s", user, offsets, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	left("[3 4 5]")
	now = now.Add(48 * time.Hour)
	left("[5]") // the next offset is counted from it
}
