// Package store is the database behind chat and calls: SQLite in one file of the data
// folder. It implements [chat.Store] and [switchboard.Store].
//
// All writes go through one goroutine, which puts many of them into one commit, because
// what costs is the sync to disk and not the write:
//
//	Write ─┐
//	Write ─┼─► queue ─► BEGIN · SAVEPOINT each · COMMIT (one fsync) ─► deliver events ─► answer each
//	Write ─┘   (bounded: full means busy)
//
// What Write returned nil for survives the loss of power: the log is synced before.
// Reads run side by side on connections of their own and see everything that was committed
// before they began.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"carillon/chat"
	"carillon/refusal"
	"carillon/settings"
)

// Store is the open database. Its methods are safe for concurrent use.
type Store struct {
	// Fixed at construction.
	cfg     Config
	log     *slog.Logger
	deliver func([]chat.UserEvent)
	epoch   string
	now     func() time.Time
	lock    *os.File
	readers chan *conn // connections for reading that nobody uses now
	metrics *metrics
	done    chan struct{} // closed by Close; the janitor ends
	wg      sync.WaitGroup

	// Owned by writeLoop.
	writer *conn

	mu     sync.RWMutex
	closed bool        // under mu
	queue  chan *write // sent to under mu.RLock, closed under mu
}

// Open opens or makes the database in cfg.Folder and brings its schema up to date. The
// folder is locked against a second process. After each commit, and in the order of
// commits, deliver gets the events of that commit from the one writing goroutine; it
// must not block. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config, log *slog.Logger, deliver func([]chat.UserEvent)) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{
		cfg: settings.Fill(cfg, Defaults()), log: log, deliver: deliver, now: time.Now,
		metrics: newMetrics(), done: make(chan struct{}),
	}
	s.queue = make(chan *write, s.cfg.Queue)
	s.readers = make(chan *conn, s.cfg.Readers)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	s.wg.Go(s.writeLoop)
	s.wg.Go(s.janitor)
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.lock, err = lockFolder(s.cfg.Folder, s.log); err != nil {
		return err
	}
	file := filepath.Join(s.cfg.Folder, databaseFile)
	if err := makeDatabase(file); err != nil {
		return err
	}
	if err := migrate(ctx, dsn(file), file); err != nil {
		return err
	}
	if s.writer, err = newConn(dsn(file)); err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	if s.epoch, err = epochOf(s.writer); err != nil {
		return fmt.Errorf("read epoch of %s: %w", file, err)
	}
	for range s.cfg.Readers {
		c, err := newConn(dsn(file))
		if err != nil {
			return fmt.Errorf("open database %s for reading: %w", file, err)
		}
		s.readers <- c
		if _, err := c.exec("PRAGMA query_only = 1"); err != nil {
			return fmt.Errorf("open database %s for reading: %w", file, err)
		}
	}
	return nil
}

// dsn opens a file with a write-ahead log that is synced at every commit. The log is
// copied into the database every 16 MB, four times less often than by default, because the
// writer waits meanwhile.
func dsn(file string) string {
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "wal_autocheckpoint(4000)",
		"journal_size_limit(67108864)", "temp_store(MEMORY)", "cache_size(-32768)",
	}}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
}

// Epoch returns the name of this history.
func (s *Store) Epoch() string { return s.epoch }

// Close lets the writes that wait finish, and closes the files. The store is unusable
// after; calling Close again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.wg.Wait()
		return nil
	}
	s.closed = true
	close(s.queue)
	close(s.done)
	s.mu.Unlock()
	s.wg.Wait()
	for range s.cfg.Readers { // waits for those who still read
		c := <-s.readers
		if err := c.close(); err != nil {
			s.log.Warn("close a reading connection", "err", err)
		}
	}
	return s.release()
}

func (s *Store) release() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Read runs f on one state of the database that holds everything committed before.
func (s *Store) Read(ctx context.Context, f func(chat.View) error) error {
	return s.read(ctx, func(v *view) error { return f(v) })
}

func (s *Store) read(ctx context.Context, f func(*view) error) (err error) {
	var c *conn
	select {
	case c = <-s.readers:
	case <-s.done:
		return errClosing()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.readers <- c }()
	if _, err := c.exec("BEGIN"); err != nil {
		return s.readable(err)
	}
	defer func() { // also if f panics, for the connection is used again
		if _, end := c.exec("ROLLBACK"); end != nil && err == nil {
			err = s.readable(end)
		}
	}()
	return s.readable(f(&view{c}))
}

// readable replaces an error of the disk by one that a user may read.
func (s *Store) readable(err error) error {
	if diskFails(err) {
		s.log.Error("database cannot be read", "err", err)
		return errStorage()
	}
	return err
}

func errClosing() error {
	return refusal.After(2*time.Second, refusal.Busy, "The server is shutting down. Try again.")
}
