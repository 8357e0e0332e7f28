package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// NewItem makes an item of what an ItemType names.
func NewItem(at Place, what any) (Item, error) {
	item := Item{Place: at}
	switch w := what.(type) {
	case Message:
		item.Type, item.Conversation, item.User, item.Seq = ItemMessage, w.Conversation, w.Sender, w.Seq
	case Member:
		w.Marks = Marks{} // told apart
		item.Type, item.User, item.Joined, what = ItemMember, w.ID, w.State == Joined, w
	case Reactions:
		item.Type, item.Seq = ItemReactions, w.Seq
	case Hidden:
		item.Type, item.Conversation, item.Seq = ItemHidden, w.Conversation, w.Seq
	case Settings:
		item.Type = ItemConversation
	case Membership:
		item.Type, item.Conversation = ItemMembership, w.Conversation
	case Contact:
		item.Type, item.User = ItemContact, w.ID
	case UserObject:
		item.Type = ItemObject
	case Draft:
		item.Type, item.Conversation = ItemDraft, w.Conversation
	case Block:
		item.Type, item.User = ItemBlock, w.User
	case Preferences:
		item.Type = ItemPreferences
	default:
		return item, fmt.Errorf("a %T is no item of a feed", what)
	}
	var err error
	if item.Data, err = encode(what); err != nil {
		return item, fmt.Errorf("encode %s at %d: %w", item.Type, at.Pos, err)
	}
	return item, nil
}

// bareItem says only that a feed has changed. It is told in place of an item of which not everyone is
// shown the same: each tab asks for what it may see.
func bareItem(pos int64) Item { return Item{Place: Place{Pos: pos}} }

// encode writes JSON as short as it is. The package encoding/json escapes what has a meaning in
// HTML, so that 16 KiB of < would be 96.
func encode(what any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(what); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
