package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// Changes are the items of a feed that changed after a pos, by pos ascending.
type Changes struct {
	Items []Item
	Users []User // who sent the messages
	UpTo  int64  // the feed is whole up to here
	More  bool   // there are more after UpTo
	Reset bool   // too much has changed, or the pos is not of this history: the tab begins this feed afresh
}

// MaxBehind is how many changes of a conversation are read again; who missed more begins it afresh.
const MaxBehind = 1000

// Changes returns what changed in a feed, OwnFeed or that of a conversation, after a pos.
func (s *Service) Changes(ctx context.Context, user, feed string, after int64, limit int) (c Changes, err error) {
	if after < 0 {
		return c, refusal.New(refusal.BadRequest, "A pos is 0 or more.")
	}
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		if feed == OwnFeed {
			c, err = s.ownChanges(v, user, after, true, limit)
			return err
		}
		p, err := s.access(v, feed, user)
		if err != nil {
			return err
		}
		h, _, err := v.Head(feed)
		if err != nil {
			return err
		}
		c = Changes{Items: []Item{}, Users: []User{}, UpTo: h.Pos}
		if after > h.Pos || after < h.Floor.Pos || h.Pos-after > MaxBehind {
			c.Reset = true
			return nil
		}
		if after == h.Pos {
			return nil
		}
		items, err := v.ConversationChanges(feed, after, p.FromSeq, limit+1)
		if err != nil {
			return err
		}
		if err := s.showItems(v, user, h.Kind, items); err != nil {
			return err
		}
		if err := withoutHidden(v, user, feed, items); err != nil {
			return err
		}
		if err := addMine(v, user, feed, items); err != nil {
			return err
		}
		return s.fill(v, &c, items, limit)
	})
	return c, err
}

// OwnItems returns a page of the items of a user's own feed after a pos, without memberships: what
// a tab that knows nothing begins with, beside its conversations.
func (s *Service) OwnItems(ctx context.Context, user string, after int64) (c Changes, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		c, err = s.ownChanges(v, user, after, false, s.PageSize(0))
		return err
	})
	return c, err
}

func (s *Service) ownChanges(v View, user string, after int64, memberships bool, limit int) (c Changes, err error) {
	c = Changes{Items: []Item{}, Users: []User{}}
	if c.UpTo, err = v.UserPos(user); err != nil || after == c.UpTo {
		return c, err
	}
	if after > c.UpTo {
		c.Reset = true
		return c, nil
	}
	items, err := v.UserChanges(user, after, memberships, limit+1)
	if err != nil {
		return c, err
	}
	if err := s.showItems(v, user, "", items); err != nil {
		return c, err
	}
	if err := s.fill(v, &c, items, limit); err != nil {
		return c, err
	}
	if s.only != nil {
		c.Items = slices.DeleteFunc(c.Items, func(i Item) bool {
			return i.Type != ItemMembership && i.Type != ItemDraft && i.Type != ItemHidden || !s.covers(i.Conversation)
		})
	}
	return c, nil
}

// fill puts into c what fits of items, of which there is one more than limit if there are more.
func (s *Service) fill(v View, c *Changes, items []Item, limit int) error {
	n, users, err := s.cut(v, items, limit, nil)
	if err != nil {
		return err
	}
	c.Users = users
	if c.More = n < len(items); c.More {
		c.UpTo = items[n-1].Pos
	}
	c.Items = append(c.Items, items[:n]...)
	return nil
}
