package chat

import (
	"context"
	"encoding/json"

	"carillon/refusal"
)

// SetObject sets a value that all tabs of user share and tells them. Null removes it.
// tab is the one that set it.
func (s *Service) SetObject(ctx context.Context, user, tab, key string, value json.RawMessage) error {
	if len(key) > maxKey || !printable(key) {
		return refusal.New(refusal.BadRequest, "A key has 1 to %d bytes of printable characters.", maxKey)
	}
	value, err := cleanJSON(value, s.cfg.ObjectBytes)
	if err != nil {
		return err
	}
	o := UserObject{Key: key, Value: value, Tab: tab}
	return s.write(ctx, "", func(tx Tx) error {
		if err := tx.Lock(nil, []string{user}); err != nil {
			return err
		}
		was, known, err := tx.Object(user, key)
		if err != nil || value == nil && !known {
			return err
		}
		if value != nil {
			if err := s.affordObject(tx, user, o, was, known); err != nil {
				return err
			}
		}
		places, err := tx.NextPlaces([]string{user})
		if err != nil {
			return err
		}
		if err := tx.PutObject(user, o, places[0]); err != nil {
			return err
		}
		item, err := NewItem(places[0], o)
		if err != nil {
			return err
		}
		tx.Tell(Told{User: user, Item: item})
		return nil
	})
}

// affordObject refuses an object, in place of what it was, that is one too many or makes all of
// them too large.
func (s *Service) affordObject(v View, user string, o, was UserObject, known bool) error {
	count, bytes, err := v.ObjectsSize(user)
	switch {
	case err != nil:
		return err
	case !known && count >= s.cfg.Objects:
		return refusal.New(refusal.TooLarge, "A user has at most %d objects.", s.cfg.Objects)
	}
	if known {
		bytes -= len(was.Key) + len(was.Value)
	}
	if bytes+len(o.Key)+len(o.Value) > s.cfg.ObjectsBytes {
		return refusal.New(refusal.TooLarge, "All objects of a user have at most %d bytes.", s.cfg.ObjectsBytes)
	}
	return nil
}

// Object returns one of the values that user's tabs share.
func (s *Service) Object(ctx context.Context, user, key string) (o UserObject, found bool, err error) {
	if !isID(key) {
		return o, false, nil
	}
	err = s.store.Read(ctx, func(v View) (err error) {
		o, found, err = v.Object(user, key)
		return err
	})
	return o, found, err
}

// Objects returns a page of the values that user's tabs share, by key, those after the one given,
// and the key after which the next page begins, empty after the last.
func (s *Service) Objects(ctx context.Context, user, after string) (page []UserObject, next string, err error) {
	if err := checkCursor(after); err != nil {
		return nil, "", err
	}
	limit := s.PageSize(0)
	err = s.store.Read(ctx, func(v View) error {
		page, next = []UserObject{}, ""
		list, err := v.Objects(user, after, limit+1)
		if err != nil {
			return err
		}
		room := s.room()
		for i, o := range list {
			if i == limit || !room.fits(len(o.Key)+len(o.Value)+itemBytes) {
				next = list[i-1].Key
				return nil
			}
			page = append(page, o)
		}
		return nil
	})
	return page, next, err
}
