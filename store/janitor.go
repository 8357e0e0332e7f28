package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// sentKept is how long a message that is sent again becomes no other one.
	sentKept = 7 * 24 * time.Hour
	// callsKept is how long one can ask for a call that has ended. What is to be read of it later is a
	// message of its conversation.
	callsKept = 30 * 24 * time.Hour
	// previewsKept is how long what was found behind a link may be used again.
	previewsKept = 24 * time.Hour
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
	for _, t := range []aging{agingSent, agingCalls.kept(calls), agingContacts, agingOwnItems, agingPreviews, agingPictures} {
		if err := s.age(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// aging is a table of which rows become too old. It is looked through by its key, which is texts,
// because an index by time would cost every write a page.
type aging struct {
	lasts time.Duration // how long rows are kept
	table string
	key   []string // columns
	since string   // since when a row is of no use, unix ms; 0: it is of use
}

var (
	agingSent  = aging{sentKept, "sent", []string{"sender", "client_id"}, "sent_at"}
	agingCalls = aging{callsKept, "calls", []string{"id"}, "updated_at * (1 - live)"}
	// What was removed from a user's feed is kept for tabs that have to learn of it. Those who come
	// later begin anew, see Known.
	agingContacts = aging{openingsKept, "contacts", []string{"user_id", "contact"}, "gone"}
	agingPreviews = aging{previewsKept, "previews", []string{"link"}, "made_at"}
	// A preview that is remembered may come under another message until it is forgotten.
	agingPictures = aging{
		2 * previewsKept, "preview_pictures", []string{"id"},
		"CASE WHEN EXISTS (SELECT 1 FROM messages m WHERE m.preview_picture = preview_pictures.id) THEN 0 ELSE preview_pictures.made_at END",
	}
	agingOwnItems = aging{openingsKept, "own_items", []string{"user_id", "item_type", "item_name"}, "removed_at"}
)

func (a aging) kept(d time.Duration) aging { a.lasts = d; return a }

// page selects keys, and since when their rows are of no use, of those after a key.
func (a aging) page() string {
	key := strings.Join(a.key, ", ")
	return "SELECT " + a.since + ", " + key + " FROM " + a.table + " WHERE (" + key + ") > (?" + strings.Repeat(", ?", len(a.key)-1) + ") ORDER BY " + key + " LIMIT ?"
}

// remove deletes rows of a list of keys, if they are of no use since before a time.
func (a aging) remove(rows string) string {
	columns := make([]string, len(a.key))
	for i := range columns {
		columns[i] = fmt.Sprintf("value->>%d", i)
	}
	return "DELETE FROM " + a.table + " WHERE " + a.since + " > 0 AND " + a.since + " < ? AND (" + strings.Join(a.key, ", ") +
		") IN (SELECT " + strings.Join(columns, ", ") + " FROM " + rows + ")"
}

// age removes rows of a table that are too old.
func (s *Store) age(ctx context.Context, a aging) error {
	type aged struct {
		key   []string
		since int64
	}
	scan := func(row scanner) (r aged, err error) {
		r.key = make([]string, len(a.key))
		dest := []any{&r.since}
		for i := range r.key {
			dest = append(dest, &r.key[i])
		}
		err = row.Scan(dest...)
		return r, err
	}
	for last, more := make([]string, len(a.key)), true; more; {
		var old [][]string
		var before int64
		if err := s.read(ctx, func(v *view) error {
			before = v.now - a.lasts.Milliseconds()
			args := make([]any, 0, len(last)+1)
			for _, k := range last {
				args = append(args, k)
			}
			page, err := collect(v.conn, scan, a.page(), append(args, cleanPage)...)
			for _, r := range page {
				if last = r.key; r.since > 0 && r.since < before {
					old = append(old, r.key)
				}
			}
			more = len(page) == cleanPage
			return err
		}); err != nil {
			return err
		}
		if err := inSteps(ctx, s, old, func(tx *tx, part [][]string) error {
			_, err := tx.exec(a.remove(tx.sql.rows), before, list(part))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
