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
		p, h, err := s.reading(v, user, conversation)
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
		if page, err = s.pageOf(v, user, conversation, items, limit); err != nil {
			return err
		}
		page.Pos = h.Pos
		if after == 0 {
			slices.Reverse(page.Items)
		}
		return nil
	})
	return page, err
}

// Some returns those of the messages with the given seqs that there are and that user sees, as Page
// does.
func (s *Service) Some(ctx context.Context, user, conversation string, seqs []int64) (page Page, err error) {
	if len(seqs) > maxAsked {
		return page, refusal.New(refusal.TooLarge, "At most %d messages are asked for at once.", maxAsked)
	}
	seqs = slices.Compact(slices.Sorted(slices.Values(seqs)))
	err = s.store.Read(ctx, func(v View) error {
		p, h, err := s.reading(v, user, conversation)
		if err != nil {
			return err
		}
		var items []Item
		for _, seq := range seqs {
			m, at, there, err := v.Message(conversation, seq)
			if err != nil {
				return err
			}
			if !there || seq < p.FromSeq {
				continue
			}
			item, err := NewItem(at, m)
			if err != nil {
				return err
			}
			items = append(items, item)
		}
		page, err = s.pageOf(v, user, conversation, items, len(items))
		page.Pos = h.Pos
		return err
	})
	return page, err
}

// reading returns how user takes part in a conversation that they read, and its head.
func (s *Service) reading(v View, user, conversation string) (Participation, Head, error) {
	p, err := s.access(v, conversation, user)
	if err != nil {
		return p, Head{}, err
	}
	h, _, err := v.Head(conversation)
	return p, h, err
}

// pageOf makes a page of as many of the first limit messages as fit into an answer, as user sees them.
func (s *Service) pageOf(v View, user, conversation string, items []Item, limit int) (page Page, err error) {
	if err := withoutHidden(v, user, conversation, items); err != nil {
		return page, err
	}
	reactions, err := reactionsTo(v, user, conversation, items)
	if err != nil {
		return page, err
	}
	beside := make(map[int64]int, len(reactions))
	for _, r := range reactions {
		beside[r.Seq] = len(r.Data) + itemBytes
	}
	n, users, err := s.cut(v, items, limit, beside)
	if err != nil {
		return page, err
	}
	sent := items[:n]
	reactions = slices.DeleteFunc(reactions, func(r Item) bool {
		return !slices.ContainsFunc(sent, func(m Item) bool { return m.Seq == r.Seq })
	})
	return Page{Items: notNil(sent), Reactions: reactions, Users: users, More: n < len(items)}, nil
}
