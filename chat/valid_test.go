package chat

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestValidUser(t *testing.T) {
	for id, want := range map[string]bool{
		"alice": true, "auth0|5f7c": true, "alice@example.com": true, "Zoë Müller": true, "爱丽丝": true, strings.Repeat("𝄞", 64): true,
		"": false, " alice": false, "alice ": false, "a\nb": false, "a\x00": false, "\xff": false, "a\u200bb": false, strings.Repeat("x", 257): false,
	} {
		if got := ValidUser(id); got != want {
			t.Errorf("ValidUser(%q) = %t, want %t", id, got, want)
		}
	}
}

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"one\r\ntwo\rthree\vfour": "one\ntwo\nthree\nfour",
		"tab\tstays":              "tab\tstays",
		"bell\a and \x1b[31mred":  "bell and [31mred",
		" spaces stay ":           " spaces stay ",
		"👩‍👩‍👧 مرحبا":             "👩‍👩‍👧 مرحبا",
	} {
		if got, err := cleanText(in, 100); got != want || err != nil {
			t.Errorf("cleanText(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// Whatever comes off the wire is either refused or fit to be stored, and cleaning it
// again changes nothing.
func FuzzDraft(f *testing.F) {
	f.Add("alice", "conversation", "", "m1", "text", "Hello", `null`)
	f.Add("alice", "", "bob", "m1", "", "a\r\nb\x00\u2028", ``)
	f.Add("\xff", "", "a\nb", " ", "call", "\v", `{"a":[1,2,{}]}`)
	f.Add("alice", "", "bob", strings.Repeat("x", 65), "text", strings.Repeat("ä", 500), `{`)
	s := New(nil, Config{MessageBytes: 200, ObjectBytes: 100, NameBytes: 20})
	f.Fuzz(func(t *testing.T, from, conversation, to, clientID, kind, text, data string) {
		m, err := s.draft(User{ID: from}, SendParams{conversation, to, clientID, Kind(kind), text, json.RawMessage(data)})
		if err == nil {
			if m.Kind != Text || m.Data != nil || !ValidUser(m.Sender) || len(m.ClientID) > maxClientID {
				t.Errorf("accepted %+v", m)
			}
			bad := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
			if !utf8.ValidString(m.Text) || len(m.Text) > 200 || strings.TrimSpace(m.Text) == "" || strings.ContainsFunc(m.Text, bad) {
				t.Errorf("accepted text %q", m.Text)
			}
			if again, err := cleanText(m.Text, 200); again != m.Text || err != nil {
				t.Errorf("%q cleaned again is %q, %v", m.Text, again, err)
			}
		}
		if value, err := cleanJSON(json.RawMessage(data), 100); err == nil && value != nil && (!json.Valid(value) || len(value) > 100) {
			t.Errorf("accepted value %q", value)
		}
		if u, err := s.cleanProfile(User{ID: from, Name: text, Picture: to}); err == nil && (u.Name == "" || len(u.Name) > max(20, len(u.ID)) || strings.ContainsFunc(u.Name, unicode.IsControl)) {
			t.Errorf("accepted profile %+v", u)
		}
		if at, id, err := parseCursor(conversation); err == nil && conversation != "" && (id == "" || !utf8.ValidString(id)) {
			t.Errorf("accepted cursor %d %q", at, id)
		}
	})
}
