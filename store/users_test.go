package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"carillon/auth"
	"carillon/chat"
)

func TestRevocationNeverGoesBack(t *testing.T) {
	s, _ := open(t, Config{})
	at := time.UnixMilli(1_800_000_000_000)
	want := time.Time{}
	check := func() {
		t.Helper()
		got, err := s.Revoked(t.Context(), []string{"bob", "alice"})
		if !got["alice"].Until.Equal(want) || len(got["alice"].Tokens) > 0 || len(got) > 1 || err != nil {
			t.Errorf("revoked %v, %v; want alice's until %v", got, err, want)
		}
	}
	check()
	for _, step := range []time.Duration{0, time.Hour, -time.Hour} {
		if err := s.RevokeAll(t.Context(), "alice", at.Add(step)); err != nil {
			t.Fatal(err)
		}
		want = at.Add(max(step, want.Sub(at)))
		check()
	}
	if _, _, err := chat.New(s, anyone).Seen(t.Context(), alice); err != nil { // a profile does not undo it
		t.Fatal(err)
	}
	check()
}

func TestTokensAreRevokedOneByOne(t *testing.T) {
	s, _ := open(t, Config{})
	hour := time.Now().Add(time.Hour)
	for range 2 { // the second time nothing changes
		if err := s.RevokeTokens(t.Context(), "alice", map[auth.TokenID]time.Time{"a": hour, "b": hour}); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * expiredKept)
	if err := s.RevokeTokens(t.Context(), "bob", map[auth.TokenID]time.Time{"c": long}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Revoked(t.Context(), []string{"alice", "bob", "carol"})
	want := map[string]auth.Revoked{"alice": {Tokens: []auth.TokenID{"a", "b"}}, "bob": {Tokens: []auth.TokenID{"c"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("revoked, %v:\n%s", err, diff)
	}
	if err := s.RevokeTokens(t.Context(), "bob", map[auth.TokenID]time.Time{"d": hour}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Revoked(t.Context(), []string{"bob"}); len(got["bob"].Tokens) != 1 || err != nil {
		t.Errorf("revoked of bob are %v, %v; want the one that has not expired long ago", got, err)
	}
}

func TestWhenUsersWereSeenLast(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error { return tx.PutUser(alice) })
	put(t, s, func(tx *tx) error { return tx.PutLastSeen(map[string]int64{"alice": 5, "bob": 7}) })
	put(t, s, func(tx *tx) error { return tx.PutLastSeen(map[string]int64{"alice": 9, "bob": 3}) })
	seen := get(t, s, func(v *view) (map[string]int64, error) { return v.LastSeen([]string{"alice", "bob", "carol"}) })
	if len(seen) != 2 || seen["alice"] != 9 || seen["bob"] != 7 {
		t.Errorf("seen last: %v, want alice at 9 and bob at 7", seen)
	}
	users := get(t, s, func(v *view) ([]chat.User, error) { return v.Users([]string{"alice", "bob", "carol"}) })
	if len(users) != 1 || users[0] != alice {
		t.Errorf("users %v, want alice alone, for no other has signed in", users)
	}
}
