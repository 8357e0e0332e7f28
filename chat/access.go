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

// covers reports whether there can be such a conversation for whoever asks.
func (s *Service) covers(conversation string) bool {
	return isID(conversation) && (s.only == nil || slices.Contains(s.only, conversation))
}

// covered returns those of conversations that there are for whoever asks.
func (s *Service) covered(conversations []string) []string {
	return slices.DeleteFunc(slices.Clone(conversations), func(id string) bool { return !s.covers(id) })
}

// access is Access for whoever asks the service.
func (s *Service) access(v View, conversation, user string) (Participation, error) {
	if !s.covers(conversation) {
		return Participation{}, errNoConversation
	}
	return Access(v, conversation, user)
}

// MayEnter decides who may enter the room of a stream. One with the id of a conversation is
// for its members. Any other is the site's own: it is for those whose tokens list it.
func (s *Service) MayEnter(ctx context.Context, user, room string) error {
	if !isID(room) {
		return errNoConversation
	}
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

// Access returns how a user takes part in a conversation that they have joined. It is the one
// place that decides who may read, write or call in a conversation. Others are not told whether
// there is such a conversation; who is only invited is told nothing more than these.
func Access(v View, conversation, user string) (Participation, error) {
	p, found, err := v.Participation(conversation, user)
	if err == nil && (!found || p.State != Joined) {
		err = errNoConversation
	}
	return p, err
}

// reachable decides who may open a conversation with whom, and whom they may ring; nothing
// else does. It returns those of others. A conversation that exists stays open for messages when
// the policy changes. Nobody reaches those who have blocked them.
//
// Contacts are those of the user who is to be reached: whom they added or wrote to. So nobody
// becomes a contact of mine by writing to me.
func (r Reach) reachable(v View, from User, others []string) ([]string, error) {
	others, err := withoutBlocks(v, from.ID, others)
	if err != nil {
		return nil, err
	}
	contacts := from.Guest && len(r.Guests) > 0 || r.Users == ReachContacts
	if !contacts && r.Users != ReachGroups {
		return others, nil
	}
	reached, err := v.AreContacts(others, from.ID)
	if err == nil && !contacts {
		var sharing []string
		sharing, err = v.SharingGroup(from.ID, others)
		reached = append(reached, sharing...)
	}
	if err != nil {
		return nil, err
	}
	may := make(map[string]bool, len(reached))
	for _, id := range reached {
		may[id] = true
	}
	for _, id := range r.Guests {
		may[id] = true
	}
	return slices.DeleteFunc(slices.Clone(others), func(id string) bool { return !may[id] }), nil
}

// reach refuses to open a conversation with users who may not be reached.
func (r Reach) reach(v View, from User, others []string) error {
	if err := refuseBlocked(v, from.ID, others); err != nil {
		return err
	}
	reached, err := r.reachable(v, from, others)
	switch {
	case err != nil || len(reached) == len(others):
		return err
	case from.Guest:
		return refusal.New(refusal.NotAllowed, "Guests may not write to this user.")
	}
	return refusal.New(refusal.NotAllowed, "You may not write to this user.")
}

// MayRing returns who has joined a conversation, and whom of them a call of caller may ring. The
// others are not rung, and can join the call all the same. It is refused if there is nobody to
// ring, or if more than so many take part.
func (s *Service) MayRing(ctx context.Context, caller User, conversation string, most int) (people []Member, ring []string, err error) {
	err = s.store.Read(ctx, func(v View) error {
		if _, err := s.access(v, conversation, caller.ID); err != nil {
			return err
		}
		first, err := v.FirstMembers([]string{conversation}, most+1)
		if err != nil {
			return err
		}
		people = first[conversation]
		if len(people) > most {
			return refusal.New(refusal.TooLarge, "A call has at most %d participants; this conversation has more members.", most)
		}
		var others []string
		for _, m := range people {
			if m.ID != caller.ID {
				others = append(others, m.ID)
			}
		}
		if err := refuseBlocked(v, caller.ID, others); err != nil {
			return err
		}
		ring, err = s.cfg.Reach.reachable(v, caller, others)
		if err == nil {
			ring, err = admitted(v, ring, caller.ID, func(p Preferences) Audience { return p.Calls })
		}
		return err
	})
	switch {
	case err != nil || len(ring) > 0:
		return people, ring, err
	case caller.Guest:
		return nil, nil, refusal.New(refusal.NotAllowed, "Guests may not call who has not written to them.")
	}
	return nil, nil, refusal.New(refusal.NotAllowed, "You may not call who has neither added you nor written to you.")
}
