package store

import (
	"testing"
	"time"
)

// A node is taken to live for as long as it has said, and no longer.
func TestANodeLivesAsLongAsItSays(t *testing.T) {
	s, _ := open(t, Config{})
	lives := func(want bool, when string) {
		t.Helper()
		if got, err := s.NodeLives(t.Context(), "one"); err != nil || got != want {
			t.Errorf("%s it lives: %v (%v), want %v", when, got, err, want)
		}
	}
	keep := func(lasts time.Duration) {
		t.Helper()
		if err := s.KeepNode(t.Context(), "one", lasts); err != nil {
			t.Fatal(err)
		}
	}
	lives(false, "before it has said so")
	keep(time.Hour)
	lives(true, "after it has said so")
	keep(-time.Millisecond)
	lives(false, "when its time is over")
	keep(time.Hour)
	lives(true, "when it is back")
	if err := s.EndNode(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	lives(false, "after its end")
}
