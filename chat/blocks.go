package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// Who is blocked may neither write to the user nor call them, nor invite them to a group, and does not
// see when they are here. In groups of both they go on reading each other: the user's clients
// hide what is written by whom they have blocked.

var (
	errBlocked      = refusal.New(refusal.Blocked, "You cannot reach this user.")
	errYouBlocked   = refusal.New(refusal.Blocked, "You have blocked this user. Unblock them to write or call.")
	errNarrowBlocks = refusal.New(refusal.NotAllowed, "This token is for certain conversations, and blocks nobody.")
)

// Block keeps other from reaching user.
func (s *Service) Block(ctx context.Context, user, other string) error {
	if user == other {
		return refusal.New(refusal.BadRequest, "You cannot block yourself.")
	}
	return s.setBlock(ctx, user, Block{User: other, Since: s.nowMS()})
}

// Unblock ends what Block began.
func (s *Service) Unblock(ctx context.Context, user, other string) error {
	return s.setBlock(ctx, user, Block{User: other, Since: s.nowMS(), Gone: true})
}

func (s *Service) setBlock(ctx context.Context, user string, b Block) error {
	if s.only != nil {
		return errNarrowBlocks
	}
	if err := checkUser(b.User); err != nil {
		return err
	}
	return s.write(ctx, "", func(tx Tx) error {
		if err := tx.Lock(nil, []string{user}); err != nil {
			return err
		}
		_, blocked, err := tx.OwnItem(user, ItemBlock, b.User)
		if err != nil || blocked != b.Gone {
			return err
		}
		if !b.Gone {
			n, _, err := tx.OwnItemsSize(user, ItemBlock)
			if err != nil {
				return err
			}
			if n >= s.cfg.Blocks {
				return refusal.New(refusal.TooLarge, "A user may block at most %d others.", s.cfg.Blocks)
			}
		}
		return putOwn(tx, user, b.User, b, b.Gone)
	})
}

// Blocks returns a page of whom user has blocked, by id, those after the one given, and the id after
// which the next page begins, empty after the last.
func (s *Service) Blocks(ctx context.Context, user, after string, limit int) (page []User, next string, err error) {
	if s.only != nil {
		return nil, "", errNarrowBlocks
	}
	if err := checkCursor(after); err != nil {
		return nil, "", err
	}
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		list, err := v.OwnItems(user, ItemBlock, after, limit+1)
		if err != nil {
			return err
		}
		ids := make([]string, len(list))
		for i, item := range list {
			ids[i] = item.Name
		}
		page, next, err = s.userPage(v, user, ids, limit)
		return err
	})
	return page, next, err
}

// refuse is what a user is told who writes to, or calls, somebody whom they have blocked or who has
// blocked them.
func (a Acquaintance) refuse() error {
	switch {
	case a.Blocks:
		return errYouBlocked
	case a.Blocked:
		return errBlocked
	}
	return nil
}

// refuseBlocked refuses a user who wants to reach one other, when either has blocked the other.
func refuseBlocked(v View, from string, others []string) error {
	if len(others) != 1 {
		return nil
	}
	a, err := v.Acquaintance(from, others[0])
	if err == nil {
		err = a.refuse()
	}
	return err
}

// withoutBlocks returns those of others who have not blocked from.
func withoutBlocks(v View, from string, others []string) ([]string, error) {
	if len(others) == 0 {
		return others, nil
	}
	blocks, err := v.OwnItemNamed(others, ItemBlock, from)
	if err != nil || len(blocks) == 0 {
		return others, err
	}
	return slices.DeleteFunc(slices.Clone(others), func(id string) bool {
		_, blocked := blocks[id]
		return blocked
	}), nil
}
