package chat

import (
	"context"
	"unicode/utf8"

	"carillon/refusal"
)

// SetDraft keeps what user has begun to write in a conversation, for all of their tabs. One without
// text, and that answers nothing, is removed. A client sets it at most once in two seconds.
func (s *Service) SetDraft(ctx context.Context, user string, d Draft) error {
	if !utf8.ValidString(d.Text) {
		return refusal.New(refusal.BadRequest, "The text is not UTF-8.")
	}
	if len(d.Text) > s.cfg.MessageBytes {
		return refusal.New(refusal.TooLarge, "The text has %d bytes; %d are allowed.", len(d.Text), s.cfg.MessageBytes)
	}
	if d.ReplyTo < 0 {
		return refusal.New(refusal.BadRequest, "A seq is 0 or more.")
	}
	d.At = s.nowMS()
	removed := d.Text == "" && d.ReplyTo == 0
	return s.write(ctx, "", func(tx Tx) error {
		if err := tx.Lock(nil, []string{user}); err != nil {
			return err
		}
		if _, err := s.access(tx, d.Conversation, user); err != nil {
			return err
		}
		was, known, err := tx.OwnItem(user, ItemDraft, d.Conversation)
		if err != nil || removed && !known {
			return err
		}
		if !removed {
			if err := s.affordOwn(tx, user, d, was, s.cfg.Drafts, s.cfg.DraftsBytes); err != nil {
				return err
			}
		}
		return putOwn(tx, user, d.Conversation, d, removed)
	})
}
