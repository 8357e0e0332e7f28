package chat

import (
	"context"

	"carillon/refusal"
)

// Hide removes messages for user alone. It cannot be taken back.
func (s *Service) Hide(ctx context.Context, user, conversation string, seqs []int64) error {
	if len(seqs) == 0 || len(seqs) > maxAsked {
		return refusal.New(refusal.TooLarge, "One to %d messages are removed at once.", maxAsked)
	}
	return s.write(ctx, conversation, func(tx Tx) error {
		p, h, err := s.participation(tx, conversation, user)
		if err == nil && p.State != Joined {
			err = errNoConversation
		}
		if err != nil {
			return err
		}
		names := make([]string, len(seqs))
		for i, seq := range seqs {
			if seq < p.FromSeq || seq < 1 || seq > h.LastSeq {
				return errNoMessage
			}
			names[i] = MessageID(conversation, seq)
		}
		were, err := tx.HaveOwnItems(user, ItemHidden, names)
		if err != nil {
			return err
		}
		done := make(map[string]bool, len(seqs))
		for _, name := range were {
			done[name] = true
		}
		n, _, err := tx.OwnItemsSize(user, ItemHidden)
		if err != nil {
			return err
		}
		for i, seq := range seqs {
			if done[names[i]] {
				continue
			}
			done[names[i]] = true
			if n++; n > s.cfg.Hidden {
				return refusal.New(refusal.TooLarge, "You have removed %d messages for yourself; clear a conversation to remove more.", s.cfg.Hidden)
			}
			if err := putOwn(tx, user, names[i], Hidden{Conversation: conversation, Seq: seq}, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// withoutHidden leaves of the messages among items that user has removed for themselves their
// places only.
func withoutHidden(v View, user, conversation string, items []Item) error {
	var names []string
	at := map[string]int{}
	for i, item := range items {
		if item.Type == ItemMessage {
			name := MessageID(conversation, item.Seq)
			names, at[name] = append(names, name), i
		}
	}
	if len(names) == 0 {
		return nil
	}
	hidden, err := v.HaveOwnItems(user, ItemHidden, names)
	if err != nil {
		return err
	}
	for _, name := range hidden {
		item := &items[at[name]]
		var m Message
		if err := decodeItem(*item, &m); err != nil {
			return err
		}
		if *item, err = NewItem(item.Place, m.without(HiddenMessage)); err != nil {
			return err
		}
	}
	return nil
}

// hideLast is withoutHidden for the last messages of conversations.
func hideLast(v View, user string, seen []Seen) error {
	var names []string
	last := map[string]*Message{}
	for _, h := range seen {
		if h.Last != nil {
			names, last[h.Last.ID] = append(names, h.Last.ID), h.Last
		}
	}
	if len(names) == 0 {
		return nil
	}
	hidden, err := v.HaveOwnItems(user, ItemHidden, names)
	for _, name := range hidden {
		*last[name] = last[name].without(HiddenMessage)
	}
	return err
}

// without is the message without what is to be seen of it.
func (m Message) without(reason GoneReason) Message {
	m.Text, m.Data, m.Preview, m.Mentions, m.Gone = "", nil, nil, nil, reason
	return m
}
