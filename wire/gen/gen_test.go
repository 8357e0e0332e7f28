package main

import (
	"os"
	"path/filepath"
	"testing"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTypeScriptTypesAreThoseOfTheGoTypes(t *testing.T) {
	want, err := typeScript()
	if err != nil {
		t.Fatal(err)
	}
	isCommitted(t, typesFile, want)
}

func TestProtocolDocumentShowsEverySample(t *testing.T) {
	want, err := protocol(root(t))
	if err != nil {
		t.Fatal(err)
	}
	isCommitted(t, protocolFile, want)
}

func isCommitted(t *testing.T, file, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(root(t), file))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not up to date; run `go generate ./wire` and commit it", file)
	}
}
