package chat_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"carillon/chat"
)

func TestAGuestDoesNotTakeTheNameOfAUser(t *testing.T) {
	ctx := t.Context()
	s := service(t, chat.Config{NameBytes: 32})
	seen := func(u chat.User) string {
		t.Helper()
		u, _, err := s.Seen(ctx, u)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := s.User(ctx, u.ID, u.ID)
		if err != nil || stored.Name != u.Name {
			t.Errorf("%s is stored as %q, %v, and told as %q", u.ID, stored.Name, err, u.Name)
		}
		return u.Name
	}
	long := strings.Repeat("x", 32)
	for _, u := range []chat.User{{ID: "alice", Name: "Alice Müller"}, {ID: "bob"}, {ID: "long", Name: long}} {
		if want := u.Name + map[bool]string{true: u.ID}[u.Name == ""]; seen(u) != want {
			t.Errorf("a user is not called %s", want)
		}
	}
	for name, want := range map[string]string{
		"Alice Müller":             "Alice Müller (guest)",
		"ALICE MÜLLER":             "ALICE MÜLLER (guest)",
		"Alice  Müller":            "Alice Müller (guest)",
		"Ａｌｉｃｅ Mu\u0308ller":       "Ａｌｉｃｅ Mu\u0308ller (guest)",
		"Bob":                      "Bob (guest)", // a user without a name is called as the id
		long:                       long[:24] + " (guest)",
		"Alice":                    "Alice",
		"Al\ufe00i\u034fce Müller": "Al\ufe00i\u034fce Müller (guest)", // what is not shown makes no other name
		"Visitor":                  "Visitor",

		// Letters that look alike.
		"Аlice Müller": "Аlice Müller (guest)", // a Cyrillic А
		"аlісе müllеr": "аlісе müllеr (guest)", // а, і, с and е are
		"ΑLICE MÜLLER": "ΑLICE MÜLLER (guest)", // a Greek Alpha
		"AIice Müller": "AIice Müller (guest)", // a capital I
		"A1ice Müller": "A1ice Müller (guest)",
		"B0b":          "B0b (guest)",
		"Алиса":        "Алиса", // another name in another script
		"Elise Müller": "Elise Müller",
	} {
		if got := seen(chat.User{ID: "guest:" + rand.Text(), Name: name, Guest: true}); got != want {
			t.Errorf("a guest who calls themselves %q is called %q, want %q", name, got, want)
		}
	}
	if got := seen(chat.User{ID: "guest:2", Name: "Visitor", Guest: true}); got != "Visitor" {
		t.Errorf("guests may share a name: got %q", got)
	}
	if got := seen(chat.User{ID: "alice-2", Name: "Alice Müller"}); got != "Alice Müller" {
		t.Errorf("users may share a name: got %q", got)
	}
}

// Whom the configuration names has their name from the start, though they have never signed in.
func TestAGuestDoesNotTakeTheNameOfWhomTheConfigurationNames(t *testing.T) {
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Known: []string{"alice.miller", "*"}}})
	for name, want := range map[string]string{
		"Support":      "Support (guest)",
		"SUPP0RT":      "SUPP0RT (guest)",
		"ѕuррort":      "ѕuррort (guest)", // a Cyrillic ѕ and р
		"alice.miller": "alice.miller (guest)",
		"Alice":        "Alice",
		"*":            "*", // is no id
		"Visitor":      "Visitor",
	} {
		if got, _, err := s.Seen(t.Context(), chat.User{ID: "guest:" + rand.Text(), Name: name, Guest: true}); err != nil || got.Name != want {
			t.Errorf("a guest who calls themselves %q is called %q, %v, want %q", name, got.Name, err, want)
		}
	}
	if got, _, err := s.Seen(t.Context(), chat.User{ID: "support", Name: "Support"}); err != nil || got.Name != "Support" {
		t.Errorf("the user named is called %q, %v", got.Name, err)
	}
}
