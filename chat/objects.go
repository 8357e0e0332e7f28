package chat

import (
	"context"
	"encoding/json"
	"slices"

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
	return s.write(ctx, func(tx Tx) error {
		objects, err := tx.Objects(user)
		if err != nil {
			return err
		}
		known := slices.ContainsFunc(objects, func(o UserObject) bool { return o.Key == key })
		if value == nil && !known {
			return nil
		}
		if !known && len(objects) >= s.cfg.Objects {
			return refusal.New(refusal.TooLarge, "A user has at most %d objects.", s.cfg.Objects)
		}
		if err := tx.PutObject(user, o); err != nil {
			return err
		}
		return announce(tx, []string{user}, EventUserObject, s.nowMS(), o)
	})
}

// Objects returns all values that user's tabs share, by key.
func (s *Service) Objects(ctx context.Context, user string) ([]UserObject, error) {
	var objects []UserObject
	err := s.store.Read(ctx, func(v View) (err error) {
		objects, err = v.Objects(user)
		return err
	})
	return objects, err
}
