package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// Page returns messages by seq ascending: the ones after a seq if after is given, else
// the last ones before a seq (0: from the end). The bool tells whether there are more in
// that direction.
func (s *Service) Page(ctx context.Context, user, conversation string, before, after int64, limit int) ([]Message, bool, error) {
	if before < 0 || after < 0 || before > 0 && after > 0 {
		return nil, false, refusal.New(refusal.BadRequest, "Page either before or after a seq.")
	}
	limit = s.PageSize(limit)
	var page []Message
	err := s.store.Read(ctx, func(v View) error {
		_, err := s.access(v, conversation, user)
		if err != nil {
			return err
		}
		if after > 0 {
			page, err = v.After(conversation, after, limit+1)
			return err
		}
		if before == 0 {
			before = endOfTime
		}
		page, err = v.Before(conversation, before, limit+1)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	more := len(page) > limit
	if more {
		page = page[:limit]
	}
	if after == 0 {
		slices.Reverse(page)
	}
	return page, more, nil
}
