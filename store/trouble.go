package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"carillon/refusal"
)

// Trouble is why the database does not do its work, in a word. The empty one: it does.
type Trouble string

const (
	Away   Trouble = "away"   // it cannot be reached, or takes too long to answer
	Full   Trouble = "full"   // there is no room; what was stored can be read
	Failed Trouble = "failed" // anything else, such as a disk that is broken or read-only
)

// troubleEvery is how often trouble that goes on is logged.
const troubleEvery = time.Minute

// troubles knows whether the database does its work, and logs it when it does not: at once, then
// once a minute with the number of failures, and when it works again. So a full disk does not fill
// itself with lines about it.
type troubles struct {
	// Fixed at construction.
	log *slog.Logger
	now func() time.Time

	some atomic.Bool // a failure came after the latest success

	mu       sync.Mutex
	trouble  Trouble // of the latest failure; empty: a success came after it
	unlogged int     // failures since the last line
	logged   time.Time
	told     bool // a line about this trouble was logged
}

// failed counts what could not be done because of err.
func (t *troubles) failed(err error, count int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trouble = troubleOf(err)
	t.some.Store(true)
	t.unlogged += count
	if now := t.now(); t.logged.IsZero() || now.Sub(t.logged) >= troubleEvery {
		t.log.Error("the database does not do its work", "trouble", t.trouble, "failures", t.unlogged, "err", err)
		t.logged, t.unlogged, t.told = now, 0, true
	}
}

// worked notes that something was written.
func (t *troubles) worked() {
	if !t.some.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trouble = ""
	t.some.Store(false)
	if t.told {
		t.log.Info("the database does its work again", "failures", t.unlogged)
		t.unlogged, t.told = 0, false
	}
}

func (t *troubles) current() Trouble {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trouble
}

func troubleOf(err error) Trouble {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		if e.Code()&0xff == sqlite3.SQLITE_FULL {
			return Full
		}
		return Failed
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok: // of the connection
		return Away
	case e.Code == "53100": // disk_full
		return Full
	case e.Code[:2] == "08", e.Code[:2] == "57", e.Code == "53300": // connection, shut down or cancelled, too many connections
		return Away
	}
	return Failed
}

// Trouble asks the database whether it does its work. It reads; if the latest write failed it also
// writes, so that it is known at once when there is room again. ctx bounds how long it may take.
func (s *Store) Trouble(ctx context.Context) Trouble {
	err := s.read(ctx, func(v *view) error { return v.row("SELECT 1").Scan(new(int)) })
	if err == nil && s.troubles.some.Load() && s.checking.TryLock() { // one at a time: anyone may ask
		defer s.checking.Unlock()
		err = s.stillOpen(ctx)
	}
	switch trouble := s.troubles.current(); {
	case err == nil, trouble != "":
		return trouble
	case refusal.Is(err, refusal.Busy), ctx.Err() != nil:
		return Away
	}
	return Failed
}
