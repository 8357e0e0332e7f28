package chat

import (
	"context"
	"encoding/json"
	"fmt"
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

// sights decides what from is shown of other users; nothing else does. Who is not in it is unseen.
//
// Presence is for whom the other lets reach them (see reachable), and for the members of their
// groups. It ends with that: when the other removes a contact, or one of both leaves the
// group. The other may show it to fewer, see Preferences, and not to whom they have blocked. Name and picture are also for those with whom the other began a conversation, or to
// whom they wrote or whom they called: these have seen them. To be in a conversation in which
// the other has said nothing shows nothing of them.
//
// A token for some conversations shows those who are members of them, and no more of these.
func (s *Service) sights(v View, from User, others []string) (map[string]sight, error) {
	seen, err := s.policySights(v, from, others)
	if err == nil {
		err = withdraw(v, from.ID, seen)
	}
	return seen, err
}

// policySights is what from is shown where everybody lets it be seen.
func (s *Service) policySights(v View, from User, others []string) (map[string]sight, error) {
	seen := map[string]sight{from.ID: present}
	rest := slices.DeleteFunc(slices.Clone(others), func(id string) bool { return id == from.ID })
	if s.only != nil && len(rest) > 0 {
		var err error
		if rest, err = v.SharingAnyOf(from.ID, s.only, rest); err != nil {
			return nil, err
		}
	}
	for _, rule := range []struct {
		shows sight
		of    func(others []string) ([]string, error)
	}{
		{present, func(others []string) ([]string, error) { return s.cfg.Reach.reachable(v, from, others) }},
		{present, func(others []string) ([]string, error) { return v.SharingGroup(from.ID, others) }},
		{named, func(others []string) ([]string, error) { return v.HaveShown(others, from.ID) }},
	} {
		if len(rest) == 0 {
			return seen, nil
		}
		those, err := rule.of(rest)
		if err != nil {
			return nil, err
		}
		for _, id := range those {
			seen[id] = rule.shows
		}
		rest = slices.DeleteFunc(slices.Clone(rest), func(id string) bool { return seen[id] != unseen })
	}
	return seen, nil
}

// withdraw takes presence from those who do not show it to from, or have blocked from. They stay
// named.
func withdraw(v View, from string, seen map[string]sight) error {
	var there []string
	for id, s := range seen {
		if s == present && id != from {
			there = append(there, id)
		}
	}
	shown, err := admitted(v, there, from, func(p Preferences) Audience { return p.Presence })
	if err == nil {
		shown, err = withoutBlocks(v, from, shown)
	}
	if err != nil {
		return err
	}
	for _, id := range there {
		if !slices.Contains(shown, id) {
			seen[id] = named
		}
	}
	return nil
}

// User returns the profile of somebody whom asker may see.
func (s *Service) User(ctx context.Context, asker, id string) (User, error) {
	users, err := s.shownTo(ctx, asker, []string{id}, named)
	if err == nil && len(users) == 0 {
		err = refusal.New(refusal.NotFound, "There is no such user, or none that you may see.")
	}
	if err != nil {
		return User{}, err
	}
	return users[0], nil
}

// Present returns the profiles of those of the users whose presence asker may see, in no order.
func (s *Service) Present(ctx context.Context, asker string, ids []string) ([]User, error) {
	return s.shownTo(ctx, asker, ids, present)
}

// shownTo returns the profiles of those whom asker is shown at least so much of.
func (s *Service) shownTo(ctx context.Context, asker string, ids []string, least sight) (users []User, err error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return checkUser(id) != nil })
	err = s.store.Read(ctx, func(v View) error {
		users = nil
		from, err := profileOf(v, asker)
		if err != nil {
			return err
		}
		seen, err := s.sights(v, from, ids)
		if err != nil {
			return err
		}
		ids := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return seen[id] < least })
		if len(ids) == 0 {
			return nil
		}
		users, err = v.Users(ids)
		return err
	})
	return users, err
}

