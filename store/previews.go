package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"carillon/chat"
	"carillon/preview"
)

var _ preview.Store = (*Store)(nil)

// Preview returns what was found behind a link, unless that was longer ago than so long.
func (s *Store) Preview(ctx context.Context, link string, ago time.Duration) (p chat.Preview, there bool, err error) {
	err = s.read(ctx, func(v *view) error {
		var stored []byte
		var err error
		there, err = found(v.row("SELECT preview FROM previews WHERE link = ? AND made_at > ?", link, v.now-min(ago, previewsKept).Milliseconds()).Scan(&stored))
		if err != nil || !there {
			return err
		}
		if err := json.Unmarshal(stored, &p); err != nil {
			return fmt.Errorf("decode preview %s: %w", link, err)
		}
		return nil
	})
	return p, there, err
}

// PutPreview keeps what was found behind a link, and its picture if there is one. A picture that was known before
// stays for the messages that show it.
func (s *Store) PutPreview(ctx context.Context, link string, p chat.Preview, jpeg []byte) error {
	return s.write(ctx, "", func(tx *tx) error {
		if p.Picture != nil {
			if err := tx.put("INSERT INTO preview_pictures (id, jpeg, made_at) VALUES (?, ?, ?)", p.Picture.Key, jpeg, tx.now); err != nil {
				return err
			}
		}
		return tx.put(`INSERT INTO previews (link, preview, made_at) VALUES (?, ?, ?)
			ON CONFLICT (link) DO UPDATE SET preview = excluded.preview, made_at = excluded.made_at`, link, string(encode(p)), tx.now)
	})
}

// PreviewPicture returns a picture by its key.
func (s *Store) PreviewPicture(ctx context.Context, key string) (jpeg []byte, there bool, err error) {
	err = s.read(ctx, func(v *view) (err error) {
		there, err = found(v.row("SELECT jpeg FROM preview_pictures WHERE id = ?", key).Scan(&jpeg))
		return err
	})
	return jpeg, there, err
}
