package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"carillon/chat"
)

// sqliteEngine is a database in one file of the data folder.
//
// All writes go through one goroutine, which puts many of them into one commit, because
// what costs is the sync to disk and not the write:
//
//	write ─┐
//	write ─┼─► queue ─► BEGIN · parts · COMMIT (one fsync) ─► deliver ─► answer each
//	write ─┘   (bounded: full means busy)
//
// A part is one write behind a savepoint, or all messages that follow each other, which need none.
// What write returned nil for survives the loss of power: the log is synced before.
// Reads run side by side on connections of their own and see everything that was committed
// before they began.
type sqliteEngine struct {
	// Fixed at construction.
	log      *slog.Logger
	troubles *troubles
	metrics  *metrics
	deliver  func([]chat.Told)
	clock    *clock
	readers  chan *sqliteConn // connections for reading that nobody uses now
	done     chan struct{}    // closed by close; nobody begins to read
	wg       sync.WaitGroup

	// Owned by writeLoop.
	writer *sqliteConn
	held   held

	mu     sync.RWMutex
	closed bool        // under mu
	queue  chan *write // sent to under mu.RLock, closed under mu
}

func openSQLite(ctx context.Context, cfg Config, log *slog.Logger, t *troubles, m *metrics, deliver func([]chat.Told), c *clock) (*sqliteEngine, error) {
	e := &sqliteEngine{
		log: log, troubles: t, metrics: m, deliver: deliver, clock: c,
		readers: make(chan *sqliteConn, cfg.Readers), done: make(chan struct{}), queue: make(chan *write, cfg.Queue),
	}
	if err := e.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, e.release())
	}
	e.wg.Go(e.writeLoop)
	return e, nil
}

func (e *sqliteEngine) open(ctx context.Context, cfg Config) error {
	file := filepath.Join(cfg.Folder, databaseFile)
	if err := makeDatabase(file); err != nil {
		return err
	}
	if err := migrateSQLite(ctx, sqliteDSN(file), file); err != nil {
		return err
	}
	writer, err := newSQLiteConn(sqliteDSN(file))
	if err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	e.writer = writer
	for range cfg.Readers {
		c, err := newSQLiteConn(sqliteDSN(file))
		if err != nil {
			return fmt.Errorf("open database %s for reading: %w", file, err)
		}
		e.readers <- c
		if _, err := c.exec("PRAGMA query_only = 1"); err != nil {
			return fmt.Errorf("open database %s for reading: %w", file, err)
		}
	}
	return nil
}

func (e *sqliteEngine) close() error {
	e.mu.Lock()
	e.closed = true
	close(e.queue)
	close(e.done)
	e.mu.Unlock()
	e.wg.Wait()
	for range cap(e.readers) { // waits for those who still read
		c := <-e.readers
		if err := c.close(); err != nil {
			e.log.Warn("close a reading connection", "err", err)
		}
	}
	return e.release()
}

func (e *sqliteEngine) release() error {
	if e.writer == nil {
		return nil
	}
	return e.writer.close()
}

func (e *sqliteEngine) read(ctx context.Context, f func(*view) error) (err error) {
	var c *sqliteConn
	select {
	case c = <-e.readers:
	case <-e.done:
		return errClosing()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.readers <- c }()
	now := e.clock.now()
	if _, err := c.exec("BEGIN"); err != nil {
		return e.readable(err)
	}
	defer func() { // also if f panics, for the connection is used again
		if _, end := c.exec("ROLLBACK"); end != nil && err == nil {
			err = e.readable(end)
		}
	}()
	return e.readable(f(&view{conn: c, sql: sqliteDialect, now: now}))
}

// readable replaces an error of the disk by one that a user may read.
func (e *sqliteEngine) readable(err error) error {
	if diskFails(err) {
		e.troubles.failed(err, 1)
		return errStorage()
	}
	return err
}

// sqliteDialect is how SQLite reads lists.
var sqliteDialect = &dialect{
	texts: "(SELECT value FROM json_each(?))",
	rows:  "json_each(?)",
	firstMembers: "SELECT m.conversation, " + memberColumns + ` FROM json_each(?) l CROSS JOIN members m LEFT JOIN users u ON u.id = m.user_id
		WHERE m.conversation = l.value AND m.user_id IN (SELECT f.user_id FROM members f
			WHERE f.conversation = l.value AND f.state = 'joined' ORDER BY f.user_id LIMIT ?)
		ORDER BY m.conversation, m.user_id`,
}

// sqliteDSN opens a file with a write-ahead log that is synced at every commit. The log is
// copied into the database every 16 MB, four times less often than by default, because the
// writer waits meanwhile.
func sqliteDSN(file string) string {
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "wal_autocheckpoint(4000)",
		"journal_size_limit(67108864)", "temp_store(MEMORY)", "cache_size(-32768)",
	}}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
}

// diskFails reports whether the database could not do its work at all: the disk is full,
// fails, or is not there.
func diskFails(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff { // the primary code
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_BUSY:
		return true
	}
	return false
}
