package store

import (
	"context"
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
)

// What a database from before contacts, look-alikes and what is shown says of them is known after the start.
func TestAnOlderDatabaseIsBroughtUpToDate(t *testing.T) {
	folder := t.TempDir()
	db, err := sql.Open("sqlite", dsn(filepath.Join(folder, databaseFile)))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(context.Background(), 2); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`INSERT INTO users (id, name, name_key, guest) VALUES ('alice', 'Alice', 'alice', 0), ('guest:1', 'Zoe', '', 1), ('seen-never', '', '', 0)`,
		`INSERT INTO conversations (id, kind, pair, last_at, created_at) VALUES ('d', 'direct', 'alice' || char(10) || 'bob', 1, 1), ('g', 'group', NULL, 1, 1)`,
		`INSERT INTO members (conversation, user, role) VALUES ('d', 'alice', 'member'), ('d', 'bob', 'member'), ('g', 'alice', 'owner'), ('g', 'carol', 'member')`,
		`INSERT INTO messages (conversation, seq, sender, kind, text, revision, sent_at)
			VALUES ('d', 1, 'alice', 'text', 'Hi', 0, 1), ('d', 2, 'alice', 'text', 'Hi', 0, 1), ('g', 1, 'alice', 'text', 'Hi', 0, 1)`,
	} {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s, _ := open(t, Config{Folder: folder})
	if err := s.read(t.Context(), func(v *view) error {
		for _, c := range []struct {
			of, user string
			want     bool
		}{{"alice", "bob", true}, {"bob", "alice", false}, {"alice", "carol", false}} {
			if got, err := v.IsContact(c.of, c.user); err != nil || got != c.want {
				t.Errorf("%s is a contact of %s: %v, %v", c.user, c.of, got, err)
			}
			if got, err := v.HasShown(c.of, c.user); err != nil || got != c.want {
				t.Errorf("%s has shown their profile to %s: %v, %v", c.of, c.user, got, err)
			}
		}
		for name, want := range map[string]bool{"ALICE": true, "Аlice": true, "A1ice": true, "Zoe": false, "": false} {
			if got, err := v.NameTaken(name); err != nil || got != want {
				t.Errorf("%q is taken: %v, %v", name, got, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
