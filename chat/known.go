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
func (s *Service) mayAdd(v View, user User, others []string) error {
	if err := s.cfg.Reach.reach(v, user, others); err != nil {
		return err
	}
	unknown, err := s.unknown(v, slices.DeleteFunc(slices.Clone(others), s.cfg.Reach.knows))
	if err == nil && len(unknown) > 0 {
		err = refusal.New(refusal.NotFound, "Nobody called %s has signed in yet.", clip(unknown[0]))
	}
	return err
}

// everyID in Reach.Known stands for every id that somebody names.
const everyID = "*"

// knows reports whether a user is known before they have signed in.
func (r Reach) knows(user string) bool {
	return slices.Contains(r.Guests, user) || slices.Contains(r.Known, user) || slices.Contains(r.Known, everyID)
}

// unknown returns those of ids that were never seen.
func (s *Service) unknown(v View, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	users, err := v.Users(ids)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(users))
	for _, u := range users {
		seen[u.ID] = true
	}
	return slices.DeleteFunc(ids, func(id string) bool { return seen[id] }), nil
}

// Introduce makes users known who have not signed in yet, under their id as name. Whoever asks
// for it has the site's word that they exist.
func (s *Service) Introduce(ctx context.Context, ids []string) error {
	if len(ids) > s.cfg.Members {
		return refusal.New(refusal.TooLarge, "A conversation has at most %d members.", s.cfg.Members)
	}
	for _, id := range ids {
		if err := checkUser(id); err != nil {
			return err
		}
	}
	missing := 0
	err := s.store.Read(ctx, func(v View) error {
		list, err := s.unknown(v, slices.Clone(ids))
		missing = len(list)
		return err
	})
	if err != nil || missing == 0 {
		return err
	}
	return s.write(ctx, "", func(tx Tx) error {
		list, err := s.unknown(tx, slices.Clone(ids))
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
