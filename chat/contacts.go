package chat

import (
	"context"

	"carillon/refusal"
)

// A contact of a user is somebody whom the user added, or wrote to or called in their direct
// conversation. What others do makes nobody a contact. A token for some conversations has none:
// contacts tell of the others, and decide who may ring there.
var errNoContacts = refusal.New(refusal.NotAllowed, "This token is for certain conversations, and has no contacts.")

// AddContact makes other a contact of user, who may reach the user from then on. Only the user's
// own tabs are told.
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
	return s.write(ctx, "", func(tx Tx) error {
		known, err := knows(tx, user, other)
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
		profile, err := profileOf(tx, other)
		if err != nil {
			return err
		}
		if err := s.show(tx, user, []*User{&profile}); err != nil {
			return err
		}
		return putContact(tx, user, Contact{User: profile})
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
	return s.write(ctx, "", func(tx Tx) error {
		known, err := knows(tx, user, other)
		if err != nil || !known {
			return err
		}
		return putContact(tx, user, Contact{User: User{ID: other, Name: other}, Gone: true})
	})
}

// knows reports whether other is a contact of user, whose feed it locks: there is one change at a
// time.
func knows(tx Tx, user, other string) (bool, error) {
	if err := tx.Lock(nil, []string{user}); err != nil {
		return false, err
	}
	list, err := tx.AreContacts([]string{user}, other)
	return len(list) > 0, err
}

// putContact stores a contact of user and tells the user's tabs.
func putContact(tx Tx, user string, c Contact) error {
	at, err := nextContact(tx, user, c.ID, c.Gone)
	if err != nil {
		return err
	}
	item, err := NewItem(at, c)
	if err != nil {
		return err
	}
	tx.Tell(Told{User: user, Item: item})
	return nil
}

// nextContact stores a contact of user under the next place in the user's feed.
func nextContact(tx Tx, user, other string, gone bool) (Place, error) {
	places, err := tx.NextPlaces([]string{user})
	if err != nil {
		return Place{}, err
	}
	return places[0], tx.PutContact(user, other, gone, places[0])
}

// Contacts returns a page of the contacts of user by id, those after the one given, and the id
// after which the next page begins, empty after the last. Of those whose profile the user may
// not see, whom they added without being known to them, it holds the id only.
func (s *Service) Contacts(ctx context.Context, user, after string, limit int) (page []User, next string, _ error) {
	if s.only != nil {
		return nil, "", errNoContacts
	}
	if err := checkCursor(after); err != nil {
		return nil, "", err
	}
	limit = s.PageSize(limit)
	err := s.store.Read(ctx, func(v View) error {
		page, next = []User{}, ""
		list, err := v.Contacts(user, after, limit+1)
		if err != nil {
			return err
		}
		profiles := make([]*User, len(list))
		for i := range list {
			profiles[i] = &list[i]
		}
		if err := s.show(v, user, profiles); err != nil {
			return err
		}
		room := s.room()
		for i, contact := range list {
			if i == limit || !room.fits(userBytes(contact)) {
				next = list[i-1].ID
				return nil
			}
			page = append(page, contact)
		}
		return nil
	})
	return page, next, err
}

// wroteTo refuses a message to whom the sender has blocked, or by whom the sender is. It makes the
// other member of a direct conversation a contact of who sent a message there, and shows the sender to them: with the first message the sender's item of the
// conversation's feed changes, which has a profile for both from now on.
func wroteTo(tx Tx, h Head, sender Participation) error {
	if h.Kind != Direct {
		return nil
	}
	other := h.other(sender.User)
	a, err := tx.Acquaintance(sender.User, other)
	if err == nil {
		err = a.refuse()
	}
	if err != nil {
		return err
	}
	if !a.Contact {
		at, err := nextContact(tx, sender.User, other, false)
		if err != nil {
			return err
		}
		tx.Tell(Told{User: sender.User, Item: bareItem(at.Pos)})
	}
	if a.Shown {
		return nil
	}
	if err := showTo(tx, sender.User, other); err != nil {
		return err
	}
	return changeMember(tx, sender, len(h.Pair))
}
