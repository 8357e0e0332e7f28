// Package pgtest starts Debian's PostgreSQL for tests: a server of this process alone, on a socket
// in a temporary folder, with a database for each test.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m.Run)) }
//
//	url := pgtest.URL(t) // empty: this run of the tests is for SQLite
//
// The tests run on PostgreSQL when the environment says CARILLON_TEST_STORE=postgres; make test
// runs them on both engines.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Wanted reports whether this run of the tests is for PostgreSQL.
func Wanted() bool { return os.Getenv("CARILLON_TEST_STORE") == "postgres" }

// URL makes a database and returns where it is, or nothing when the run is for SQLite.
func URL(t testing.TB) string {
	t.Helper()
	if !Wanted() {
		return ""
	}
	return Database(t)
}

var (
	begun  atomic.Bool // somebody has asked for the server
	shared = sync.OnceValues(func() (*Server, error) { begun.Store(true); return Start(Options{}) })
	made   atomic.Int64
)

// Database makes a database on the server that the tests of this process share, and returns where
// it is. The server ends with [Main].
func Database(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("test%d", made.Add(1))
	if err := s.Create(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// Main runs the tests of a package, and ends the server that they shared. It returns what run does.
func Main(run func() int) int {
	defer func() {
		if !begun.Load() {
			return
		}
		if s, err := shared(); err == nil {
			s.Stop()
		}
	}()
	return run()
}

// Create makes a database.
func (s *Server) Create(ctx context.Context, name string) error {
	if err := s.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("make database %s: %w", name, err)
	}
	return nil
}

// exec runs one statement as the owner of the server.
func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
