package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

func migrateSQLite(ctx context.Context, dsn, file string) error {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	return migrate(ctx, db, file, goose.DialectSQLite3, "migrations/sqlite")
}

// migratePostgres lets one node at a time change the schema.
func migratePostgres(ctx context.Context, cfg *pgx.ConnConfig) error {
	one, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("lock schema: %w", err)
	}
	cfg.RuntimeParams["statement_timeout"] = "0" // a migration takes as long as it takes
	name := fmt.Sprintf("%s on %s", cfg.Database, cfg.Host)
	return migrate(ctx, stdlib.OpenDB(*cfg), name, goose.DialectPostgres, "migrations/postgres", goose.WithSessionLocker(one))
}

// migrate brings the schema up to date, and closes db. A database that a newer version has changed
// is left alone: going on would lose what that version keeps in it.
func migrate(ctx context.Context, db *sql.DB, name string, dialect goose.Dialect, folder string, options ...goose.ProviderOption) (err error) {
	defer func() { err = errors.Join(err, db.Close()) }()
	dir, err := fs.Sub(migrations, folder)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(dialect, db, dir, options...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version of %s: %w", name, err)
	}
	sources := p.ListSources()
	if knows := sources[len(sources)-1].Version; has > knows {
		return fmt.Errorf("database %s has schema %d, this carillon knows up to %d; run the newer version that wrote it", name, has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring schema of %s up to date: %w", name, err)
	}
	return nil
}
