package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// Page is a part of a conversation's messages, by seq ascending, as of Pos of its feed. Users sent
// them.
type Page struct {
	Items     []Item
	Reactions []Item // those to the messages, in no order
	Users     []User
	More      bool // there are more in the direction of the page
	Pos       int64
}

// Page returns the messages after a seq if after is given, else the last ones before a seq (0:
// from the end). None are from before the user has joined.
func (s *Service) Page(ctx context.Context, user, conversation string, before, after int64, limit int) (page Page, err error) {
	if before < 0 || after < 0 || before > 0 && after > 0 {
		return page, refusal.New(refusal.BadRequest, "Page either before or after a seq.")
	}
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		p, err := s.access(v, conversation, user)
		if err != nil {
			return err
		}
		h, _, err := v.Head(conversation)
		if err != nil {
			return err
		}
		var items []Item
		switch {
		case after > 0:
			items, err = v.After(conversation, max(after, p.FromSeq-1), limit+1)
		case before > 0:
			items, err = v.Before(conversation, before, p.FromSeq, limit+1)
		default:
			items, err = v.Before(conversation, endOfTime, p.FromSeq, limit+1)
		}
		if err != nil {
			return err
		}
		if err := withoutHidden(v, user, conversation, items); err != nil {
			return err
		}
		reactions, err := reactionsTo(v, user, conversation, items)
		if err != nil {
			return err
		}
		beside := make(map[int64]int, len(reactions))
		for _, r := range reactions {
			beside[r.Seq] = len(r.Data) + itemBytes
		}
		n, users, err := s.cut(v, items, limit, beside)
		if err != nil {
			return err
		}
		sent := items[:n]
		reactions = slices.DeleteFunc(reactions, func(r Item) bool {
			return !slices.ContainsFunc(sent, func(m Item) bool { return m.Seq == r.Seq })
		})
		page = Page{Items: notNil(sent), Reactions: reactions, Users: users, More: n < len(items), Pos: h.Pos}
		if after == 0 {
			slices.Reverse(page.Items)
		}
		return nil
	})
	return page, err
}
