package store

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"carillon/chat"
)

// sinceThen makes all previews and pictures as old as that.
func sinceThen(t *testing.T, s *Store, ago time.Duration) {
	t.Helper()
	put(t, s, func(tx *tx) error {
		for _, table := range []string{"previews", "preview_pictures"} {
			if _, err := tx.exec("UPDATE "+table+" SET made_at = ?", tx.now-ago.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAPreviewIsRememberedForADay(t *testing.T) {
	s, _ := open(t, Config{})
	ctx := context.Background()
	remembered := func(link string, ago time.Duration) (chat.Preview, bool) {
		t.Helper()
		p, there, err := s.Preview(ctx, link, ago)
		if err != nil {
			t.Fatal(err)
		}
		return p, there
	}
	if _, there := remembered("blue", day); there {
		t.Error("there is a preview before one was made")
	}
	picture := &chat.PreviewPicture{Key: "first", Width: 600, Height: 315}
	if err := s.PutPreview(ctx, "blue", chat.Preview{Site: "shop.example", Title: "Blue", Picture: picture}, []byte("\xff\xd8\x00")); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPreview(ctx, "red", chat.Preview{}, nil); err != nil {
		t.Fatal(err)
	}
	if p, there := remembered("blue", day); !there || p.Title != "Blue" || *p.Picture != *picture {
		t.Errorf("got %+v, %v", p, there)
	}
	if p, there := remembered("red", day); !there || p.Site != "" {
		t.Errorf("that there is nothing: got %+v, %v", p, there)
	}
	sinceThen(t, s, 2*time.Hour)
	if _, there := remembered("blue", time.Hour); there {
		t.Error("a preview of two hours ago was used within one")
	}
	if err := s.PutPreview(ctx, "blue", chat.Preview{Site: "shop.example", Title: "Red"}, nil); err != nil {
		t.Fatal(err)
	}
	if p, _ := remembered("blue", time.Hour); p.Title != "Red" || p.Picture != nil {
		t.Errorf("found again: got %+v", p)
	}
	if jpeg, there, err := s.PreviewPicture(ctx, "first"); err != nil || !there || !bytes.Equal(jpeg, []byte("\xff\xd8\x00")) {
		t.Errorf("the picture of before: got %q, %v, %v", jpeg, there, err)
	}
	sinceThen(t, s, day+time.Minute)
	if err := s.clean(ctx); err != nil {
		t.Fatal(err)
	}
	if n := get(t, s, func(v *view) (n int, err error) { return n, v.row("SELECT count(*) FROM previews").Scan(&n) }); n != 0 {
		t.Errorf("%d previews are left after a day", n)
	}
}

// A picture is kept as long as there is a message that shows it, and two days at least: a preview that is
// remembered may come under another message.
func TestAPictureIsKeptWithItsMessage(t *testing.T) {
	s, _ := open(t, Config{RetentionDays: 30})
	ctx := context.Background()
	for _, key := range []string{"shown", "unused"} {
		if err := s.PutPreview(ctx, key, chat.Preview{Site: "shop.example", Picture: &chat.PreviewPicture{Key: key}}, []byte("jpeg")); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice"); err != nil {
			return err
		}
		if err := tx.write("g", "alice", "a1", "https://shop.example", 0); err != nil {
			return err
		}
		m, _, _, err := tx.Message("g", 1)
		if err != nil {
			return err
		}
		m.Preview, err = json.Marshal(chat.Preview{Site: "shop.example", Picture: &chat.PreviewPicture{Key: "shown"}})
		if err != nil {
			return err
		}
		_, _, err = chat.Revise(tx, m, nil)
		return err
	})
	has := func(key string) bool {
		t.Helper()
		_, there, err := s.PreviewPicture(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	for _, step := range []struct {
		ago           time.Duration
		shown, unused bool
	}{{day, true, true}, {2*day + time.Minute, true, false}} {
		sinceThen(t, s, step.ago)
		if err := s.clean(ctx); err != nil {
			t.Fatal(err)
		}
		if has("shown") != step.shown || has("unused") != step.unused {
			t.Errorf("after %v: shown %v, unused %v; want %v and %v", step.ago, has("shown"), has("unused"), step.shown, step.unused)
		}
	}
	put(t, s, func(tx *tx) error {
		_, err := tx.exec("UPDATE messages SET sent_at = ? WHERE conversation = 'g'", tx.now-31*day.Milliseconds())
		return err
	})
	if err := s.clean(ctx); err != nil {
		t.Fatal(err)
	}
	if has("shown") {
		t.Error("the picture outlived its message")
	}
}
