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
		was, known, err := tx.OwnItem(user, ItemObject, key)
		if err != nil || value == nil && !known {
			return err
		}
		if value != nil {
			if err := s.affordOwn(tx, user, o, was, s.cfg.Objects, s.cfg.ObjectsBytes); err != nil {
				return err
			}
		}
		return putOwn(tx, user, key, o, value == nil)
	})
}

// Object returns one of the values that user's tabs share.
func (s *Service) Object(ctx context.Context, user, key string) (o UserObject, found bool, err error) {
	if !isID(key) {
		return o, false, nil
	}
	err = s.store.Read(ctx, func(v View) error {
		var item OwnItem
		if item, found, err = v.OwnItem(user, ItemObject, key); err != nil || !found {
			return err
		}
		return item.decode(&o)
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
		list, err := v.OwnItems(user, ItemObject, after, limit+1)
		if err != nil {
			return err
		}
		room := s.room()
		for i, item := range list {
			if i == limit || !room.fits(len(item.Data)+itemBytes) {
				next = list[i-1].Name
				return nil
			}
			var o UserObject
			if err := item.decode(&o); err != nil {
				return err
			}
			page = append(page, o)
		}
		return nil
	})
	return page, next, err
}
