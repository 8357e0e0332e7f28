package chat

import (
	"context"
	"slices"

	"carillon/limit"
	"carillon/refusal"
)

// SetMarks moves marks of user forward, by conversation: up to where a device has the messages,
// and up to where they were shown. It returns when the marks are stored, which is at most a
// quarter of a second later: those of many users are stored together. Conversations that the user
// has not joined are passed over, unless there is no other among them.
func (s *Service) SetMarks(ctx context.Context, user string, marks map[string]Marks) error {
	if len(marks) > maxAsked {
		return refusal.New(refusal.TooLarge, "At most %d conversations are marked at once.", maxAsked)
	}
	wanted := make(map[string]Marks, len(marks))
	for conversation, m := range marks {
		if m.Read < 0 || m.Delivered < 0 {
			return refusal.New(refusal.BadRequest, "A seq is 0 or more.")
		}
		if s.covers(conversation) {
			wanted[conversation] = m
		}
	}
	switch {
	case len(marks) == 0:
		return nil
	case len(wanted) == 0:
		return errNoConversation
	}
	payer := limit.PayerOf(ctx)
	if err := s.budgets.bytes.Take(payer, 0, s.now()); err != nil {
		return err
	}
	return s.marker.set(ctx, user, payer, wanted)
}

// countedMessages is for how many of the latest messages of a conversation of many it is counted
// who has got and read them.
const countedMessages = 50

// maxWatched is how many conversations a tab may have open.
const maxWatched = 20

// Marks returns the marks in those of the named conversations that user has joined: each member's,
// or where they are many, how many have got and read the latest messages. What does not fit into
// the answer is left out of it; the conversation is there all the same.
func (s *Service) Marks(ctx context.Context, user string, conversations []string) (list []ConversationMarks, err error) {
	if len(conversations) > maxWatched {
		return nil, refusal.New(refusal.TooLarge, "At most %d conversations are watched at once.", maxWatched)
	}
	err = s.store.Read(ctx, func(v View) error {
		list = []ConversationMarks{}
		seen, err := s.seenBy(v, user, conversations)
		if err != nil {
			return err
		}
		seen = slices.DeleteFunc(seen, func(h Seen) bool { return h.Mine.State != Joined })
		var few []string
		for _, h := range seen {
			if !s.CountsMarks(h.Head) {
				few = append(few, h.ID)
			}
		}
		var members map[string][]Member
		if len(few) > 0 {
			if members, err = v.FirstMembers(few, s.cfg.MarksMembers); err != nil {
				return err
			}
		}
		room := s.room()
		for _, h := range seen {
			marks := ConversationMarks{Conversation: h.ID}
			if s.CountsMarks(h.Head) {
				if marks.Counts, err = countMarks(v, h.Head); err != nil {
					return err
				}
			}
			for _, m := range members[h.ID] {
				marks.Members = append(marks.Members, MemberMarks{User: m.ID, Marks: m.Marks})
			}
			data, err := encode(marks)
			if err != nil {
				return err
			}
			if !room.fits(len(data)) {
				marks.Members, marks.Counts = nil, nil
			}
			list = append(list, marks)
		}
		return nil
	})
	return list, err
}

// CountsMarks reports whether a conversation has counts in place of each member's marks.
func (s *Service) CountsMarks(h Head) bool { return h.Large || h.Count > s.cfg.MarksMembers }

// MarkCounts returns how many members have got and read the latest messages of a conversation, for
// those who are to be told. It asks for no permission.
func (s *Service) MarkCounts(ctx context.Context, conversation string) (counts []MarkCount, err error) {
	err = s.store.Read(ctx, func(v View) error {
		h, found, err := v.Head(conversation)
		if err != nil || !found {
			return err
		}
		counts, err = countMarks(v, h)
		return err
	})
	return counts, err
}

func countMarks(v View, h Head) ([]MarkCount, error) {
	from := max(h.LastSeq-countedMessages, h.Floor.Seq, 0)
	marked, err := v.CountMarks(h.ID, from)
	if err != nil {
		return nil, err
	}
	counts := make([]MarkCount, h.LastSeq-from)
	for i := range counts {
		c := &counts[i]
		c.Seq = from + 1 + int64(i)
		for _, m := range marked {
			if m.Delivered >= c.Seq {
				c.Delivered += m.Members
			}
			if m.Read >= c.Seq {
				c.Read += m.Members
			}
		}
	}
	return counts, nil
}
