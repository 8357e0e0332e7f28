package chat

import (
	"context"
	"crypto/rand"
	"slices"

	"carillon/refusal"
)

// CreateParams is a conversation to be made.
type CreateParams struct {
	Kind    ConversationKind
	Members []string // besides the creator
	Name    string
	Vouched bool // the site's backend asks for it: the members of a group join without being asked
}

// Create makes a conversation of creator and others. A direct one that exists already is
// returned instead. Into a group only those are put who have the creator as a contact; the others
// are invited.
func (s *Service) Create(ctx context.Context, creator User, p CreateParams) (Conversation, error) {
	name, err := cleanName(p.Name, s.cfg.NameBytes)
	if err != nil {
		return Conversation{}, err
	}
	switch p.Kind {
	case Direct:
		if len(p.Members) != 1 || name != "" {
			return Conversation{}, refusal.New(refusal.BadRequest, "A direct conversation has one other member and no name.")
		}
		return s.DirectWith(ctx, creator, p.Members[0])
	case Group:
		p.Name = name
		return s.createGroup(ctx, creator, p)
	}
	return Conversation{}, refusal.New(refusal.BadRequest, "A conversation is of kind %q or %q.", Direct, Group)
}

func (s *Service) createGroup(ctx context.Context, creator User, p CreateParams) (Conversation, error) {
	if err := checkUser(creator.ID); err != nil {
		return Conversation{}, err
	}
	if s.only != nil {
		return Conversation{}, refusal.New(refusal.NotAllowed, "This token is for certain conversations, and makes no others.")
	}
	if creator.Guest && !s.cfg.Reach.GuestGroups {
		return Conversation{}, refusal.New(refusal.NotAllowed, "Guests may not make groups.")
	}
	if len(p.Members) >= s.cfg.Members {
		return Conversation{}, refusal.New(refusal.TooLarge, "A conversation has at most %d members.", s.cfg.Members)
	}
	others := make([]string, 0, len(p.Members))
	named := map[string]bool{creator.ID: true}
	for _, id := range p.Members {
		if err := checkUser(id); err != nil {
			return Conversation{}, err
		}
		if !named[id] {
			named[id] = true
			others = append(others, id)
		}
	}
	if len(others) == 0 {
		return Conversation{}, refusal.New(refusal.BadRequest, "A group needs members besides yourself.")
	}
	if err := s.affordGroup(ctx); err != nil {
		return Conversation{}, err
	}
	var made Conversation
	err := s.write(ctx, "", func(tx Tx) error {
		if err := tx.Lock(nil, append(slices.Clone(others), creator.ID)); err != nil {
			return err
		}
		if err := s.mayAdd(tx, creator, others); err != nil {
			return err
		}
		if err := mayInvite(tx, creator, others); err != nil {
			return err
		}
		invited, err := s.invited(tx, creator, others, p.Vouched)
		if err != nil {
			return err
		}
		h, _, err := s.open(tx, Head{Kind: Group, Name: p.Name}, creator, others, invited)
		if err != nil {
			return err
		}
		made, err = s.look(tx, creator.ID, h.ID)
		return err
	})
	if err != nil {
		return Conversation{}, err
	}
	return made, nil
}

// mayInvite refuses to put others into a group who do not let the user do so.
func mayInvite(v View, user User, others []string) error {
	may, err := admitted(v, others, user.ID, func(p Preferences) Audience { return p.Groups })
	if err != nil || len(may) == len(others) {
		return err
	}
	for _, id := range others {
		if !slices.Contains(may, id) {
			return refusal.New(refusal.NotAllowed, "%s does not let you add them to groups.", clip(id))
		}
	}
	return nil
}

// invited returns who of others has a say before they are put into a group of creator: all who do
// not have them as a contact.
func (s *Service) invited(v View, creator User, others []string, vouched bool) (map[string]bool, error) {
	if vouched {
		return nil, nil
	}
	contacts, err := v.AreContacts(others, creator.ID)
	if err != nil {
		return nil, err
	}
	invited := make(map[string]bool, len(others))
	for _, id := range others {
		invited[id] = true
	}
	for _, id := range contacts {
		delete(invited, id)
	}
	if len(invited) == 0 {
		return nil, nil
	}
	asked := slices.DeleteFunc(slices.Clone(others), func(id string) bool { return !invited[id] })
	open, err := v.Invitations(asked, creator.ID)
	if err != nil {
		return nil, err
	}
	for _, waiting := range open {
		if waiting.From >= s.cfg.InvitationsPerPair {
			s.invitations.perPair.Add()
			return nil, refusal.New(refusal.TooLarge, "%s has not answered your earlier invitations.", clip(waiting.User))
		}
		if waiting.All >= s.cfg.Invitations {
			s.invitations.all.Add()
			return nil, refusal.New(refusal.TooLarge, "%s has too many invitations already.", clip(waiting.User))
		}
	}
	return invited, nil
}

