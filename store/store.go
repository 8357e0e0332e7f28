// Package store is the database behind chat and calls. It implements [chat.Store] and
// [switchboard.Store].
//
// The queries are in files by what they are about: users, conversations, heads, members,
// messages, feeds, calls. They are the same for every engine but for what a [dialect] has.
// What runs them is an engine: how it is opened, written and read.
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"carillon/chat"
	"carillon/refusal"
	"carillon/settings"
)

// Store is the open database. Its methods are safe for concurrent use.
type Store struct {
	// Fixed at construction.
	cfg      Config
	log      *slog.Logger
	engine   engine
	database string   // its id
	opening  string   // the name of this opening of the database
	lock     *os.File // on the data folder
	metrics  *metrics
	stop     context.CancelFunc // ends stayOpen and janitor
	wg       sync.WaitGroup

	pace     pace // owned by the janitor
	troubles *troubles
	checking sync.Mutex // held by who writes to know whether writing works again

	closing sync.Once
}

// engine runs transactions in a database.
type engine interface {
	// write runs w in a transaction, perhaps several times; see [chat.Store]. When it returns nil,
	// what w did is on disk, and what it told was delivered.
	write(ctx context.Context, conversation string, w *write) error

	// read runs f on one state of the database that holds everything committed before.
	read(ctx context.Context, f func(*view) error) error

	// close waits for those who write and read. All who come later are refused.
	close() error
}

// Open opens or makes the database and brings its schema up to date. The data folder is locked
// against a second process. After each commit, and in the order of
// commits, deliver gets what it told from the one writing goroutine; it must not block.
// ctx bounds the opening only.
func Open(ctx context.Context, cfg Config, log *slog.Logger, deliver func([]chat.Told)) (*Store, error) {
	return openAt(ctx, cfg, log, deliver, time.Now)
}

// openAt is Open by a clock.
func openAt(ctx context.Context, cfg Config, log *slog.Logger, deliver func([]chat.Told), wall func() time.Time) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("store.%w", err)
	}
	s := &Store{
		cfg: settings.Fill(cfg, Defaults()), log: log, opening: rand.Text(), metrics: newMetrics(),
		troubles: &troubles{log: log, now: time.Now},
	}
	var err error
	if s.lock, err = lockFolder(cfg.Folder, log); err != nil {
		return nil, err
	}
	if s.cfg.URL == "" {
		s.engine, err = openSQLite(ctx, s.cfg, s.log, s.troubles, s.metrics, deliver, &clock{wall: wall})
	} else {
		s.engine, err = openPostgres(ctx, s.cfg, s.troubles, s.metrics, deliver, wall)
	}
	if err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	err = s.write(ctx, "", func(tx *tx) (err error) {
		if s.database, err = tx.identify(); err != nil {
			return err
		}
		return tx.putOpening(s.opening)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("note the opening of the database: %w", err), s.engine.close(), s.lock.Close())
	}
	ctx, s.stop = context.WithCancel(context.Background()) // until Close
	s.wg.Go(func() { s.stayOpen(ctx) })
	s.wg.Go(func() { s.janitor(ctx) })
	return s, nil
}

// Opening returns the name of this opening of the database.
func (s *Store) Opening() string { return s.opening }

// Close lets the writes that wait finish, and closes the database. The store is unusable
// after; calling Close again does nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		s.stop()
		s.wg.Wait()
		if err := s.stillOpen(context.Background()); err != nil {
			s.log.Warn("note until when the database was open", "err", err)
		}
		err = errors.Join(s.engine.close(), s.lock.Close())
	})
	return err
}

// Write runs f in a transaction of its own. When it returns nil, everything f did is on
// disk; otherwise nothing is kept. It refuses with refusal.Busy when too many wait. If f
// panics, nothing is kept either, and Write panics in the goroutine that called it.
func (s *Store) Write(ctx context.Context, conversation string, f func(chat.Tx) error) error {
	return s.write(ctx, conversation, func(tx *tx) error { return f(tx) })
}

func (s *Store) write(ctx context.Context, conversation string, f func(*tx) error) error {
	return s.engine.write(ctx, conversation, &write{f: f, done: make(chan error, 1)})
}

// Send stores a message together with others that wait, see [chat.SendAll].
func (s *Store) Send(ctx context.Context, conversation string, m *chat.Sending) error {
	return s.engine.write(ctx, conversation, &write{f: sendAll(m), sending: m, done: make(chan error, 1)})
}

// Read runs f on one state of the database that holds everything committed before.
func (s *Store) Read(ctx context.Context, f func(chat.View) error) error {
	return s.read(ctx, func(v *view) error { return f(v) })
}

func (s *Store) read(ctx context.Context, f func(*view) error) error { return s.engine.read(ctx, f) }

func errClosing() error {
	return refusal.After(2*time.Second, refusal.Busy, "The server is shutting down. Try again.")
}

func errStorage() error {
	return refusal.After(5*time.Second, refusal.StorageFailed, "The server cannot write to its disk. Nothing was changed. Try again later.")
}
