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
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
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