// DirectWith returns the direct conversation of user and other, made when absent.
func (s *Service) DirectWith(ctx context.Context, user User, other string) (Conversation, error) {
	if err := checkPair(user.ID, other); err != nil {
		return Conversation{}, err
	}
	var c Conversation
	found := false
	err := s.store.Read(ctx, func(v View) error {
		id, there, err := v.DirectBetween(user.ID, other)
		if err != nil || !there {
			return err
		}
		found = true
		c, err = s.look(v, user.ID, id)
		return err
	})
	if err != nil || found {
		return c, err
	}
	err = s.write(ctx, "", func(tx Tx) error {
		id, err := s.direct(tx, user, other)
		if err != nil {
			return err
		}
		c, err = s.look(tx, user.ID, id)
		return err
	})
	if err != nil {
		return Conversation{}, err
	}
	return c, nil
}

func checkPair(user, other string) error {
	if err := checkUser(user); err != nil {
		return err
	}
	if user == other {
		return refusal.New(refusal.BadRequest, "You cannot write to yourself.")
	}
	return checkUser(other)
}

// direct finds the direct conversation of two users, or makes it.
func (s *Service) direct(tx Tx, user User, other string) (conversation string, err error) {
	if err := checkPair(user.ID, other); err != nil {
		return "", err
	}
	id, found, err := tx.DirectBetween(user.ID, other)
	if err != nil || found {
		return id, err
	}
	if s.only != nil {
		return "", errNoConversation
	}
	if err := s.mayAdd(tx, user, []string{other}); err != nil {
		return "", err
	}
	pair := []string{min(user.ID, other), max(user.ID, other)}
	h, made, err := s.open(tx, Head{Kind: Direct, Pair: pair}, user, []string{other}, nil)
	if err != nil || made {
		return h.ID, err
	}
	id, found, err = tx.DirectBetween(user.ID, other) // both wrote first at the same time
	if err == nil && !found {
		err = errNoConversation
	}
	return id, err
}

// open stores a new conversation and tells its members, unless there is a direct one of the same
// pair. A user who has never signed in may be a member, and finds the messages later.
func (s *Service) open(tx Tx, h Head, creator User, others []string, invited map[string]bool) (_ Head, made bool, err error) {
	ids := append([]string{creator.ID}, others...)
	profiles, err := profilesOf(tx, ids)
	if err != nil {
		return h, false, err
	}
	// The settings are the first item of the feed, and each member is one.
	h.ID, h.CreatedAt = rand.Text(), s.nowMS()
	h.Own, h.Pos = Place{Pos: 1, Tag: NewTag()}, int64(1+len(ids))
	if made, err = tx.PutConversation(h); err != nil || !made {
		return h, false, err
	}
	places, err := tx.NextPlaces(ids)
	if err != nil {
		return h, false, err
	}
	rows := make([]Participation, len(ids))
	for i, id := range ids {
		rows[i] = Participation{
			Membership: Membership{Conversation: h.ID, State: Joined, Role: Ordinary},
			User:       id, InFeed: Place{Pos: int64(2 + i), Tag: NewTag()}, InOwn: places[i],
		}
		row := &rows[i]
		switch {
		case profiles[id].Guest || i == 0 && creator.Guest:
			row.Role = GuestRole
		case i == 0 && h.Kind == Group:
			row.Role = Owner
		}
		if invited[id] {
			row.State, row.InvitedBy = Invited, creator.ID
		}
	}
	if h, _, err = putMembers(tx, h.ID, rows, s.cfg.LargeGroup); err != nil {
		return h, false, err
	}
	if h.Kind == Direct {
		if err := showTo(tx, creator.ID, others[0]); err != nil {
			return h, false, err
		}
	}
	return h, true, tellOwn(tx, rows)
}

// tellOwn tells each user of their membership as it is now.
func tellOwn(tx Tx, rows []Participation) error {
	for _, row := range rows {
		item, err := NewItem(row.InOwn, row.Membership)
		if err != nil {
			return err
		}
		tx.Tell(Told{User: row.User, Item: item})
	}
	return nil
}
