package store

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// wideUmask makes files as wide as who makes them asks for, until the test ends.
func wideUmask(t *testing.T) {
	old := unix.Umask(0)
	t.Cleanup(func() { unix.Umask(old) })
}

// openLogged opens a database and returns what was logged meanwhile.
func openLogged(t *testing.T, folder string) (*Store, string, error) {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(t.Context(), Config{Folder: folder}, slog.New(slog.NewTextHandler(&log, nil)), (&delivered{}).add)
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, log.String(), err
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func wantPrivate(t *testing.T, folder string, names ...string) {
	t.Helper()
	if got := mode(t, folder); got != 0o700 {
		t.Errorf("the folder has mode %04o, want 0700", got)
	}
	for _, name := range names {
		if got := mode(t, filepath.Join(folder, name)); got&0o077 != 0 {
			t.Errorf("%s has mode %04o: others can use it", name, got)
		}
	}
}

var databaseFiles = []string{"carillon.db", "carillon.db-wal", "carillon.db-shm", "lock"}

func TestANewDatabaseIsPrivate(t *testing.T) {
	wideUmask(t)
	for name, folder := range map[string]string{"no folder": filepath.Join(t.TempDir(), "data"), "an open folder": t.TempDir()} {
		if name == "an open folder" {
			if err := os.Chmod(folder, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := openLogged(t, folder); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantPrivate(t, folder, databaseFiles...)
	}
}

func TestAWiderDatabaseIsNarrowedAtTheStart(t *testing.T) {
	folder := t.TempDir()
	s, _, err := openLogged(t, folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acme := filepath.Join(folder, "acme", "certificates")
	if err := os.MkdirAll(acme, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"carillon.db-wal", "auth.secret", "running", "acme/certificates/key.pem"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wide := []string{"carillon.db", "auth.secret", "running", "acme/certificates/key.pem", "acme/certificates", "acme"}
	for _, name := range wide {
		path := filepath.Join(folder, name)
		if err := os.Chmod(path, mode(t, path)|0o044); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	_, log, err := openLogged(t, folder)
	if err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, folder, append(wide, databaseFiles...)...)
	for _, name := range append(wide, "") {
		if path := filepath.Join(folder, name); !strings.Contains(log, "path="+path+" ") {
			t.Errorf("it is not logged that others could read %s:\n%s", path, log)
		}
	}
	if _, log, err := openLogged(t, t.TempDir()); err != nil || strings.Contains(log, "carillon.db") {
		t.Errorf("a new database: got %v and %q", err, log)
	}
}

func TestAFolderOfOthersKeepsItsMode(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "letter.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	s, _, err := openLogged(t, folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := mode(t, folder); got != 0o755 {
		t.Errorf("somebody's folder has now mode %04o", got)
	}
	if got := mode(t, filepath.Join(folder, "letter.txt")); got != 0o644 {
		t.Errorf("somebody's letter has now mode %04o", got)
	}
	if got := mode(t, filepath.Join(folder, "carillon.db")); got != 0o600 {
		t.Errorf("the database has mode %04o", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openLogged(t, folder); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("where everyone may write: got %v, want an error that says what to do", err)
	}
}
