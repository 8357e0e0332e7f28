package store

import (
	"context"
	"fmt"
	"time"

	"carillon/chat"
)

// stepBytes is how much text a step of retention removes at most, beside one message: large messages
// lie on pages of their own, each of which is to be freed.
const stepBytes = 128 << 10

// retention is how long messages are kept; 0: for ever.
func (c Config) retention() time.Duration { return time.Duration(c.RetentionDays) * 24 * time.Hour }

// expire removes the messages that are older than kept, from the beginning of each conversation on.
// Where a conversation begins now is its floor: a tab that comes back with less than what was removed
// starts that feed afresh. The others keep what they show until they get the conversation's head the
// next time. It is no change of the feed, for it would put every quiet conversation on top of the
// lists of its members.
func (s *Store) expire(ctx context.Context, kept time.Duration) error {
	for last, more := "", true; more; {
		var old []string
		if err := s.read(ctx, func(v *view) error {
			before := v.now - kept.Milliseconds()
			page, err := collect(v.conn, scanOldest, `SELECT c.id, coalesce((SELECT m.sent_at FROM messages m WHERE m.conversation = c.id ORDER BY m.seq LIMIT 1), 0)
				FROM conversations c WHERE c.id > ? ORDER BY c.id LIMIT ?`, last, cleanPage)
			for _, c := range page {
				if last = c.id; c.sentAt > 0 && c.sentAt < before {
					old = append(old, c.id)
				}
			}
			more = len(page) == cleanPage
			return err
		}); err != nil {
			return fmt.Errorf("look for old messages: %w", err)
		}
		for _, id := range old {
			for n := 1; n > 0; {
				var err error
				n, err = s.step(ctx, id, func(tx *tx, most int) (int, error) { return tx.expire(id, kept, most) })
				if err != nil {
					return fmt.Errorf("remove old messages: %w", err)
				}
			}
		}
	}
	return nil
}

type oldest struct {
	id     string
	sentAt int64
}

func scanOldest(row scanner) (o oldest, err error) {
	err = row.Scan(&o.id, &o.sentAt)
	return o, err
}

// expiring is what decides how much of a conversation is removed.
type expiring struct{ seq, pos, n, sentAt, bytes int64 }

// expire removes up to most of the first messages of a conversation, if they are old enough, raises
// the floor, and returns how many they were.
func (tx *tx) expire(conversation string, kept time.Duration, most int) (int, error) {
	if err := tx.Lock([]string{conversation}, nil); err != nil {
		return 0, err
	}
	scan := func(row scanner) (e expiring, err error) {
		err = row.Scan(&e.seq, &e.pos, &e.n, &e.sentAt, &e.bytes)
		return e, err
	}
	first, err := collect(tx.conn, scan, `SELECT m.seq, m.pos, m.n, m.sent_at, octet_length(m.content) + coalesce(octet_length(m.data), 0)
		FROM messages m WHERE m.conversation = ? ORDER BY m.seq LIMIT ?`, conversation, most)
	if err != nil {
		return 0, err
	}
	removed := first[:tooOld(first, tx.now-kept.Milliseconds())]
	if len(removed) == 0 {
		return 0, nil
	}
	last := removed[len(removed)-1]
	h, there, err := tx.Head(conversation)
	if err != nil || !there {
		return 0, err
	}
	h.Floor.Seq, h.Floor.N = last.seq, last.n
	for _, m := range removed {
		h.Floor.Pos = max(h.Floor.Pos, m.pos)
	}
	// Who wrote without having read has less of their own beyond their mark then, and calls that are gone
	// are missed by nobody.
	if _, err := tx.exec(`UPDATE members SET own_ahead = own_ahead - (SELECT count(*) FROM messages m WHERE m.conversation = members.conversation
				AND m.seq > members.read_seq AND m.seq <= ? AND m.sender = members.user_id AND m.counts = 1)
			WHERE conversation = ? AND own_ahead > 0 AND read_seq < ? AND user_id IN (SELECT m.sender FROM messages m WHERE m.conversation = ? AND m.seq <= ?)`,
		last.seq, conversation, last.seq, conversation, last.seq); err != nil {
		return 0, err
	}
	if _, err := tx.exec("UPDATE members SET missed = 0 WHERE conversation = ? AND missed > 0 AND missed_seq <= ?", conversation, last.seq); err != nil {
		return 0, err
	}
	if err := tx.RemoveFileUses(conversation, 0, last.seq); err != nil {
		return 0, err
	}
	if _, err := tx.exec("DELETE FROM messages WHERE conversation = ? AND seq <= ?", conversation, last.seq); err != nil {
		return 0, err
	}
	if err := tx.expireReactions(conversation, last.seq, &h); err != nil {
		return 0, err
	}
	if _, err := tx.exec("UPDATE conversations SET floor_seq = ?, floor_pos = ?, floor_n = ? WHERE id = ?",
		h.Floor.Seq, h.Floor.Pos, h.Floor.N, conversation); err != nil {
		return 0, err
	}
	tx.held.forget() // it knows members as they were, too
	return len(removed), nil
}

// tooOld returns how many of the first messages are removed in one step.
func tooOld(first []expiring, before int64) int {
	var bytes int64
	for i, m := range first {
		if bytes += m.bytes; m.sentAt >= before || i > 0 && bytes > stepBytes {
			return i
		}
	}
	return len(first)
}

// expireReactions removes those to the first messages of a conversation, and raises the floor.
func (tx *tx) expireReactions(conversation string, upTo int64, h *chat.Head) error {
	var newest int64
	if err := tx.row("SELECT coalesce(max(pos), 0) FROM reacted WHERE conversation = ? AND seq <= ?", conversation, upTo).Scan(&newest); err != nil {
		return err
	}
	if newest == 0 {
		return nil
	}
	h.Floor.Pos = max(h.Floor.Pos, newest)
	for _, table := range []string{"reacted", "reactions"} {
		if _, err := tx.exec("DELETE FROM "+table+" WHERE conversation = ? AND seq <= ?", conversation, upTo); err != nil {
			return err
		}
	}
	return nil
}
