package chat

import "context"

// The methods below are for a server that tells tabs what has changed. They ask for no permission,
// and are no answer to a user.

// Readers returns who has joined a conversation, and its head, of the same moment. A conversation
// that is not there has neither; of a large one the readers are not listed.
func (s *Service) Readers(ctx context.Context, conversation string) (readers []Reader, h Head, err error) {
	err = s.store.Read(ctx, func(v View) error {
		var found bool
		if h, found, err = v.Head(conversation); err != nil || !found || h.Large {
			return err
		}
		readers, err = v.Readers(conversation)
		return err
	})
	return readers, h, err
}

// ReadersAmong returns those of users who have joined a conversation, and its head, of the same
// moment.
func (s *Service) ReadersAmong(ctx context.Context, conversation string, users []string) (readers []Reader, h Head, err error) {
	err = s.store.Read(ctx, func(v View) error {
		var found bool
		if h, found, err = v.Head(conversation); err != nil || !found {
			return err
		}
		readers, err = v.ReadersAmong(conversation, users)
		return err
	})
	return readers, h, err
}

// LargeGroups returns the large conversations that a user has joined.
func (s *Service) LargeGroups(ctx context.Context, user string) (conversations []string, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		conversations, err = v.LargeGroups(user)
		return err
	})
	return conversations, err
}

// Feed returns the items of a conversation that changed after a pos, whoever may see them, and its
// head. There may be more of them if the last is not at the head's pos. Those of
// which not everyone is shown the same are bare.
func (s *Service) Feed(ctx context.Context, conversation string, after int64) (items []Item, h Head, err error) {
	limit := s.PageSize(0)
	err = s.store.Read(ctx, func(v View) error {
		var found bool
		if h, found, err = v.Head(conversation); err != nil || !found {
			return err
		}
		if items, err = v.ConversationChanges(conversation, after, 0, limit); err != nil {
			return err
		}
		n, _, err := s.cut(v, items, limit, nil)
		if err != nil {
			return err
		}
		items = items[:n]
		if n > 0 && items[n-1].Pos == h.Pos {
			countLast(items, h.Count)
		}
		return bareItems(h.Kind, items)
	})
	return items, h, err
}

// countLast says with the last change of a member how many have joined: nobody has since.
func countLast(items []Item, count int) {
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].Type == ItemMember {
			items[i].Count = count
			return
		}
	}
}

// ChangedSince returns conversations that changed in a minute, counted from 1970, or later, by id,
// those after the one given.
func (s *Service) ChangedSince(ctx context.Context, minute int64, after string, limit int) (heads []Head, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		heads, err = v.ChangedSince(minute, after, limit)
		return err
	})
	return heads, err
}

// Joined returns those of users who have joined a conversation.
func (s *Service) Joined(ctx context.Context, conversation string, users []string) (joined []string, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		joined, err = v.Joined(conversation, users)
		return err
	})
	return joined, err
}

// Positions returns how far the feeds of users are.
func (s *Service) Positions(ctx context.Context, users []string) (at map[string]int64, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		at, err = v.UserPositions(users)
		return err
	})
	return at, err
}

// Now is the time by the database's clock, in unix ms.
func (s *Service) Now(ctx context.Context) (ms int64, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		ms, err = v.Now()
		return err
	})
	return ms, err
}

// Opening is the name of this opening of the database.
func (s *Service) Opening() string { return s.store.Opening() }

// LastSeen returns when those of users who are not here were last, in unix ms.
func (s *Service) LastSeen(ctx context.Context, users []string) (at map[string]int64, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		at, err = v.LastSeen(users)
		return err
	})
	return at, err
}

// SetLastSeen stores when users were last here, in unix ms.
func (s *Service) SetLastSeen(ctx context.Context, at map[string]int64) error {
	return s.store.Write(ctx, "", func(tx Tx) error { return tx.PutLastSeen(at) })
}
