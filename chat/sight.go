package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// sight is how much of one user another is shown.
type sight uint8

const (
	unseen  sight = iota // the id, where both are members or one is a contact of the other
	named                // and name and picture
	present              // and whether they are here, or when they were here last
)

// sight decides what from is shown of another user; nothing else does.
//
// Presence is for whom the other lets reach them (see mayReach), and for the members of their
// groups. It ends with that: when the other removes a contact, or one of both leaves the
// group. Name and picture are also for those with whom the other began a conversation, or to
// whom they wrote or whom they called: these have seen them. To be in a conversation in which
// the other has said nothing shows nothing of them.
//
// A token for some conversations shows those who are members of them, and no more of these.
func (s *Service) sight(v View, from User, other string) (sight, error) {
	if from.ID == other {
		return present, nil
	}
	if s.only != nil {
		if within, err := s.isWithin(v, from.ID, other); err != nil || !within {
			return unseen, err
		}
	}
	if may, err := s.cfg.Reach.mayReach(v, from, other); err != nil || may {
		return present, err
	}
	if share, err := v.ShareGroup(from.ID, other); err != nil || share {
		return present, err
	}
	if shown, err := v.HasShown(other, from.ID); err != nil || shown {
		return named, err
	}
	return unseen, nil
}

// isWithin reports whether both users are members of one of the conversations that the token
// lists.
func (s *Service) isWithin(v View, user, other string) (bool, error) {
	for _, conversation := range s.only {
		members, err := v.MemberIDs(conversation)
		if err != nil || slices.Contains(members, user) && slices.Contains(members, other) {
			return err == nil, err
		}
	}
	return false, nil
}

// User returns the profile of somebody whom asker may see.
func (s *Service) User(ctx context.Context, asker, id string) (User, error) {
	var u User
	err := s.store.Read(ctx, func(v View) (err error) {
		users, err := s.shownTo(v, asker, []string{id}, named)
		if err == nil && len(users) == 0 {
			err = refusal.New(refusal.NotFound, "There is no such user, or none that you may see.")
		}
		if err == nil {
			u = users[0]
		}
		return err
	})
	return u, err
}

// Present returns the profiles of those of the users whose presence asker may see.
func (s *Service) Present(ctx context.Context, asker string, ids []string) (users []User, err error) {
	err = s.store.Read(ctx, func(v View) (err error) {
		users, err = s.shownTo(v, asker, ids, present)
		return err
	})
	return users, err
}

// shownTo returns the profiles of those whom asker is shown at least so much of.
func (s *Service) shownTo(v View, asker string, ids []string, least sight) (users []User, _ error) {
	from, err := userOrID(v, asker)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		u, found, err := v.User(id)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		sees, err := s.sight(v, from, id)
		if err != nil {
			return nil, err
		}
		if sees >= least {
			users = append(users, u)
		}
	}
	return users, nil
}

// Fellows returns the members of the conversations to which a token narrows its user, by the
// conversation: nobody else is shown to it. Nil: it is not narrowed.
func (s *Service) Fellows(ctx context.Context, user string) (map[string][]string, error) {
	if s.only == nil {
		return nil, nil
	}
	fellows := map[string][]string{}
	err := s.store.Read(ctx, func(v View) error {
		for _, conversation := range s.only {
			members, err := v.MemberIDs(conversation)
			if err != nil {
				return err
			}
			if slices.Contains(members, user) {
				fellows[conversation] = members
			}
		}
		return nil
	})
	return fellows, err
}

// shown is the part of a profile that from is shown. That a guest is one is told to everyone.
func (s *Service) shown(v View, from, u User) (User, error) {
	sees, err := s.sight(v, from, u.ID)
	if err != nil || sees >= named {
		return u, err
	}
	return User{ID: u.ID, Name: u.ID, Guest: u.Guest}, nil
}

// showMembers leaves of the members what user is shown.
func (s *Service) showMembers(v View, members []Member, user string) error {
	mine := slices.IndexFunc(members, func(m Member) bool { return m.ID == user })
	if mine < 0 {
		return errNoConversation
	}
	for i := range members {
		u, err := s.shown(v, members[mine].User, members[i].User)
		if err != nil {
			return err
		}
		members[i].User = u
	}
	return nil
}

// whoSee returns who shares a conversation with the user and sees their profile. Others see it
// the next time they load the conversation.
func (s *Service) whoSee(v View, user string) (see []string, _ error) {
	others, err := v.Neighbours(user, maxNeighbours)
	if err != nil {
		return nil, err
	}
	for _, id := range others {
		other, err := userOrID(v, id)
		if err != nil {
			return nil, err
		}
		sees, err := s.sight(v, other, user)
		if err != nil {
			return nil, err
		}
		if sees >= named {
			see = append(see, id)
		}
	}
	return see, nil
}

// introduce tells a new contact of the user who the user is, if that was hidden from them
// before.
func (s *Service) introduce(tx Tx, user User, contact string) error {
	other, err := userOrID(tx, contact)
	if err != nil || s.cfg.Reach.open(other) {
		return err
	}
	profile, err := userOrID(tx, user.ID)
	if err != nil {
		return err
	}
	return announce(tx, []string{contact}, EventProfile, s.nowMS(), profile)
}

// userOrID is a user, who is called as their id if they were never seen.
func userOrID(v View, id string) (User, error) {
	u, found, err := v.User(id)
	if err == nil && !found {
		u = User{ID: id, Name: id}
	}
	return u, err
}
