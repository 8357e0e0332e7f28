package chat

import (
	"context"
	"slices"

	"carillon/refusal"
)

// Within returns a service for whoever a token narrows to these conversations: to them there
// are no others, and they make none. Nil narrows nothing.
func (s *Service) Within(conversations []string) *Service {
	n := *s
	n.only = conversations
	return &n
}

func (s *Service) covers(conversation string) bool {
	return s.only == nil || slices.Contains(s.only, conversation)
}

// access is Access for whoever asks the service.
func (s *Service) access(v View, conversation, user string) (members []string, err error) {
	if !s.covers(conversation) {
		return nil, errNoConversation
	}
	return Access(v, conversation, user)
}

// MayEnter decides who may enter the room of a stream. One with the id of a conversation is
// for its members. Any other is the site's own: it is for those whose tokens list it.
func (s *Service) MayEnter(ctx context.Context, user, room string) error {
	return s.store.Read(ctx, func(v View) error {
		_, conversation, err := v.Head(room)
		if err == nil && (conversation || s.only == nil) {
			_, err = s.access(v, room, user)
		} else if err == nil && !s.covers(room) {
			err = errNoConversation
		}
		return err
	})
}

var errNoConversation = refusal.New(refusal.NotFound, "There is no such conversation, or you are not a member of it.")

// Access returns the members of a conversation if user is one of them. It is the one place
// that decides who may read, write or call in a conversation. Others are not told whether
// there is such a conversation.
func Access(v View, conversation, user string) (members []string, err error) {
	members, err = v.MemberIDs(conversation)
	if err == nil && !slices.Contains(members, user) {
		return nil, errNoConversation
	}
	return members, err
}

// mayReach decides who may open a conversation with whom, and whom they may ring; nothing
// else does. A conversation that exists stays open for messages when the policy changes.
//
// Contacts are those of the user who is to be reached: whom they added or wrote to. So nobody
// becomes a contact of mine by writing to me.
func (r Reach) mayReach(v View, from User, to string) (bool, error) {
	switch {
	case slices.Contains(r.Guests, to):
		return true, nil
	case from.Guest && len(r.Guests) > 0, r.Users == ReachContacts:
		return v.IsContact(to, from.ID)
	case r.Users == ReachGroups:
		if share, err := v.ShareGroup(from.ID, to); err != nil || share {
			return share, err
		}
		return v.IsContact(to, from.ID)
	}
	return true, nil
}

// open reports whether a user reaches everyone, whose contact they are or not.
func (r Reach) open(from User) bool {
	return r.Users == ReachEveryone && (!from.Guest || len(r.Guests) == 0)
}

// reach refuses to open a conversation with a user who may not be reached.
func (r Reach) reach(v View, from User, to string) error {
	may, err := r.mayReach(v, from, to)
	switch {
	case err != nil || may:
		return err
	case from.Guest:
		return refusal.New(refusal.NotAllowed, "Guests may not write to this user.")
	}
	return refusal.New(refusal.NotAllowed, "You may not write to this user.")
}

// MayRing returns whom a call of caller in a conversation may ring. The other members are not
// rung, and can join the call all the same. It is refused if there is nobody to ring.
func (s *Service) MayRing(ctx context.Context, caller User, c Conversation) (users []string, err error) {
	err = s.store.Read(ctx, func(v View) error {
		for _, m := range c.Members {
			may, err := s.cfg.Reach.mayReach(v, caller, m.ID)
			if err != nil {
				return err
			}
			if may && m.ID != caller.ID {
				users = append(users, m.ID)
			}
		}
		return nil
	})
	switch {
	case err != nil || len(users) > 0:
		return users, err
	case caller.Guest:
		return nil, refusal.New(refusal.NotAllowed, "Guests may not call who has not written to them.")
	}
	return nil, refusal.New(refusal.NotAllowed, "You may not call who has neither added you nor written to you.")
}
