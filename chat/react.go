package chat

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"carillon/refusal"
)

// React lets user react to a message with an emoji, or no longer, and tells every member. It
// returns the reactions to the message as they are then. Doing so twice changes nothing.
func (s *Service) React(ctx context.Context, user, conversation string, seq int64, emoji string, on bool) (r Reactions, at Place, err error) {
	if err := checkEmoji(emoji); err != nil {
		return r, at, err
	}
	err = s.write(ctx, conversation, func(tx Tx) error {
		if _, err := s.visible(tx, conversation, user, seq); err != nil {
			return err
		}
		mine, err := tx.ReactionsOf(user, conversation, []int64{seq})
		if err != nil {
			return err
		}
		if r, err = tx.Reactions(conversation, seq); err != nil || slices.Contains(mine[seq], emoji) == on {
			r.Mine, at = mine[seq], Place{}
			return err
		}
		if on {
			if err := s.affordReaction(r, mine[seq], emoji); err != nil {
				return err
			}
		}
		r = r.with(emoji, on)
		h, place, err := tx.NextPlace(conversation, 1)
		if err != nil {
			return err
		}
		at = place
		if err := tx.PutReaction(conversation, seq, user, emoji, on); err != nil {
			return err
		}
		if err := tx.PutReactions(conversation, r, at); err != nil {
			return err
		}
		r.User, r.Emoji, r.Off = user, emoji, !on
		item, err := NewItem(at, r)
		if err != nil {
			return err
		}
		tx.Tell(Told{Conversation: conversation, Version: h.Version, Large: h.Large, Item: item})
		return nil
	})
	return r, at, err
}

// visible locks a conversation and returns a message of it that user sees.
func (s *Service) visible(tx Tx, conversation, user string, seq int64) (Message, error) {
	if !s.covers(conversation) {
		return Message{}, errNoConversation
	}
	if err := tx.Lock([]string{conversation}, nil); err != nil {
		return Message{}, err
	}
	p, err := Access(tx, conversation, user)
	if err != nil {
		return Message{}, err
	}
	return visibleTo(tx, p, seq)
}

var errNoMessage = refusal.New(refusal.NotFound, "There is no such message, or none that you may see.")

// affordReaction refuses one more emoji than a message, or one user of it, may have.
func (s *Service) affordReaction(r Reactions, mine []string, emoji string) error {
	if len(mine) >= s.cfg.UserReactions {
		return refusal.New(refusal.TooLarge, "One reacts to a message with at most %d emoji.", s.cfg.UserReactions)
	}
	if r.Counts[emoji] == 0 && len(r.Counts) >= s.cfg.Reactions {
		return refusal.New(refusal.TooLarge, "A message has reactions of at most %d kinds.", s.cfg.Reactions)
	}
	return nil
}

// with returns the reactions with one more of an emoji, or one less.
func (r Reactions) with(emoji string, on bool) Reactions {
	counts := make(map[string]int, len(r.Counts)+1)
	for e, n := range r.Counts {
		counts[e] = n
	}
	if on {
		counts[emoji]++
	} else if counts[emoji]--; counts[emoji] <= 0 {
		delete(counts, emoji)
	}
	return Reactions{Seq: r.Seq, Counts: counts}
}

const maxEmoji = 64 // bytes; the flag of Scotland, the longest in common use, has 28

// checkEmoji accepts one emoji, as Unicode's segmentation sees it (UAX #29): a symbol, a flag or a
// keycap, with what modifies it.
func checkEmoji(s string) error {
	symbol := func(r rune) bool {
		return unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) || r == '\u20e3' || r == '\u2122' || r == '\u203c' || r == '\u2049' || 0x2190 <= r && r <= 0x21ff || r == '\u3030'
	}
	plain := func(r rune) bool { return unicode.IsControl(r) || unicode.IsLetter(r) || unicode.IsSpace(r) }
	if len(s) > maxEmoji || !utf8.ValidString(s) || uniseg.GraphemeClusterCount(s) != 1 || strings.IndexFunc(s, symbol) < 0 || strings.IndexFunc(s, plain) >= 0 {
		return refusal.New(refusal.BadRequest, "A reaction is one emoji.")
	}
	return nil
}

// ReactedPage has users who reacted to a message with an emoji. Next is empty after the last page.
type ReactedPage struct {
	Users []User
	Next  string
}

// WhoReacted returns a page of those who reacted to a message with an emoji, by id, those after one.
func (s *Service) WhoReacted(ctx context.Context, user, conversation string, seq int64, emoji, after string, limit int) (page ReactedPage, err error) {
	if err := checkCursor(after); err != nil {
		return page, err
	}
	if err := checkEmoji(emoji); err != nil {
		return page, err
	}
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		p, err := s.access(v, conversation, user)
		if err != nil {
			return err
		}
		if seq < p.FromSeq {
			return errNoMessage
		}
		ids, err := v.WhoReacted(conversation, seq, emoji, after, limit+1)
		if err != nil {
			return err
		}
		page.Users, page.Next, err = s.userPage(v, user, ids, limit)
		return err
	})
	return page, err
}

// reactionsTo returns the reactions to those of messages that have any, with which are user's.
func reactionsTo(v View, user, conversation string, messages []Item) ([]Item, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	seqs := make([]int64, len(messages))
	for i, m := range messages {
		seqs[i] = m.Seq
	}
	items, err := v.ReactionItems(conversation, seqs)
	if err != nil {
		return nil, err
	}
	return items, addMine(v, user, conversation, items)
}

// addMine says in the items of reactions which are user's.
func addMine(v View, user, conversation string, items []Item) error {
	var seqs []int64
	for _, item := range items {
		if item.Type == ItemReactions {
			seqs = append(seqs, item.Seq)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	mine, err := v.ReactionsOf(user, conversation, seqs)
	if err != nil {
		return err
	}
	for i, item := range items {
		if item.Type != ItemReactions || len(mine[item.Seq]) == 0 {
			continue
		}
		var r Reactions
		if err := decodeItem(item, &r); err != nil {
			return err
		}
		r.Mine = mine[item.Seq]
		if items[i], err = NewItem(item.Place, r); err != nil {
			return err
		}
	}
	return nil
}
