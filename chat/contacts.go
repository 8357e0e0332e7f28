package chat

import (
	"context"

	"carillon/refusal"
)

// A contact of a user is somebody whom the user added, or wrote to or called in their direct
// conversation. What others do makes nobody a contact. A token for some conversations has none:
// contacts tell of the others, and decide who may ring there.
var errNoContacts = refusal.New(refusal.NotAllowed, "This token is for certain conversations, and has no contacts.")

// AddContact makes other a contact of user, who may reach the user from then on. Nobody is told.
func (s *Service) AddContact(ctx context.Context, user, other string) error {
	if s.only != nil {
		return errNoContacts
	}
	if err := checkUser(other); err != nil {
		return err
	}
	if user == other {
		return refusal.New(refusal.BadRequest, "You cannot add yourself.")
	}
	return s.write(ctx, func(tx Tx) error {
		known, err := tx.IsContact(user, other)
		if err != nil || known {
			return err
		}
		n, err := tx.CountContacts(user)
		if err == nil && n >= s.cfg.Contacts {
			err = refusal.New(refusal.TooLarge, "A user may add at most %d contacts.", s.cfg.Contacts)
		}
		if err != nil {
			return err
		}
		return tx.PutContact(user, other)
	})
}

// RemoveContact ends what AddContact or the user's own messages began. The conversation with
// the other stays open.
func (s *Service) RemoveContact(ctx context.Context, user, other string) error {
	if s.only != nil {
		return errNoContacts
	}
	if err := checkUser(other); err != nil {
		return err
	}
	return s.write(ctx, func(tx Tx) error { return tx.RemoveContact(user, other) })
}

// Contacts returns a page of the contacts of user by id, those after the one given, and the id
// after which the next page begins, empty after the last. Of those whose profile the user may
// not see, whom they added without being known to them, it holds the id only.
func (s *Service) Contacts(ctx context.Context, user, after string, limit int) (page []User, next string, _ error) {
	if s.only != nil {
		return nil, "", errNoContacts
	}
	limit = s.PageSize(limit)
	err := s.store.Read(ctx, func(v View) (err error) {
		if page, err = v.Contacts(user, after, limit+1); err != nil {
			return err
		}
		if len(page) > limit {
			page = page[:limit]
			next = page[limit-1].ID
		}
		asker, err := userOrID(v, user)
		if err != nil {
			return err
		}
		for i, contact := range page {
			if page[i], err = s.shown(v, asker, contact); err != nil {
				return err
			}
		}
		return nil
	})
	return page, next, err
}

// wroteTo makes the other member of a direct conversation a contact of who sent a message
// there, and returns whom if they were none.
func wroteTo(tx Tx, m Message, members []string) (made string, err error) {
	if len(members) != 2 {
		return "", nil
	}
	other := members[0]
	if other == m.Sender {
		other = members[1]
	}
	known, err := tx.IsContact(m.Sender, other)
	if err != nil {
		return "", err
	}
	shown, err := tx.HasShown(m.Sender, other)
	if err != nil || known && shown {
		return "", err
	}
	h, _, err := tx.Head(m.Conversation)
	if err != nil || h.Kind != Direct {
		return "", err
	}
	if err := tx.PutShown(m.Sender, other); err != nil || known {
		return "", err
	}
	return other, tx.PutContact(m.Sender, other)
}
