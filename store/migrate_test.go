package store

import (
	"io/fs"
	"strings"
	"testing"
)

// Both engines have one schema, line by line, with other words for the same types.
func TestTheSchemasAreTheSame(t *testing.T) {
	files := func(engine string) []string {
		names, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
		if err != nil || len(names) == 0 {
			t.Fatalf("migrations of %s: %v, %v", engine, names, err)
		}
		return names
	}
	other := files("postgres")
	for i, name := range files("sqlite") {
		if want := strings.Replace(name, "/sqlite/", "/postgres/", 1); i >= len(other) || other[i] != want {
			t.Errorf("there is %s and no %s", name, want)
			continue
		}
		sqlite, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		postgres, err := fs.ReadFile(migrations, other[i])
		if err != nil {
			t.Fatal(err)
		}
		translated := strings.NewReplacer("INTEGER", "BIGINT", "BLOB", "BYTEA", " STRICT, WITHOUT ROWID", "", " STRICT", "", " TEXT", ` TEXT COLLATE "C"`).Replace(string(sqlite))
		want := strings.Split(string(postgres), "\n")
		for n, line := range strings.Split(translated, "\n") {
			if n >= len(want) || line != want[n] {
				t.Errorf("line %d of %s, translated, is %q; of %s it is %q", n+1, name, line, other[i], want[n:min(n+1, len(want))])
			}
		}
	}
}
