package store

import (
	"context"
	"time"
)

const (
	// sentKept is how long a message that is sent again becomes no other one.
	sentKept = 7 * 24 * time.Hour
	// callsKept is how long one can ask for a call that has ended. What is to be read of it later is a
	// message of its conversation.
	callsKept = 30 * 24 * time.Hour
	// cleanFirst and cleanEvery are when what is older is looked for.
	cleanFirst = 10 * time.Minute
	cleanEvery = 6 * time.Hour
	// cleanPage is how many rows are looked at in one read.
	cleanPage = 500
)

// stayOpen notes that the database is open, until ctx ends.
func (s *Store) stayOpen(ctx context.Context) {
	ticker := time.NewTicker(stillOpenEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.stillOpen(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("note that the database is open", "err", err)
			}
		}
	}
}

// janitor removes what is too old, now and then, until ctx ends. Nodes that share a database all do
// so; the later ones find little left.
func (s *Store) janitor(ctx context.Context) {
	timer := time.NewTimer(cleanFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			if err := s.clean(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("remove what is too old", "err", err)
			}
			timer.Reset(cleanEvery)
		}
	}
}

// clean removes what is too old.
func (s *Store) clean(ctx context.Context) error {
	calls := callsKept
	if kept := s.cfg.retention(); kept > 0 {
		if err := s.expire(ctx, kept); err != nil {
			return err
		}
		calls = min(calls, kept)
	}
	for _, t := range []aging{agingSent, agingCalls.kept(calls), agingContacts, agingObjects} {
		if err := s.age(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// aging is a table of which rows become too old. It is looked through by its key, which is two texts,
// because an index by time would cost every write a page.
type aging struct {
	lasts time.Duration // how long rows are kept
	// page selects the key, and since when the row is of no use (0: it is of use) of those after a key.
	page string
	// remove deletes rows of a list of keys, if they are of no use since before a time.
	remove string
}

var (
	agingSent = aging{
		sentKept,
		"SELECT sender, client_id, sent_at FROM sent WHERE (sender, client_id) > (?, ?) ORDER BY sender, client_id LIMIT ?",
		"DELETE FROM sent WHERE sent_at < ? AND (sender, client_id) IN ",
	}
	agingCalls = aging{
		callsKept,
		"SELECT id, '', updated_at * (1 - live) FROM calls WHERE id > ? AND ? = '' ORDER BY id LIMIT ?",
		"DELETE FROM calls WHERE live = 0 AND updated_at < ? AND (id, '') IN ",
	}
	// What was removed from a user's feed is kept for tabs that have to learn of it. Those who come
	// later begin anew, see Known.
	agingContacts = aging{
		openingsKept,
		"SELECT user_id, contact, gone FROM contacts WHERE (user_id, contact) > (?, ?) ORDER BY user_id, contact LIMIT ?",
		"DELETE FROM contacts WHERE gone > 0 AND gone < ? AND (user_id, contact) IN ",
	}
	agingObjects = aging{
		openingsKept,
		"SELECT user_id, object_name, removed_at FROM objects WHERE (user_id, object_name) > (?, ?) ORDER BY user_id, object_name LIMIT ?",
		"DELETE FROM objects WHERE removed_at > 0 AND removed_at < ? AND (user_id, object_name) IN ",
	}
)

func (a aging) kept(d time.Duration) aging { a.lasts = d; return a }

// age removes rows of a table that are too old.
func (s *Store) age(ctx context.Context, a aging) error {
	type key struct {
		a, b  string
		since int64
	}
	scan := func(row scanner) (k key, err error) {
		err = row.Scan(&k.a, &k.b, &k.since)
		return k, err
	}
	for last, more := (key{}), true; more; {
		var old [][2]string
		var before int64
		if err := s.read(ctx, func(v *view) error {
			before = v.now - a.lasts.Milliseconds()
			page, err := collect(v.conn, scan, a.page, last.a, last.b, cleanPage)
			for _, k := range page {
				if last = k; k.since > 0 && k.since < before {
					old = append(old, [2]string{k.a, k.b})
				}
			}
			more = len(page) == cleanPage
			return err
		}); err != nil {
			return err
		}
		if err := inSteps(ctx, s, old, func(tx *tx, part [][2]string) error {
			_, err := tx.exec(a.remove+"(SELECT value->>0, value->>1 FROM "+tx.sql.rows+")", before, list(part))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
