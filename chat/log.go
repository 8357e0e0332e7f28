package chat

import (
	"context"

	"carillon/refusal"
)

// Epoch names the history to which offsets belong. A tab that names another one must
// start anew.
func (s *Service) Epoch() string { return s.store.Epoch() }

// Offset returns the offset of the newest event of user; 0 when there is none yet.
func (s *Service) Offset(ctx context.Context, user string) (int64, error) {
	var offset int64
	err := s.store.Read(ctx, func(v View) (err error) {
		offset, err = v.Offset(user)
		return err
	})
	return offset, err
}

// EventsAfter returns up to limit events in order, the first being offset+1. Complete is
// false when that one is no longer in the log, or when offset lies in a future that this
// database never had: then the tab must compare marks and page instead.
func (s *Service) EventsAfter(ctx context.Context, user string, offset int64, limit int) (events []Event, complete bool, err error) {
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		newest, err := v.Offset(user)
		if err != nil || offset < 0 || offset > newest {
			return err
		}
		if offset == newest {
			complete = true
			return nil
		}
		if events, err = v.Events(user, offset, limit); err != nil {
			return err
		}
		// Events leave the log oldest first, so nothing is missing within.
		complete = len(events) > 0 && events[0].Offset == offset+1
		if !complete {
			events = nil
		}
		return nil
	})
	return events, complete, err
}

// maxPending bounds the client ids of one hello.
const maxPending = 1000

// Accepted returns those of clientIDs that are messages of user already.
func (s *Service) Accepted(ctx context.Context, user string, clientIDs []string) ([]string, error) {
	if len(clientIDs) > maxPending {
		return nil, refusal.New(refusal.TooLarge, "At most %d pending client ids are compared.", maxPending)
	}
	accepted := []string{}
	if len(clientIDs) == 0 {
		return accepted, nil
	}
	err := s.store.Read(ctx, func(v View) error {
		for _, id := range clientIDs {
			m, sent, err := v.Sent(user, id)
			if err != nil {
				return err
			}
			if sent && s.covers(m.Conversation) {
				accepted = append(accepted, id)
			}
		}
		return nil
	})
	return accepted, err
}
