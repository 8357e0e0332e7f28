package store

import (
	"testing"

	"carillon/chat"
)

// panics reports whether f panics.
func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// A mistake of ours in one decision ends that request and nothing else: package signaling
// recovers where the request runs.
func TestAPanicInAWriteIsItsCallersAndUndoesTheWrite(t *testing.T) {
	s, delivered := open(t, Config{})
	if !panics(func() {
		_ = s.Write(t.Context(), "", func(tx chat.Tx) error {
			if err := tx.PutUser(alice); err != nil {
				return err
			}
			tx.Tell(chat.Told{User: "alice", Item: chat.Item{Place: chat.Place{Pos: 1}}})
			panic("a mistake")
		})
	}) {
		t.Fatal("the caller does not learn of it")
	}
	if err := s.Write(t.Context(), "", func(tx chat.Tx) error { return tx.PutUser(bob) }); err != nil {
		t.Fatalf("the next write: %v", err)
	}
	for id, want := range map[string]bool{"alice": false, "bob": true} {
		var got bool
		if err := s.Read(t.Context(), func(v chat.View) (err error) { _, got, err = v.User(id); return err }); err != nil || got != want {
			t.Errorf("%s is there: %t, %v; want %t", id, got, err, want)
		}
	}
	if items := delivered.items("", "alice"); len(items) != 0 {
		t.Errorf("delivered %v of a write that panicked", items)
	}
}

func TestAPanicInAReadCostsNoConnection(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{Readers: 1})
	if !panics(func() { _ = s.Read(t.Context(), func(chat.View) error { panic("a mistake") }) }) {
		t.Fatal("the caller does not learn of it")
	}
	if err := s.Read(t.Context(), func(v chat.View) error { _, _, err := v.User("alice"); return err }); err != nil {
		t.Errorf("the next read: %v", err)
	}
}
