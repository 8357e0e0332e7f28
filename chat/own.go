package chat

import (
	"encoding/json"
	"fmt"

	"carillon/refusal"
)

// OwnItem is an item of a user's feed that concerns nobody else, as the store keeps it.
type OwnItem struct {
	Type    ItemType
	Name    string          // within its type
	Data    json.RawMessage // as the user's tabs get it, also when it was removed
	Removed bool
}

// putOwn stores an item that concerns user alone, and tells the user's tabs. Who calls it has locked
// the user's feed.
func putOwn(tx Tx, user, name string, what any, removed bool) error {
	places, err := tx.NextPlaces([]string{user})
	if err != nil {
		return err
	}
	item, err := NewItem(places[0], what)
	if err != nil {
		return err
	}
	own := OwnItem{Type: item.Type, Name: name, Data: item.Data, Removed: removed}
	if err := tx.PutOwnItem(user, own, places[0]); err != nil {
		return err
	}
	tx.Tell(Told{User: user, Item: item})
	return nil
}

func (i OwnItem) decode(into any) error {
	if err := json.Unmarshal(i.Data, into); err != nil {
		return fmt.Errorf("decode %s %s: %w", i.Type, i.Name, err)
	}
	return nil
}

// affordOwn refuses an item of a user's own, in place of what it was, that is one more of its type than
// a user may have, or makes all of them too large.
func (s *Service) affordOwn(v View, user string, what any, was OwnItem, most, mostBytes int) error {
	item, err := NewItem(Place{}, what)
	if err != nil {
		return err
	}
	count, bytes, err := v.OwnItemsSize(user, item.Type)
	switch {
	case err != nil:
		return err
	case was.Name == "" && count >= most:
		return refusal.New(refusal.TooLarge, "You have %d of these; more are not kept.", most)
	case bytes+len(item.Data)-len(was.Data) > mostBytes:
		return refusal.New(refusal.TooLarge, "All of these together have at most %d bytes.", mostBytes)
	}
	return nil
}
