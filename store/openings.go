package store

import (
	"context"
	"sync/atomic"
	"time"
)

// Each opening of the database is a row: its name, and until when it was open at least. A tab that
// comes back names the opening and the time of what it has. One that is not there, or that had
// ended before that time, belongs to a history which was lost, such as that from after a backup
// which was restored.
const (
	// stillOpenEvery is how often the row is moved on.
	stillOpenEvery = 10 * time.Second
	// openingSlack is how much later than its row says an opening may have ended.
	openingSlack = time.Minute
	// openingsKept is how long tabs can name an opening that has ended.
	openingsKept = 30 * 24 * time.Hour
	// clockSlack is how far the clock may have been set back between two openings. Changes are
	// looked for by the minute, and a minute earlier than a tab says.
	clockSlack = 30 * time.Second
)

// clock is the clock of a database that one process has open. It never goes back.
type clock struct {
	wall   func() time.Time
	latest atomic.Int64 // unix ms
}

// now is in unix ms.
func (c *clock) now() int64 {
	now := c.wall().UnixMilli()
	for {
		latest := c.latest.Load()
		if now <= latest {
			return latest
		}
		if c.latest.CompareAndSwap(latest, now) {
			return now
		}
	}
}

// putOpening notes an opening that begins. It forgets those that are too old to be named, and those
// that seem to end in the future because the clock was set back: the minutes of what changed then
// say nothing about what changes now.
func (tx *tx) putOpening(id string) error {
	if _, err := tx.exec("DELETE FROM openings WHERE until_at < ? OR until_at > ?",
		tx.now-openingsKept.Milliseconds(), tx.now+clockSlack.Milliseconds()); err != nil {
		return err
	}
	_, err := tx.exec("INSERT INTO openings (id, opened_at, until_at) VALUES (?, ?, ?)", id, tx.now, tx.now)
	return err
}

// stillOpen notes that this opening has not ended.
func (s *Store) stillOpen(ctx context.Context) error {
	return s.write(ctx, "", func(tx *tx) error {
		_, err := tx.exec("UPDATE openings SET until_at = ? WHERE id = ?", tx.now, s.opening)
		return err
	})
}

func (v *view) Known(opening string, at int64) (known bool, err error) {
	if at < v.now-openingsKept.Milliseconds() {
		return false, nil // what was removed since then may be forgotten
	}
	err = v.row("SELECT EXISTS (SELECT 1 FROM openings WHERE id = ? AND until_at >= ?)", opening, at-openingSlack.Milliseconds()).Scan(&known)
	return known, err
}
