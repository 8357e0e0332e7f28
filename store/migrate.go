package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"carillon/chat"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. A database that a newer version has changed is
// left alone: going on would lose what that version keeps in it.
func migrate(ctx context.Context, dsn, file string) (err error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithGoMigrations(lookAlikes))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version of %s: %w", file, err)
	}
	sources := p.ListSources()
	if knows := sources[len(sources)-1].Version; has > knows {
		return fmt.Errorf("database %s has schema %d, this carillon knows up to %d; run the newer version that wrote it", file, has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring schema of %s up to date: %w", file, err)
	}
	return nil
}

// lookAlikes stores for every user the keys by which guests are kept from taking their name,
// which SQL cannot make.
var lookAlikes = goose.NewGoMigration(4, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
	for _, query := range []string{
		"ALTER TABLE users ADD COLUMN drawn_key TEXT NOT NULL DEFAULT ''", // empty as name_key is
		"CREATE INDEX users_by_drawn_name ON users (drawn_key) WHERE drawn_key <> ''",
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	names := map[string]string{}
	rows, err := tx.QueryContext(ctx, "SELECT id, name FROM users WHERE guest = 0 AND name <> ''")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		names[id] = name
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for id, name := range names {
		keys := chat.LookAlikes(name)
		if _, err := tx.ExecContext(ctx, "UPDATE users SET name_key = ?, drawn_key = ? WHERE id = ?", keys.Folded, keys.Drawn, id); err != nil {
			return err
		}
	}
	return nil
}}, nil)

// epochOf returns the epoch of this history, made when the database was.
func epochOf(c *conn) (epoch string, err error) {
	err = c.row("SELECT value FROM meta WHERE key = 'epoch'").Scan(&epoch)
	if !errors.Is(err, errNoRow) {
		return epoch, err
	}
	epoch = rand.Text()
	_, err = c.exec("INSERT INTO meta (key, value) VALUES ('epoch', ?)", epoch)
	return epoch, err
}
