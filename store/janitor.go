package store

import (
	"context"
	"time"
)

const (
	trimEvery = 10 * time.Minute
	trimUsers = 100 // per transaction, so that nobody waits long behind it
)

// janitor removes events that are older than LogHours until the store is closed. Announce
// removes what is beyond LogEvents.
func (s *Store) janitor() {
	ticker := time.NewTicker(trimEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-ticker.C:
			// Close ends this too: the next write is refused.
			if err := s.trim(context.Background()); err != nil {
				s.log.Warn("remove old events", "err", err)
			}
		}
	}
}

// trim removes what is older than LogHours, user by user. It removes the oldest first, so
// that no hole remains even if the clock has jumped.
func (s *Store) trim(ctx context.Context) error {
	cutoff := s.now().Add(-time.Duration(s.cfg.LogHours) * time.Hour).UnixMilli()
	for last, more := "", true; more; {
		err := s.write(ctx, func(tx *tx) error {
			users, err := collect(tx.conn, scanString, usersWithEvents, last, trimUsers)
			if err != nil {
				return err
			}
			for _, user := range users {
				if err := tx.trimUser(user, cutoff); err != nil {
					return err
				}
				last = user
			}
			more = len(users) == trimUsers
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// usersWithEvents goes through the index from user to user, without reading their events.
const usersWithEvents = `WITH RECURSIVE u(user) AS (
	SELECT min(user) FROM events WHERE user > ?
	UNION ALL SELECT (SELECT min(user) FROM events WHERE user > u.user) FROM u WHERE u.user IS NOT NULL
) SELECT user FROM u WHERE user IS NOT NULL LIMIT ?`

// trimUser keeps the newest event however old it is.
func (tx *tx) trimUser(user string, cutoff int64) error {
	var oldest int64
	there, err := found(tx.row("SELECT at FROM events WHERE user = ? ORDER BY offset LIMIT 1", user).Scan(&oldest))
	if err != nil || !there || oldest >= cutoff {
		return err
	}
	_, err = tx.exec(`DELETE FROM events WHERE user = ?1 AND offset <
		coalesce((SELECT min(offset) FROM events WHERE user = ?1 AND at >= ?2), (SELECT max(offset) FROM events WHERE user = ?1))`, user, cutoff)
	return err
}
