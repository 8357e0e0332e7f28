package chat

import (
	"context"

	"carillon/refusal"
)

// MarkRead says that user was shown everything up to seq. Marks only grow.
func (s *Service) MarkRead(ctx context.Context, user, conversation string, seq int64) error {
	if seq < 0 {
		return refusal.New(refusal.BadRequest, "A seq is 0 or more.")
	}
	return s.write(ctx, func(tx Tx) error {
		members, err := s.access(tx, conversation, user)
		if err != nil {
			return err
		}
		h, _, err := tx.Head(conversation)
		if err != nil {
			return err
		}
		return s.mark(tx, user, members, Mark{conversation, min(seq, h.LastSeq)}, true)
	})
}

// MarkDelivered says that a device of user has stored all events up to offset, and with
// them their messages.
func (s *Service) MarkDelivered(ctx context.Context, user string, offset int64) error {
	if worth, err := s.worthMarking(ctx, user, offset); err != nil || !worth {
		return err
	}
	return s.write(ctx, func(tx Tx) error {
		acked, marks, err := received(tx, user, offset)
		if err != nil || acked >= offset {
			return err
		}
		sentAll := true // to the tab that acknowledges
		for _, m := range marks {
			if !s.covers(m.Conversation) {
				sentAll = false
				continue
			}
			members, err := Access(tx, m.Conversation, user)
			if refusal.Is(err, refusal.NotFound) {
				continue // no longer a member
			}
			if err != nil {
				return err
			}
			if err := s.mark(tx, user, members, m, false); err != nil {
				return err
			}
		}
		if !sentAll {
			return nil // another tab may get the rest
		}
		return tx.PutAck(user, offset)
	})
}

// ackSlack is how many events that change nobody's marks may be acknowledged without
// storing the acknowledgement. To read them again next time costs less than a sync to disk.
const ackSlack = 200

// worthMarking reports whether an acknowledgement of offset is to be stored.
func (s *Service) worthMarking(ctx context.Context, user string, offset int64) (worth bool, err error) {
	err = s.store.Read(ctx, func(v View) error {
		newest, err := v.Offset(user)
		if err != nil {
			return err
		}
		if offset < 0 || offset > newest {
			return refusal.New(refusal.BadRequest, "There is no event with this offset.")
		}
		acked, marks, err := received(v, user, offset)
		worth = offset > acked && (len(marks) > 0 || offset-acked > ackSlack)
		return err
	})
	return worth, err
}

// received returns up to where user's devices have acknowledged so far, and which messages
// an acknowledgement of offset marks as delivered.
func received(v View, user string, offset int64) (acked int64, marks []Mark, err error) {
	acked, err = v.Acked(user)
	if err != nil || acked >= offset {
		return acked, nil, err
	}
	marks, whole, err := v.Received(user, acked, offset)
	if err == nil && !whole {
		marks, err = v.ReceivedAll(user, offset)
	}
	return acked, marks, err
}

// mark moves user's marks forward. The other members are told of both marks, the user's own
// tabs only of what was read.
func (s *Service) mark(tx Tx, user string, members []string, to Mark, read bool) error {
	was, found, err := tx.Member(to.Conversation, user)
	if err != nil || !found {
		return err
	}
	r := Receipt{Conversation: to.Conversation, User: user, Delivered: max(was.Delivered, to.Seq), Read: was.Read}
	if read {
		r.Read = max(was.Read, to.Seq)
	}
	if r.Delivered == was.Delivered && r.Read == was.Read {
		return nil
	}
	if err := tx.PutMarks(r.Conversation, user, r.Delivered, r.Read); err != nil {
		return err
	}
	at := s.nowMS()
	for _, member := range members {
		mine := member == user
		if mine && !read || !mine && len(members) > s.cfg.ReceiptMembers {
			continue
		}
		m, _, err := tx.Member(r.Conversation, member)
		if err != nil {
			return err
		}
		if r.Unread, err = tx.Unread(r.Conversation, member, m.Read); err != nil {
			return err
		}
		if err := announce(tx, []string{member}, EventReceipt, at, r); err != nil {
			return err
		}
	}
	return nil
}
