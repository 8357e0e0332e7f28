package main

import (
	"io/fs"
	"path/filepath"
	"testing"
)

func TestEverythingInTheDataFolderIsPrivate(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := startUnder(t, []string{"sh", "-c", `umask 0; exec "$@"`, "sh"}, nil, append(anyPorts, "--data", data)...)
	askGuest(t, p, nil) // so that there is something in the database
	files := 0
	err := filepath.WalkDir(data, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if files++; info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o: others can use it", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 7 {
		t.Errorf("found only %d files", files)
	}
}
