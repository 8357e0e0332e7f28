package store

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"carillon/settings"
)

// Config of the database: SQLite, or PostgreSQL by its URL. Zero fields mean [Defaults]; Folder must be given.
type Config struct {
	Folder string `toml:"-"` // the data folder; made when absent

	// URL is that of a PostgreSQL database, postgres://user:password@host/database. Its options
	// (sslmode, sslrootcert and the others of libpq) are obeyed. Empty: SQLite, in the data folder.
	URL string `toml:"url"`
	// Connections is how many connections this node has to PostgreSQL at most.
	Connections int `toml:"connections"`
	// StatementSeconds is how long a statement on PostgreSQL may take, and a transaction may wait for
	// the next one; at most 25.
	StatementSeconds int `toml:"statement_seconds"`
	// RetentionDays is after how many days messages are removed. Zero: never.
	RetentionDays int `toml:"retention_days"`
	// Queue is how many writes may wait for the disk before more are refused as busy.
	Queue int `toml:"queue"`
	// Readers is how many connections read SQLite side by side.
	Readers int `toml:"readers"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{Queue: 4096, Readers: 4, Connections: 16, StatementSeconds: 10}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	if c.StatementSeconds > maxStatementSeconds {
		return fmt.Errorf("statement_seconds is %d, want at most %d", c.StatementSeconds, maxStatementSeconds)
	}
	if c.URL != "" {
		if _, err := pgxpool.ParseConfig(c.URL); err != nil {
			return fmt.Errorf("url: %w", err)
		}
	}
	return settings.NonNegative(c)
}

// maxStatementSeconds is less than the minute by which changes are found again, see writeTime.
const maxStatementSeconds = 25
