package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTypeScriptTypesAreThoseOfTheGoTypes(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, target))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s differs from the Go types; run `go generate ./signaling/wire` and commit it", target)
	}
}
