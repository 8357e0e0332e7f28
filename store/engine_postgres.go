package store

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"carillon/chat"
	"carillon/refusal"
)

// postgresEngine is a database that several nodes share.
//
// Writes to one conversation go one after the other, and those that wait go together into one
// transaction; those to other conversations go beside it:
//
//	write ─┐                        ┌► queue of a ─► BEGIN · parts · COMMIT ─► deliver ─► answer each
//	write ─┼─► by its conversation ─┼► queue of b ─► …
//	write ─┘                        └► of none: a transaction of its own
//
// A part is one write behind a savepoint, or all messages that follow each other, which need none.
// Transactions are read committed. What a write decides by is locked first, see [chat.Tx]. One that
// fails because of what others did meanwhile is repeated.
type postgresEngine struct {
	// Fixed at construction.
	troubles *troubles
	metrics  *metrics
	deliver  func([]chat.Told)
	clock    *clock
	pool     *pgxpool.Pool
	most     int64              // writes that may wait
	stop     context.CancelFunc // ends followClock
	wg       sync.WaitGroup     // run of each queue, followClock, and those who write or read; added to under mu while not closed

	ahead   atomic.Int64 // ns that the database's clock is ahead of ours
	waiting atomic.Int64 // writes that have begun and not ended

	mu     sync.Mutex
	queues map[string]*queue // by conversation; those that have something to write
	closed bool
}

const (
	connectTime = 5 * time.Second
	// writeTime bounds a transaction, with the wait for a connection and all repetitions. Changes
	// are found by the minute in which their transaction began, so it must stay well below one.
	writeTime = 25 * time.Second
	// followEvery is how often the database's clock is compared with ours.
	followEvery = 10 * time.Second
)

func openPostgres(ctx context.Context, cfg Config, t *troubles, m *metrics, deliver func([]chat.Told), wall func() time.Time) (*postgresEngine, error) {
	settings, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("store.url: %w", err)
	}
	settings.MaxConns = int32(cfg.Connections)
	settings.ConnConfig.ConnectTimeout = connectTime
	timeout := strconv.Itoa(cfg.StatementSeconds * 1000)
	for name, value := range map[string]string{
		"application_name":                    "carillon",
		"statement_timeout":                   timeout,
		"idle_in_transaction_session_timeout": timeout,
		"default_transaction_isolation":       "read committed",
	} {
		settings.ConnConfig.RuntimeParams[name] = value
	}
	e := &postgresEngine{troubles: t, metrics: m, deliver: deliver, most: int64(cfg.Queue), queues: map[string]*queue{}}
	e.clock = &clock{wall: func() time.Time { return wall().Add(time.Duration(e.ahead.Load())) }}
	if err := migratePostgres(ctx, settings.ConnConfig.Copy()); err != nil {
		return nil, cannotConnect(err, settings.ConnConfig)
	}
	if e.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		return nil, fmt.Errorf("store.url: %w", err)
	}
	if err := e.compareClocks(ctx, wall); err != nil {
		e.pool.Close()
		return nil, fmt.Errorf("ask the database for its time: %w", err)
	}
	ctx, e.stop = context.WithCancel(context.Background()) // until close
	e.wg.Go(func() { e.followClock(ctx, wall) })
	return e, nil
}

// followClock keeps knowing what time it is at the database: all nodes on it must put a change into
// the same minute.
func (e *postgresEngine) followClock(ctx context.Context, wall func() time.Time) {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := e.compareClocks(ctx, wall); err != nil && ctx.Err() == nil {
				e.troubles.failed(err, 1)
			}
		}
	}
}

func (e *postgresEngine) compareClocks(ctx context.Context, wall func() time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	var now time.Time
	before := wall()
	if err := e.pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return err
	}
	e.ahead.Store(int64(now.Sub(before.Add(wall().Sub(before) / 2))))
	return nil
}

// enter is called by who begins to write or read. Leave by e.wg.Done.
func (e *postgresEngine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosing()
	}
	e.wg.Add(1)
	return nil
}

func (e *postgresEngine) close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop()
	e.wg.Wait()
	e.pool.Close()
	return nil
}

func (e *postgresEngine) read(ctx context.Context, f func(*view) error) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.wg.Done()
	c, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer c.giveBack()
	now := e.clock.now()
	c.later("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	err = f(&view{conn: c, sql: postgresDialect, now: now})
	return e.typed(c, err)
}

// take borrows a connection. Refusals are typed.
func (e *postgresEngine) take(ctx context.Context) (*postgresConn, error) {
	raw, err := e.pool.Acquire(ctx)
	if err == nil {
		return &postgresConn{ctx: ctx, pooled: raw, raw: raw.Conn()}, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	e.troubles.failed(err, 1)
	return nil, errStorage()
}

// typed replaces an error of the database by one that a user may read. What has not to do with
// the database is returned as it is.
func (e *postgresEngine) typed(c *postgresConn, err error) error {
	if c.failed == nil || err == nil {
		return err
	}
	if worthRepeating(c.failed) {
		return refusal.After(time.Second, refusal.Busy, "Others write to the same just now. Try again.")
	}
	if postgresFails(c.failed) {
		e.troubles.failed(c.failed, 1)
		return errStorage()
	}
	return err
}

// postgresDialect is how PostgreSQL reads lists.
var postgresDialect = &dialect{
	texts: "(SELECT jsonb_array_elements_text(CAST(? AS jsonb)) AS value)",
	rows:  "jsonb_array_elements(CAST(? AS jsonb))",
	firstMembers: "SELECT f.conversation, " + memberColumns + ` FROM (SELECT jsonb_array_elements_text(CAST(? AS jsonb)) AS conversation) f
		CROSS JOIN LATERAL (SELECT * FROM members WHERE members.conversation = f.conversation AND members.state = 'joined' ORDER BY members.user_id LIMIT ?) m
		LEFT JOIN users u ON u.id = m.user_id ORDER BY f.conversation, m.user_id`,
	forUpdate: " FOR UPDATE",
}
