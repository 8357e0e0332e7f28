package chat

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/refusal"
)

// Create makes a conversation of creator and members and tells them all. A direct one
// that exists already is returned instead.
func (s *Service) Create(ctx context.Context, creator User, kind ConversationKind, members []string, name string) (Conversation, error) {
	name, err := cleanName(name, s.cfg.NameBytes)
	if err != nil {
		return Conversation{}, err
	}
	switch kind {
	case Direct:
		if len(members) != 1 || name != "" {
			return Conversation{}, refusal.New(refusal.BadRequest, "A direct conversation has one other member and no name.")
		}
		return s.DirectWith(ctx, creator, members[0])
	case Group:
		return s.createGroup(ctx, creator, members, name)
	}
	return Conversation{}, refusal.New(refusal.BadRequest, "A conversation is of kind %q or %q.", Direct, Group)
}

func (s *Service) createGroup(ctx context.Context, creator User, members []string, name string) (Conversation, error) {
	if err := checkUser(creator.ID); err != nil {
		return Conversation{}, err
	}
	if s.only != nil {
		return Conversation{}, refusal.New(refusal.NotAllowed, "This token is for certain conversations, and makes no others.")
	}
	if creator.Guest && !s.cfg.Reach.GuestGroups {
		return Conversation{}, refusal.New(refusal.NotAllowed, "Guests may not make groups.")
	}
	if len(members) >= s.cfg.Members {
		return Conversation{}, refusal.New(refusal.TooLarge, "A conversation has at most %d members.", s.cfg.Members)
	}
	ids := []string{creator.ID}
	for _, id := range members {
		if err := checkUser(id); err != nil {
			return Conversation{}, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) < 2 {
		return Conversation{}, refusal.New(refusal.BadRequest, "A group needs members besides yourself.")
	}
	if err := s.affordGroup(ctx); err != nil {
		return Conversation{}, err
	}
	var made Conversation
	err := s.write(ctx, func(tx Tx) error {
		for _, id := range ids[1:] {
			if err := s.mayAdd(tx, creator, id); err != nil {
				return err
			}
		}
		h, err := s.open(tx, Head{Kind: Group, Name: name}, creator, ids, s.nowMS())
		if err != nil {
			return err
		}
		made, err = s.view(tx, h, creator.ID)
		return err
	})
	if err != nil {
		return Conversation{}, err
	}
	return made, nil
}

// DirectWith returns the direct conversation of user and other, made when absent.
func (s *Service) DirectWith(ctx context.Context, user User, other string) (Conversation, error) {
	var c Conversation
	found := false
	err := s.store.Read(ctx, func(v View) error {
		id, there, err := v.DirectBetween(user.ID, other)
		if err != nil || !there {
			return err
		}
		found = true
		c, err = s.visible(v, id, user.ID)
		return err
	})
	if err != nil || found {
		return c, err
	}
	err = s.write(ctx, func(tx Tx) error {
		id, err := s.direct(tx, user, other, s.nowMS())
		if err != nil {
			return err
		}
		c, err = s.visible(tx, id, user.ID)
		return err
	})
	if err != nil {
		return Conversation{}, err
	}
	return c, nil
}

// direct finds the direct conversation of two users, or makes it.
func (s *Service) direct(tx Tx, user User, other string, at int64) (conversation string, err error) {
	if err := checkUser(user.ID); err != nil {
		return "", err
	}
	if err := checkUser(other); err != nil {
		return "", err
	}
	if user.ID == other {
		return "", refusal.New(refusal.BadRequest, "You cannot write to yourself.")
	}
	id, found, err := tx.DirectBetween(user.ID, other)
	if err != nil || found {
		return id, err
	}
	if s.only != nil {
		return "", errNoConversation
	}
	if err := s.mayAdd(tx, user, other); err != nil {
		return "", err
	}
	h, err := s.open(tx, Head{Kind: Direct}, user, []string{user.ID, other}, at)
	return h.ID, err
}

// open stores a new conversation and tells its members. A user who has never signed in may be
// a member, and finds the messages later.
func (s *Service) open(tx Tx, h Head, creator User, ids []string, at int64) (Head, error) {
	h.ID, h.CreatedAt, h.LastAt = rand.Text(), at, at
	members := make([]Member, len(ids))
	for i, id := range ids {
		u, found, err := tx.User(id)
		if err != nil {
			return h, err
		}
		if !found {
			u = User{ID: id}
		}
		if id == creator.ID {
			u.Guest = creator.Guest
		}
		members[i] = Member{User: u, Role: Ordinary}
		switch {
		case u.Guest:
			members[i].Role = GuestRole
		case h.Kind == Group && id == creator.ID:
			members[i].Role = Owner
		}
	}
	if err := tx.PutConversation(h, members); err != nil {
		return h, err
	}
	if h.Kind == Direct {
		if err := tx.PutShown(creator.ID, ids[1]); err != nil {
			return h, err
		}
		for _, id := range ids {
			c, err := s.view(tx, h, id)
			if err == nil {
				err = announce(tx, []string{id}, EventConversation, at, c)
			}
			if err != nil {
				return h, err
			}
		}
		return h, nil
	}
	c, err := s.view(tx, h, creator.ID) // new: it looks the same to everyone
	if err != nil {
		return h, err
	}
	return h, announce(tx, ids, EventConversation, at, c)
}

// Conversation returns one conversation as user sees it; refusal.NotFound unless a
// member. Calls use it as their membership check.
func (s *Service) Conversation(ctx context.Context, user, id string) (Conversation, error) {
	var c Conversation
	err := s.store.Read(ctx, func(v View) (err error) {
		c, err = s.visible(v, id, user)
		return err
	})
	return c, err
}

// List returns a page of user's conversations, the one with the latest message first,
// and the cursor of the next page, empty after the last.
func (s *Service) List(ctx context.Context, user, before string, limit int) ([]Conversation, string, error) {
	at, id, err := parseCursor(before)
	if err != nil {
		return nil, "", err
	}
	limit = s.PageSize(limit)
	list := []Conversation{}
	next := ""
	err = s.store.Read(ctx, func(v View) error {
		heads, err := s.heads(v, user, at, id, limit+1)
		if err != nil {
			return err
		}
		if len(heads) > limit {
			heads = heads[:limit]
			last := heads[limit-1]
			next = fmt.Sprintf("%d.%s", last.LastAt, last.ID)
		}
		for _, h := range heads {
			c, err := s.view(v, h, user)
			if err != nil {
				return err
			}
			list = append(list, c)
		}
		return nil
	})
	return list, next, err
}

// heads returns up to limit of the user's conversations that there are for whoever asks.
func (s *Service) heads(v View, user string, at int64, id string, limit int) ([]Head, error) {
	var heads []Head
	for {
		page, err := v.Heads(user, at, id, limit)
		if err != nil {
			return nil, err
		}
		for _, h := range page {
			at, id = h.LastAt, h.ID
			if s.covers(h.ID) && len(heads) < limit {
				heads = append(heads, h)
			}
		}
		if len(page) < limit || len(heads) == limit {
			return heads, nil
		}
	}
}

const endOfTime = 1<<63 - 1

func parseCursor(s string) (at int64, id string, err error) {
	if s == "" {
		return endOfTime, "", nil
	}
	ms, id, _ := strings.Cut(s, ".")
	at, err = strconv.ParseInt(ms, 10, 64)
	if err != nil || !printable(id) || len(id) > 64 {
		return 0, "", refusal.New(refusal.BadRequest, "The cursor is not one that this server gave.")
	}
	return at, id, nil
}

// PageSize returns how many items an answer may hold when a client asks for limit.
func (s *Service) PageSize(limit int) int {
	if limit <= 0 || limit > s.cfg.PageSize {
		return s.cfg.PageSize
	}
	return limit
}

// visible returns a conversation as user sees it, if they are a member.
func (s *Service) visible(v View, id, user string) (Conversation, error) {
	if _, err := s.access(v, id, user); err != nil {
		return Conversation{}, err
	}
	h, _, err := v.Head(id)
	if err != nil {
		return Conversation{}, err
	}
	return s.view(v, h, user)
}

// view fills in what user sees of a conversation.
func (s *Service) view(v View, h Head, user string) (Conversation, error) {
	c := Conversation{ID: h.ID, Kind: h.Kind, Name: h.Name, LastSeq: h.LastSeq, CreatedAt: h.CreatedAt}
	var err error
	if c.Members, err = v.Members(h.ID); err != nil {
		return c, err
	}
	if h.Kind == Direct { // members of a group see each other
		if err := s.showMembers(v, c.Members, user); err != nil {
			return c, err
		}
	}
	if h.LastSeq == 0 {
		return c, nil
	}
	last, found, err := v.Message(h.ID, h.LastSeq)
	if err != nil {
		return c, err
	}
	if found {
		c.Last = &last
	}
	for _, m := range c.Members {
		if m.ID == user {
			c.Unread, err = v.Unread(h.ID, user, m.Read)
		}
	}
	return c, err
}
