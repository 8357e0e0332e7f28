package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/refusal"
)

// Conversation returns one conversation as user sees it, who has joined it or is invited.
func (s *Service) Conversation(ctx context.Context, user, id string) (Conversation, error) {
	var c Conversation
	err := s.store.Read(ctx, func(v View) (err error) {
		c, err = s.look(v, user, id)
		return err
	})
	return c, err
}

// maxAsked is how many conversations may be named in one request.
const maxAsked = 100

// Conversations returns those of the named ones that user has joined or is invited to. More says
// that they did not fit into one answer: the rest is to be asked for again.
func (s *Service) Conversations(ctx context.Context, user string, ids []string) (list []Conversation, more bool, err error) {
	if len(ids) > maxAsked {
		return nil, false, refusal.New(refusal.TooLarge, "At most %d conversations are answered at once.", maxAsked)
	}
	err = s.store.Read(ctx, func(v View) error {
		seen, err := s.seenBy(v, user, ids)
		if err != nil {
			return err
		}
		list, err = s.views(v, user, seen)
		more = len(list) < len(seen)
		return err
	})
	return list, more, err
}

// seenBy returns those of the named conversations that there are for user, in the order in which
// they are named.
func (s *Service) seenBy(v View, user string, ids []string) ([]Seen, error) {
	ids = s.covered(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	seen, err := v.SeenBy(user, ids)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	slices.SortFunc(seen, func(a, b Seen) int { return cmp.Compare(place[a.ID], place[b.ID]) })
	return seen, nil
}

// List returns a page of user's conversations, those with the latest change first, to the
// minute, and the cursor of the next page, empty after the last.
func (s *Service) List(ctx context.Context, user, before string, limit int) (list []Conversation, next string, err error) {
	minute, id, err := parseCursor(before)
	if err != nil {
		return nil, "", err
	}
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		heads, err := s.heads(v, user, minute, id, limit+1)
		if err != nil {
			return err
		}
		list, err = s.views(v, user, heads[:min(limit, len(heads))])
		next = ""
		if n := len(list); n > 0 && n < len(heads) {
			next = fmt.Sprintf("%d.%s", heads[n-1].Minute, heads[n-1].ID)
		}
		return err
	})
	return list, next, err
}

// heads returns up to limit of the user's conversations that there are for whoever asks.
func (s *Service) heads(v View, user string, minute int64, id string, limit int) ([]Seen, error) {
	if s.only == nil {
		return v.Heads(user, minute, id, limit)
	}
	seen, err := v.SeenBy(user, s.only)
	if err != nil {
		return nil, err
	}
	latest := func(a, b Seen) int { return cmp.Or(cmp.Compare(b.Minute, a.Minute), cmp.Compare(b.ID, a.ID)) }
	seen = slices.DeleteFunc(seen, func(h Seen) bool { return latest(h, Seen{Head: Head{Minute: minute, ID: id}}) <= 0 })
	slices.SortFunc(seen, latest)
	return seen[:min(limit, len(seen))], nil
}

// ChangedConversations returns a page of those that have changed since a time by the database's
// clock, less a minute, by id; the cursor of the next page is empty after the last.
func (s *Service) ChangedConversations(ctx context.Context, user string, since int64, after string) (list []Conversation, next string, err error) {
	minute := since/60_000 - 1
	limit := s.PageSize(0)
	err = s.store.Read(ctx, func(v View) error {
		heads, err := s.changedHeads(v, user, minute, after, limit+1)
		if err != nil {
			return err
		}
		list, err = s.views(v, user, heads[:min(limit, len(heads))])
		next = ""
		if n := len(list); n > 0 && n < len(heads) {
			next = heads[n-1].ID
		}
		return err
	})
	return list, next, err
}

func (s *Service) changedHeads(v View, user string, minute int64, after string, limit int) ([]Seen, error) {
	if s.only == nil {
		return v.ChangedHeads(user, minute, after, limit)
	}
	seen, err := v.SeenBy(user, s.only)
	if err != nil {
		return nil, err
	}
	seen = slices.DeleteFunc(seen, func(h Seen) bool { return h.Minute < minute || h.ID <= after })
	slices.SortFunc(seen, func(a, b Seen) int { return cmp.Compare(a.ID, b.ID) })
	return seen[:min(limit, len(seen))], nil
}

const endOfTime = 1<<63 - 1

func parseCursor(s string) (minute int64, id string, err error) {
	if s == "" {
		return endOfTime, "", nil
	}
	digits, id, _ := strings.Cut(s, ".")
	minute, err = strconv.ParseInt(digits, 10, 64)
	if err != nil || !printable(id) || len(id) > 64 {
		return 0, "", refusal.New(refusal.BadRequest, "The cursor is not one that this server gave.")
	}
	return minute, id, nil
}
