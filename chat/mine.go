package chat

import (
	"context"

	"carillon/refusal"
)

// MineChange is what a member decides about a conversation for themselves. Nil leaves it as it is.
type MineChange struct {
	MutedUntil *int64 // unix ms; 0: not muted
	Archived   *bool
	Favourite  *bool
}

// SetMine changes what a member has decided about a conversation, in all of their tabs.
func (s *Service) SetMine(ctx context.Context, user, conversation string, change MineChange) error {
	if change.MutedUntil != nil && *change.MutedUntil < 0 {
		return refusal.New(refusal.BadRequest, "A time is 0 or more.")
	}
	return s.changeMine(ctx, user, conversation, func(tx Tx, p *Participation, h Head) error {
		if change.MutedUntil != nil {
			p.MutedUntil = *change.MutedUntil
		}
		if change.Favourite != nil {
			p.Favourite = *change.Favourite
		}
		if change.Archived != nil {
			p.Archived = 0
			if *change.Archived {
				p.Archived = max(h.LastSeq, 1) // also of one in which nothing was written yet
			}
		}
		return tx.PutMine(*p)
	})
}

// Clear takes the messages up to a seq away from a member, and from nobody else. They count as read.
func (s *Service) Clear(ctx context.Context, user, conversation string, upTo int64) error {
	if upTo < 1 {
		return refusal.New(refusal.BadRequest, "A conversation is cleared up to a seq.")
	}
	if err := s.SetMarks(ctx, user, map[string]Marks{conversation: {Delivered: upTo, Read: upTo}}); err != nil {
		return err
	}
	return s.changeMine(ctx, user, conversation, func(tx Tx, p *Participation, h Head) error {
		p.FromSeq = max(p.FromSeq, min(upTo, h.LastSeq)+1)
		_, err := tx.PutParticipations(conversation, []Participation{*p})
		return err
	})
}

// changeMine lets f change how user takes part in a conversation that they have joined, and tells
// the user's tabs.
func (s *Service) changeMine(ctx context.Context, user, conversation string, f func(tx Tx, p *Participation, h Head) error) error {
	return s.write(ctx, conversation, func(tx Tx) error {
		p, h, err := s.participation(tx, conversation, user)
		if err != nil {
			return err
		}
		if p.State != Joined {
			return errNoConversation
		}
		if err := f(tx, &p, h); err != nil {
			return err
		}
		places, err := tx.NextPlaces([]string{user})
		if err != nil {
			return err
		}
		p.InOwn = places[0]
		rows := []Participation{p}
		if err := tx.PutOwnPlaces(rows); err != nil {
			return err
		}
		return tellOwn(tx, rows)
	})
}