// show leaves of profiles what asker is shown. That a guest is one is told to everyone.
func (s *Service) show(v View, asker string, profiles []*User) error {
	if len(profiles) == 0 {
		return nil
	}
	from, err := profileOf(v, asker)
	if err != nil {
		return err
	}
	ids := make([]string, len(profiles))
	for i, u := range profiles {
		ids[i] = u.ID
	}
	seen, err := s.policySights(v, from, ids)
	if err != nil {
		return err
	}
	for _, u := range profiles {
		if seen[u.ID] < named {
			*u = User{ID: u.ID, Name: u.ID, Guest: u.Guest}
		}
	}
	return nil
}

// apart reports whether not all members of a conversation are shown the same of this one: one of a
// direct conversation, who may have said nothing there, and who is only invited to a group. Those
// who have joined a group see each other.
func apart(kind ConversationKind, state MemberState) bool { return kind == Direct || state == Invited }

// showMembers leaves of the members of a conversation what user is shown.
func (s *Service) showMembers(v View, user string, kind ConversationKind, members []Member) error {
	return s.show(v, user, membersApart(nil, kind, members))
}

// membersApart adds to profiles those of members who are apart.
func membersApart(profiles []*User, kind ConversationKind, members []Member) []*User {
	for i := range members {
		if m := &members[i]; apart(kind, m.State) {
			profiles = append(profiles, &m.User)
		}
	}
	return profiles
}

// showItems leaves of the contacts and members among items, of the user's feed or of that of a
// conversation of a kind, what user is shown.
func (s *Service) showItems(v View, user string, kind ConversationKind, items []Item) error {
	var profiles []*User
	again := map[int]func() any{} // makes what an item holds, with what is left of the profile
	for i, item := range items {
		switch item.Type {
		case ItemContact:
			var c Contact
			if err := decodeItem(item, &c); err != nil {
				return err
			}
			profiles, again[i] = append(profiles, &c.User), func() any { return c }
		case ItemMember:
			var m Member
			if err := decodeItem(item, &m); err != nil {
				return err
			}
			if apart(kind, m.State) {
				profiles, again[i] = append(profiles, &m.User), func() any { return m }
			}
		}
	}
	if err := s.show(v, user, profiles); err != nil {
		return err
	}
	for i, what := range again {
		var err error
		if items[i], err = NewItem(items[i].Place, what()); err != nil {
			return err
		}
	}
	return nil
}

// bareItems makes those items bare of which not everyone is shown the same: members who are apart,
// and reactions, for they say which are whose.
func bareItems(kind ConversationKind, items []Item) error {
	for i, item := range items {
		if item.Type == ItemReactions {
			items[i] = bareItem(item.Pos)
		}
		if item.Type != ItemMember {
			continue
		}
		var m Member
		if err := decodeItem(item, &m); err != nil {
			return err
		}
		if apart(kind, m.State) {
			items[i] = bareItem(item.Pos)
		}
	}
	return nil
}

func decodeItem(item Item, into any) error {
	if err := json.Unmarshal(item.Data, into); err != nil {
		return fmt.Errorf("decode %s %s: %w", item.Type, item.User, err)
	}
	return nil
}

// showTo shows a user to another from now on, also when they are no contacts any more. Who has them
// as a contact learns how they are called.
func showTo(tx Tx, user, other string) error {
	if err := tx.PutShown(user, other); err != nil {
		return err
	}
	contact, err := knows(tx, other, user)
	if err != nil || !contact {
		return err
	}
	profile, err := profileOf(tx, user)
	if err != nil {
		return err
	}
	return putContact(tx, other, Contact{User: profile})
}

// profileOf returns what is known of a user. Who was never seen is called as the id.
func profileOf(v View, id string) (User, error) {
	u, found, err := v.User(id)
	if err == nil && !found {
		u = User{ID: id, Name: id}
	}
	return u, err
}
