package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// A user is known who has signed in once, whom the configuration names, or whom an admin has
// introduced. Nobody else is made a member: ids that somebody has invented would stay for good.

// mayAdd refuses to make a conversation with whom the user may not reach, and with whom nobody
// knows.
func (s *Service) mayAdd(v View, user User, other string) error {
	if err := s.cfg.Reach.reach(v, user, other); err != nil || s.cfg.Reach.knows(other) {
		return err
	}
	_, found, err := v.User(other)
	if err == nil && !found {
		err = refusal.New(refusal.NotFound, "Nobody called %s has signed in yet.", clip(other))
	}
	return err
}

// everyID in Reach.Known stands for every id that somebody names.
const everyID = "*"

// knows reports whether a user is known before they have signed in.
func (r Reach) knows(user string) bool {
	return slices.Contains(r.Guests, user) || slices.Contains(r.Known, user) || slices.Contains(r.Known, everyID)
}

// Introduce makes users known who have not signed in yet, under their id as name. Whoever asks
// for it has the site's word that they exist.
func (s *Service) Introduce(ctx context.Context, ids []string) error {
	if len(ids) > s.cfg.Members {
		return refusal.New(refusal.TooLarge, "A conversation has at most %d members.", s.cfg.Members)
	}
	unknown := func(v View) (list []string, err error) {
		for _, id := range ids {
			if err := checkUser(id); err != nil {
				return nil, err
			}
			_, found, err := v.User(id)
			if err != nil {
				return nil, err
			}
			if !found {
				list = append(list, id)
			}
		}
		return list, nil
	}
	missing := 0
	err := s.store.Read(ctx, func(v View) error {
		list, err := unknown(v)
		missing = len(list)
		return err
	})
	if err != nil || missing == 0 {
		return err
	}
	return s.write(ctx, func(tx Tx) error {
		list, err := unknown(tx)
		if err != nil {
			return err
		}
		for _, id := range list {
			if err := tx.PutUser(User{ID: id, Name: id}); err != nil {
				return err
			}
		}
		return nil
	})
}
