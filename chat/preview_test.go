package chat_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"carillon/chat"
	"carillon/limit"
	"carillon/store"
)

var shown = chat.Preview{
	URL: "https://shop.example/blue", Site: "shop.example", Title: "The blue one",
	Picture: &chat.PreviewPicture{Key: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Width: 600, Height: 315},
}

// A preview is the message in a new revision, told to everyone and read by everyone, also as the last
// message of the conversation and by who sends it again.
func TestAPreviewIsARevisionOfItsMessage(t *testing.T) {
	s, heard := listened(t, chat.Config{})
	m := send(t, s, alice, "bob", "a1", "https://shop.example/blue")
	heard.take()
	if err := s.SetPreview(t.Context(), m.Conversation, m.Seq, m.Revision, shown); err != nil {
		t.Fatal(err)
	}
	last, _ := get(t, s, "bob", m.Conversation)
	seen := []chat.Message{send(t, s, alice, "bob", "a1", "https://shop.example/blue"), *last.Last}
	for _, list := range [][]chat.Message{
		of[chat.Message](t, toldOf(heard.take(), m.Conversation), chat.ItemMessage),
		of[chat.Message](t, feed(t, s, "bob", m.Conversation), chat.ItemMessage), history(t, s, "bob", m.Conversation),
	} {
		if len(list) != 1 {
			t.Fatalf("got %+v, want one message", list)
		}
		seen = append(seen, list[0])
	}
	for _, got := range seen {
		var p chat.Preview
		if err := json.Unmarshal(got.Preview, &p); err != nil || p.Title != shown.Title || *p.Picture != *shown.Picture {
			t.Errorf("got preview %s, %v", got.Preview, err)
		}
		if got.Revision != 1 || got.Text != m.Text || got.Seq != m.Seq || got.N != m.N || got.SentAt != m.SentAt {
			t.Errorf("got %+v, want %+v but for the preview", got, m)
		}
	}
}

// What a preview is for may be gone or changed when it comes.
func TestAPreviewOfWhatChangedIsDropped(t *testing.T) {
	heard := &told{}
	db := open(t, store.Config{}, heard.add)
	s := chat.New(db, anyone)
	m := send(t, s, alice, "bob", "a1", "https://shop.example/blue")
	edit := func(tx chat.Tx) error {
		if err := tx.Lock([]string{m.Conversation}, nil); err != nil {
			return err
		}
		m.Text = "never mind"
		_, _, err := chat.Revise(tx, m, nil)
		return err
	}
	if err := db.Write(t.Context(), m.Conversation, edit); err != nil {
		t.Fatal(err)
	}
	heard.take()
	for _, seq := range []int64{m.Seq, m.Seq + 1} {
		if err := s.SetPreview(t.Context(), m.Conversation, seq, 0, shown); err != nil {
			t.Errorf("message %d: %v", seq, err)
		}
	}
	if err := s.SetPreview(t.Context(), "no such conversation", 1, 0, shown); err != nil {
		t.Error(err)
	}
	if all := heard.take(); len(all) != 0 {
		t.Errorf("told %+v, want nothing", all)
	}
	if got := history(t, s, "bob", m.Conversation); got[0].Preview != nil || got[0].Text != "never mind" {
		t.Errorf("got %+v", got[0])
	}
}

// Whoever has messages looked at is told of each that was stored, unless its sender wants no preview.
func TestWhatWasSentIsToldToWhoMakesPreviews(t *testing.T) {
	s := service(t, chat.Config{})
	var sent []string
	s.OnSent(func(p limit.Payer, m chat.Message) { sent = append(sent, p.User+" "+m.Text) })
	ctx := limit.PaidBy(t.Context(), limit.Payer{User: "alice"})
	for _, p := range []chat.SendParams{
		{To: "bob", ClientID: "a1", Text: "one"},
		{To: "bob", ClientID: "a2", Text: "two", NoPreview: true},
		{To: "bob", ClientID: "a3"},
	} {
		_, _, err := s.Within(nil).Send(ctx, alice, p)
		if (err != nil) != (p.Text == "") {
			t.Error(err)
		}
	}
	if got := strings.Join(sent, ", "); got != "alice one" {
		t.Errorf("told of %q, want of the first message", got)
	}
}

func TestTextsOfAPreviewAreClean(t *testing.T) {
	for given, want := range map[string]string{
		" The \n blue\tone\x00 ":     "The blue one",
		"\u202egnp.exe\u2069 \u2066": "gnp.exe",
		"a\xffb":                     "a\ufffdb",
		"\u2028":                     "",
		strings.Repeat("ä", 400):     strings.Repeat("ä", 148) + "…",
		strings.Repeat("a", 300):     strings.Repeat("a", 300),
	} {
		got := chat.Preview{Title: given, Description: given}.Clean()
		if got.Title != want {
			t.Errorf("title %q: got %q, want %q", given, got.Title, want)
		}
		if again := got.Clean(); again != got || !utf8.ValidString(got.Description) || len(got.Description) > 600 {
			t.Errorf("description %q, cleaned again %q", got.Description, again.Description)
		}
	}
}
