package chat

import (
	"context"

	"carillon/refusal"
)

// Join takes an invitation. What was written before stays hidden. Who has joined already is
// answered the same.
func (s *Service) Join(ctx context.Context, user User, conversation string) (Conversation, error) {
	var c Conversation
	err := s.write(ctx, conversation, func(tx Tx) error {
		p, h, err := s.participation(tx, conversation, user.ID)
		if err != nil {
			return err
		}
		if p.State == Invited {
			if h.Count >= s.cfg.Members {
				return refusal.New(refusal.TooLarge, "A conversation has at most %d members.", s.cfg.Members)
			}
			p.State, p.FromSeq = Joined, h.LastSeq+1
			p.Delivered, p.Read, p.ReadN, p.OwnAhead, p.Missed = h.LastSeq, h.LastSeq, h.N, 0, 0
			if err := s.change(tx, p); err != nil {
				return err
			}
		}
		c, err = s.look(tx, user.ID, conversation)
		return err
	})
	return c, err
}

// Leave ends a membership of a group, or turns an invitation down.
func (s *Service) Leave(ctx context.Context, user, conversation string) error {
	return s.write(ctx, conversation, func(tx Tx) error {
		p, h, err := s.participation(tx, conversation, user)
		if err != nil {
			return err
		}
		if h.Kind == Direct {
			return refusal.New(refusal.NotAllowed, "Nobody can leave a conversation of two.")
		}
		p.State = Gone
		return s.change(tx, p)
	})
}

// participation locks a conversation and one user's feed, and returns how the user, who has joined
// or is invited, takes part.
func (s *Service) participation(tx Tx, conversation, user string) (Participation, Head, error) {
	if !s.covers(conversation) {
		return Participation{}, Head{}, errNoConversation
	}
	if err := tx.Lock([]string{conversation}, []string{user}); err != nil {
		return Participation{}, Head{}, err
	}
	p, found, err := tx.Participation(conversation, user)
	if err == nil && (!found || p.State == Gone) {
		err = errNoConversation
	}
	if err != nil {
		return p, Head{}, err
	}
	h, _, err := tx.Head(conversation)
	return p, h, err
}

// change stores how a user takes part from now on, and tells all members, and the user.
func (s *Service) change(tx Tx, p Participation) error {
	own, err := tx.NextPlaces([]string{p.User})
	if err != nil {
		return err
	}
	p.InOwn = own[0]
	if err := changeMember(tx, p, s.cfg.LargeGroup); err != nil {
		return err
	}
	return tellOwn(tx, []Participation{p})
}

// changeMember stores how a user takes part, and tells all members. With more than so many who have
// joined the conversation is large from then on.
func changeMember(tx Tx, p Participation, largeGroup int) error {
	_, at, err := tx.NextPlace(p.Conversation, 1)
	if err != nil {
		return err
	}
	p.InFeed = at
	rows := []Participation{p}
	h, grew, err := putMembers(tx, p.Conversation, rows, largeGroup)
	if err != nil {
		return err
	}
	members, err := asMembers(tx, rows)
	if err != nil {
		return err
	}
	item, err := NewItem(at, members[0])
	if err != nil {
		return err
	}
	item.From, item.Count = p.FromSeq, h.Count
	tx.Tell(Told{Conversation: h.ID, Version: h.Version, Large: h.Large, Grew: grew, Item: item})
	return nil
}

// putMembers stores how users take part, and makes a conversation large that has grown beyond it.
func putMembers(tx Tx, conversation string, rows []Participation, largeGroup int) (h Head, grew bool, err error) {
	h, err = tx.PutParticipations(conversation, rows)
	if err != nil || h.Large || h.Count <= largeGroup {
		return h, false, err
	}
	h.Large = true
	return h, true, tx.PutLarge(conversation)
}
