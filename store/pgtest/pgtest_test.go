package pgtest

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Main(m.Run)) }

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	for range 2 {
		conn, err := pgx.Connect(t.Context(), Database(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "CREATE TABLE one (id text)"); err != nil {
			t.Error(err)
		}
	}
}

func TestAServerResumesWithWhatWasCommitted(t *testing.T) {
	s, err := Start(Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	exec := func(query string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), s.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE one (id text)")
	s.Kill()
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	exec("INSERT INTO one VALUES ('a')")
}
