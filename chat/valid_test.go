package chat

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"carillon/auth"
)

func TestAPictureIsOnTheWebOrThisSite(t *testing.T) {
	for picture, kept := range map[string]bool{
		"https://shop.example/alice.png": true, "http://shop.example/a?size=2": true, "/pictures/alice.png": true, "alice.png": true, "HTTPS://shop.example/a": true,
		"": false, "javascript:alert(1)": false, " javascript:alert(1)": false, "JaVaScript:alert(1)": false, "data:image/svg+xml,<svg/>": false,
		"blob:https://shop.example/1": false, "file:///etc/passwd": false, "//evil.example/a.png": false, `/\evil.example/a.png`: false, "https:evil.example": false,
		"https://shop.example@evil.example/a.png": false, "https:///a.png": false, "java\nscript:alert(1)": false, "https://" + strings.Repeat("x", 3000): false,
	} {
		if got := cleanPicture(picture) != ""; got != kept {
			t.Errorf("%q: kept %t, want %t", picture, got, kept)
		}
	}
}

func TestANameDoesNotTurnWhatFollows(t *testing.T) {
	for in, want := range map[string]string{
		"\u202eBob\u202c": "Bob", "Team\u2067\u2069": "Team", "a\u202eb": "a b", "\u200fשלום\u200e": "\u200fשלום\u200e",
	} {
		if got, err := cleanName(in, 100); got != want || err != nil {
			t.Errorf("cleanName(%q) = %q, %v; want %q", in, got, err, want)
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
		sending, err := s.draft(User{ID: from}, SendParams{Conversation: conversation, To: to, ClientID: clientID, Kind: Kind(kind), Text: text, Data: json.RawMessage(data)})
		if err == nil && sending.draft.Kind == Text { // of the others see FuzzContent
			m := sending.draft
			if m.Data != nil || sending.file != "" || !auth.ValidUser(m.Sender) || len(m.ClientID) > maxClientID {
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
